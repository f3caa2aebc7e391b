import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HashValue } from '../../../src/keyspace/hash-value.ts'
import { compareIntegers, isInteger64 } from '../../../src/keyspace/integer.ts'
import { CONTAINER_BYTES, defaultPacking } from '../../../src/keyspace/limits.ts'
import { ListValue } from '../../../src/keyspace/list-value.ts'
import { SetValue } from '../../../src/keyspace/set-value.ts'
import { ZsetValue } from '../../../src/keyspace/zset-value.ts'
import { createRandom } from '../../../src/model/random.ts'

const LIMITS = defaultPacking()
const WORDS = fc.array(fc.string({ maxLength: 4 }), { maxLength: 40 })

describe('values: what they are charged', () => {
  it('counts every byte back when everything is removed', () => {
    fc.assert(
      fc.property(WORDS, (words) => {
        // Arrange
        const hash = new HashValue(LIMITS)
        const set = new SetValue(LIMITS)
        const zset = new ZsetValue({ limits: LIMITS, random: createRandom(1) })
        const list = new ListValue()

        // Act
        for (const [i, word] of words.entries()) {
          hash.set(word, word.repeat(i % 3))
          set.add(word)
          zset.set(word, i)
          list.push(word, i % 2 === 0)
        }
        for (const word of words) {
          hash.delete(word)
          set.delete(word)
          zset.delete(word)
          list.remove(word, { most: 1, fromTail: true })
        }

        // Assert
        expect([hash.bytes, set.bytes, zset.bytes, list.bytes]).toEqual(Array.from({ length: 4 }, () => CONTAINER_BYTES))
        expect([hash.size, set.size, zset.size, list.size]).toEqual([0, 0, 0, 0])
      }),
    )
  })

  it('copies a value that then changes alone', () => {
    // Arrange
    const zset = new ZsetValue({ limits: LIMITS, random: createRandom(1) })
    zset.set('a', 1)

    // Act
    const copy = zset.copy()
    copy.set('a', 2)

    // Assert
    expect([zset.score('a'), copy.score('a')]).toEqual([1, 2])
  })
})

describe('values: integers', () => {
  it('knows the one form of a 64-bit integer', () => {
    const good = ['0', '-1', '10', '9223372036854775807', '-9223372036854775808']
    const bad = [
      '',
      '-',
      '-0',
      '+1',
      '01',
      ' 1',
      '1 ',
      '1.0',
      '9223372036854775808',
      '-9223372036854775809',
      '1e3',
      '99999999999999999999',
    ]
    expect(good.filter((text) => !isInteger64(text))).toEqual([])
    expect(bad.filter(isInteger64)).toEqual([])
  })

  it('orders integers by their value', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (a, b) => {
          expect(Math.sign(compareIntegers(String(a), String(b))) + 0).toBe(a < b ? -1 : a > b ? 1 : 0)
        },
      ),
    )
  })
})
