import { describe, expect, it } from 'vitest'
import { Tally } from '../../../src/model/tally.ts'

describe('tally: counters that only grow', () => {
  it('counts on past 32 bits', () => {
    const tally = new Tally(2)

    tally.add(1, 2 ** 32 - 1)
    tally.count(1)
    tally.count(1)
    tally.add(1, 3 * 2 ** 32 + 5)

    expect(tally.read(1)).toBe(4 * 2 ** 32 + 6)
    expect(tally.read(0)).toBe(0)
  })

  it('keeps what was counted when it grows, and answers 0 for what does not exist', () => {
    const tally = new Tally(1)
    tally.add(0, 2 ** 40)

    tally.grow(4)
    tally.count(3)

    expect([tally.read(0), tally.read(3), tally.read(9)]).toEqual([2 ** 40, 1, 0])
  })
})
