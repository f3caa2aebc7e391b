import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/model/random.ts'
import { ByteIndex } from '../../../src/shelf/byte-index.ts'

/** Every slot under a hash. */
function slotsOf(index: ByteIndex, hash: number): number[] {
  const slots: number[] = []
  for (let slot = index.first(hash); slot >= 0; slot = index.next(hash)) slots.push(slot)
  return slots.sort((a, b) => a - b)
}

/** A whole walk. */
function walk(index: ByteIndex, wanted: number, between: () => void): number[] {
  const slots: number[] = []
  let cursor = 0
  do {
    cursor = index.scan(cursor, wanted, slots)
    between()
  } while (cursor !== 0)
  return slots
}

describe('byte-index', () => {
  it('finds what a map finds, while it grows and shrinks', () => {
    const hashes = fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.integer({ min: 0, max: 60 }).map((n) => (n << 26) | 0),
    )
    const step = fc.record({ hash: hashes, isAdding: fc.boolean(), moves: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 2000, size: 'max' }), (steps) => {
        const index = new ByteIndex()
        const model = new Map<number, number[]>()
        let slot = 0
        for (const { hash, isAdding, moves } of steps) {
          const there = model.get(hash) ?? []
          if (isAdding) {
            index.add(hash, slot)
            model.set(hash, [...there, slot])
            slot += 1
          } else if (there.length > 0) {
            index.remove(hash, there[0] as number)
            model.set(hash, there.slice(1))
          }
          index.move(moves)
          if (moves === 0) index.shrink()
          expect(slotsOf(index, hash)).toEqual(model.get(hash) ?? [])
        }
        for (const [hash, there] of model) expect(slotsOf(index, hash)).toEqual(there)
        expect(index.size).toBe([...model.values()].flat().length)
      }),
      { numRuns: 60 },
    )
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'shows every key that stays exactly once in a walk, whatever comes and goes meanwhile, seed %d',
    (seed) => {
      // Arrange
      const random = createRandom(seed)
      const index = new ByteIndex()
      const drawn = (): number => (random() * 2 ** 32) | 0
      const staying = Array.from({ length: 200 }, (_, slot) => ({ hash: drawn(), slot }))
      for (const { hash, slot } of staying) index.add(hash, slot)
      const others: { hash: number; slot: number }[] = []
      let next = staying.length
      const grow = (count: number): void => {
        for (let i = 0; i < count; i += 1, next += 1) {
          others.push({ hash: drawn(), slot: next })
          index.add((others.at(-1) as { hash: number }).hash, next)
        }
      }
      if (seed % 2 === 0) grow(20_000)

      // Act
      const slots = walk(index, 10, () => {
        if (seed % 2 === 1) grow(next < 20_000 ? Math.floor(random() * 300) : 0)
        else
          for (let i = 0; i < 300; i += 1) {
            const gone = others.pop()
            if (gone !== undefined) index.remove(gone.hash, gone.slot)
            index.shrink()
          }
      })

      // Assert
      const seen = slots.filter((slot) => slot < staying.length).sort((a, b) => a - b)
      expect(seen).toEqual(staying.map(({ slot }) => slot))
      expect(new Set(slots).size).toBe(slots.length)
    },
  )

  it('ends a walk through keys of one hash, and through none', () => {
    const index = new ByteIndex()
    expect(walk(index, 10, () => {})).toEqual([])
    for (let slot = 0; slot < 1000; slot += 1) index.add(-1, slot)
    expect(walk(index, 10, () => {})).toHaveLength(1000)
  })

  it('draws every key nearly evenly', () => {
    const random = createRandom(7)
    const index = new ByteIndex()
    for (let slot = 0; slot < 1000; slot += 1) index.add((random() * 2 ** 32) | 0, slot)
    const drawn = new Int32Array(1000)
    for (let i = 0; i < 100_000; i += 1) drawn[index.sample(random())] = (drawn[index.sample(random())] as number) + 1
    expect(drawn.filter((times) => times === 0).length).toBeLessThan(20)
    expect(Math.max(...drawn)).toBeLessThan(1200)
  })
})
