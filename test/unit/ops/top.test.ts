import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HotKeys } from '../../../src/ops/top.ts'

describe('top: hot keys in a bounded table', () => {
  it('counts exactly while the keys fit', () => {
    const hot = new HotKeys(3)
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) hot.note(key)

    expect(hot.top(2)).toEqual([
      ['a', 3],
      ['b', 2],
    ])
    expect(hot.errorReads).toBe(0)
  })

  it('never misses a key read more often than its error, and never counts too high', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 500 }),
        fc.integer({ min: 1, max: 10 }),
        (reads, size) => {
          const hot = new HotKeys(size)
          const exact = new Map<string, number>()
          for (const read of reads) {
            const key = `k${read}`
            hot.note(key)
            exact.set(key, (exact.get(key) ?? 0) + 1)
          }
          const counted = new Map(hot.top(size))

          expect(counted.size).toBeLessThanOrEqual(size)
          expect(hot.errorReads).toBeLessThanOrEqual(reads.length / (size + 1))
          for (const [key, count] of exact) {
            const given = counted.get(key) ?? 0
            expect(given).toBeLessThanOrEqual(count)
            expect(given).toBeGreaterThanOrEqual(count - hot.errorReads)
          }
        },
      ),
    )
  })
})
