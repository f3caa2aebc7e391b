import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HashValue } from '../../../src/keyspace/hash-value.ts'
import { defaultPacking } from '../../../src/keyspace/limits.ts'
import { ListValue } from '../../../src/keyspace/list-value.ts'
import { crc64 } from '../../../src/keyspace/rdb-crc.ts'
import { isDump, readDump, writeDump } from '../../../src/keyspace/rdb-dump.ts'
import { RdbFault } from '../../../src/keyspace/rdb-fault.ts'
import { packLzf, unpackLzf } from '../../../src/keyspace/rdb-lzf.ts'
import { SetValue } from '../../../src/keyspace/set-value.ts'
import type { Value } from '../../../src/keyspace/value.ts'
import { ZsetValue } from '../../../src/keyspace/zset-value.ts'
import { createRandom } from '../../../src/model/random.ts'

const PARTS = { limits: defaultPacking(), random: createRandom(3) }

const latin = fc.oneof(
  fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.integer({ min: -5000, max: 5000 }).map(String),
  fc.tuple(fc.constantFrom('a', 'ab', 'xyz'), fc.nat({ max: 300 })).map(([text, times]) => text.repeat(times)),
)
const value: fc.Arbitrary<Value> = fc.oneof(
  latin.map((text) => ({ kind: 'string', text, form: 'plain' }) as const),
  fc.array(latin, { minLength: 1, maxLength: 60 }).map((texts) => {
    const list = new ListValue()
    for (const text of texts) list.push(text, false)
    return list
  }),
  fc.array(latin, { minLength: 1, maxLength: 60 }).map((texts) => {
    const set = new SetValue(PARTS.limits, texts[0])
    for (const text of texts) set.add(text)
    return set
  }),
  fc.array(fc.tuple(latin, latin), { minLength: 1, maxLength: 60 }).map((rows) => {
    const hash = new HashValue(PARTS.limits)
    for (const row of rows) {
      hash.makeRoom(row, 0)
      hash.set(...row)
    }
    return hash
  }),
  fc.array(fc.tuple(latin, fc.double({ noNaN: true })), { minLength: 1, maxLength: 140 }).map((rows) => {
    const zset = new ZsetValue(PARTS)
    for (const row of rows) zset.set(...row)
    return zset
  }),
)

/** All that can be seen of a value. */
function shown(one: Value): unknown {
  switch (one.kind) {
    case 'string':
      return one.text
    case 'list':
      return Array.from({ length: one.size }, (_, i) => one.at(i))
    case 'set':
      return one.members().toSorted()
    case 'hash':
      return one.dict.keys.map((key) => [key, one.dict.get(key)])
    case 'zset':
      return one.dict.keys.map((key) => [key, one.score(key), one.rank(key)]).toSorted()
  }
}

describe('the payload of DUMP', () => {
  it('has the checksum that is known of the digits', () => {
    // Act
    const sum = crc64(Buffer.from('123456789'))

    // Assert
    expect(sum.readBigUInt64LE(0)).toBe(0xe9c6d914c4b8d9can)
  })

  it('gives back every value', () => {
    fc.assert(
      fc.property(value, (given) => {
        // Act
        const payload = writeDump(given)

        // Assert
        expect(isDump(payload)).toBe(true)
        expect(shown(readDump(payload, PARTS))).toEqual(shown(given))
      }),
    )
  })

  it('is refused when a byte of it is another, or missing', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, change) => {
        // Arrange
        const payload = writeDump(given)
        const at = place % payload.length
        const changed = Buffer.from(payload)
        changed[at] = (changed[at] as number) ^ change

        // Assert
        expect(isDump(changed)).toBe(false)
        expect(isDump(payload.subarray(0, at))).toBe(false)
      }),
    )
  })

  it('gives a value or is refused, whatever its bytes', () => {
    const foot = Buffer.alloc(10)
    fc.assert(
      fc.property(
        value,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.nat(),
        (given, changes, cut) => {
          // Arrange: the checksum is not looked at here
          const body = writeDump(given).subarray(0, -10)
          for (const [at, byte] of changes) body[at % body.length] = byte
          const payload = Buffer.concat([cut % 3 === 0 ? body.subarray(0, cut % body.length) : body, foot])

          // Act
          let thrown: unknown
          try {
            expect(shown(readDump(payload, PARTS))).toBeDefined()
          } catch (error) {
            thrown = error
          }

          // Assert
          if (thrown !== undefined) expect(thrown).toBeInstanceOf(RdbFault)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('claims no memory that its bytes do not justify', () => {
    const claims = [
      [0, 0x80, 0xff, 0xff, 0xff, 0xff],
      [0, 0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0, 0xc3, 2, 0x80, 0x7f, 0xff, 0xff, 0xff, 0, 0],
      [2, 0x80, 0xff, 0xff, 0xff, 0xff, 1, 1],
      [18, 0x80, 0xff, 0xff, 0xff, 0xff, 2, 1],
    ]
    for (const claim of claims) {
      expect(() => readDump(Buffer.from([...claim, ...Buffer.alloc(10)]), PARTS)).toThrow(RdbFault)
    }
  })
})

describe('LZF', () => {
  it('unpacks what it has packed', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.array(fc.constantFrom('a', 'b', 'abc', 'hello '), { maxLength: 3000 }).map((texts) => Buffer.from(texts.join(''))),
    )
    fc.assert(
      fc.property(bytes, (given) => {
        // Act
        const packed = packLzf(given)

        // Assert
        if (packed === undefined) return
        expect(packed.length).toBeLessThanOrEqual(given.length - 4)
        expect(unpackLzf(packed, given.length).equals(given)).toBe(true)
      }),
    )
  })
})
