import { describe, expect, it } from 'vitest'
import { Waits } from '../../../bench/chaos/waits.ts'

const CLIENTS = 1

describe('what processes have waited for a core', () => {
  it('is counted for any time as far as it can have been waited in it', () => {
    const waits = new Waits(CLIENTS)
    waits.note('a', { pid: 7, from: 100, to: 300, ms: 50 })
    waits.note('', { pid: CLIENTS, from: 100, to: 150, ms: 50 })
    waits.note('b', { pid: 8, from: 0, to: 1000, ms: 1000 })

    expect(waits.between('a', 0, 1000)).toBe(100)
    expect(waits.between('a', 280, 1000)).toBe(20)
    expect(waits.between('a', 0, 110)).toBe(20)
    expect(waits.between('c', 300, 1000)).toBe(0)
  })

  it('starves an instance when half of some stretch that ends in a time was waited', () => {
    const waits = new Waits(CLIENTS)
    waits.note('a', { pid: 7, from: 1000, to: 1130, ms: 130 })
    waits.note('', { pid: CLIENTS, from: 1200, to: 1320, ms: 120 })

    expect(waits.isStarved('a', { from: 0, to: 1319, stretchMs: 500 })).toBe(false)
    expect(waits.isStarved('a', { from: 0, to: 1320, stretchMs: 500 })).toBe(true)
    expect(waits.isStarved('a', { from: 1500, to: 9000, stretchMs: 500 })).toBe(true)
    expect(waits.isStarved('a', { from: 1501, to: 9000, stretchMs: 500 })).toBe(false)
    expect(waits.isStarved('b', { from: 0, to: 9000, stretchMs: 500 })).toBe(false)
  })

  it('takes of several stores the one that waited longest, for a question goes to one', () => {
    const waits = new Waits(CLIENTS)
    for (const pid of [11, 12, 13]) waits.note('', { pid, from: 0, to: 100, ms: 100 })

    expect(waits.isStarved('a', { from: 0, to: 500, stretchMs: 400 })).toBe(false)
    waits.note('', { pid: 13, from: 100, to: 200, ms: 100 })
    expect(waits.isStarved('a', { from: 0, to: 500, stretchMs: 400 })).toBe(true)
  })
})
