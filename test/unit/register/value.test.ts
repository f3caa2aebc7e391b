import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BARE, DEEP, FLAT, give, keep, RECORD, SAME } from '../../../src/register/value.ts'

const MANY = 1e6

class Own {
  readonly field = 1
}

describe('register: values of replies', () => {
  it.each([
    ['text', SAME],
    [7, SAME],
    [null, SAME],
    [10n, SAME],
    [['a', null, 1], FLAT],
    [{ a: '1' }, RECORD],
    [Object.assign(Object.create(null), { a: '1' }), BARE],
    [Buffer.from('b'), DEEP],
    [['a', ['b']], DEEP],
    [new Map([['a', Buffer.from('b')]]), DEEP],
    [new Set(['a']), DEEP],
  ])('%o comes out as it went in, and is given anew each time', (value, shape) => {
    const kept = keep(value, MANY)
    expect(kept?.shape).toBe(shape)
    const [first, second] = [give(kept?.shape ?? SAME, kept?.value), give(kept?.shape ?? SAME, kept?.value)]
    expect(first).toStrictEqual(value)
    expect(Object.getPrototypeOf(Object(first))).toBe(Object.getPrototypeOf(Object(value)))
    if (typeof value === 'object' && value !== null) {
      expect(first).not.toBe(value)
      expect(first).not.toBe(second)
    }
  })

  it('keeps a copy: what the application does to its own reaches nobody else', () => {
    const value = { list: [Buffer.from('abc')] }
    const kept = keep(value, MANY)
    value.list[0]?.fill(0)
    value.list.push(Buffer.from('more'))
    expect(give(kept?.shape ?? SAME, kept?.value)).toEqual({ list: [Buffer.from('abc')] })
  })

  it('keeps fields of any name', () => {
    const plain = Object.defineProperty({}, '__proto__', { value: 'x', enumerable: true, writable: true, configurable: true })
    const kept = keep(plain, MANY)
    const given = give(kept?.shape ?? SAME, kept?.value) as object
    expect(Object.entries(given)).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf(given)).toBe(Object.prototype)
  })

  it.each([[new Error('reply')], [new Own()], [() => 1], [Symbol('s')], [['a', new Own()]], [Object('text')]])(
    'does not keep %o, which it cannot copy',
    (value) => {
      expect(keep(value, MANY)).toBeUndefined()
    },
  )

  it('does not take for bytes what only has their prototype', () => {
    const odd = Object.create(Buffer.from('x')) as object
    expect(keep(odd, MANY)).toBeUndefined()
    expect(keep({ odd }, MANY)).toBeUndefined()
  })

  it('does not keep what is too large, nor what is nested without end', () => {
    expect(keep('x'.repeat(2000), 1000)).toBeUndefined()
    const endless: unknown[] = []
    endless.push(endless)
    expect(keep(endless, MANY)).toBeUndefined()
  })

  it('gives back any reply of nested lists, numbers, text and bytes', () => {
    const { reply } = fc.letrec((tie) => ({
      reply: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
        fc.array(tie('reply'), { maxLength: 4 }),
      ),
    }))
    fc.assert(
      fc.property(reply, (value) => {
        const kept = keep(value, MANY)
        expect(kept?.bytes).toBeGreaterThan(0)
        expect(give(kept?.shape ?? SAME, kept?.value)).toStrictEqual(value)
      }),
    )
  })
})
