import { describe, expect, it } from 'vitest'
import { Odds } from '../../../src/flow/predict-odds.ts'
import { PredictBudget } from '../../../src/flow/predict-budget.ts'
import { createRandom } from '../../../src/model/random.ts'

const OFTEN = { reads: 12, gapMs: 5000, before: [true, true] } as const
const ONCE = { reads: 1, gapMs: 0, before: [false, false] } as const
const PERIOD_MS = 60_000

describe('the odds of another read', () => {
  it('are learned apart for entries that are read differently', () => {
    const odds = new Odds()
    const often = odds.cell(OFTEN, 1000, PERIOD_MS)
    const once = odds.cell(ONCE, 59_000, PERIOD_MS)
    for (let i = 0; i < 200; i += 1) {
      odds.learn(often, i % 10 !== 0)
      odds.learn(once, i % 20 === 0)
    }
    expect(odds.chance(often)).toBeCloseTo(0.9, 1)
    expect(odds.chance(once)).toBeCloseTo(0.05, 1)
  })

  it('lean on what is like it, where a case was never seen', () => {
    const odds = new Odds()
    const unseen = odds.cell({ ...OFTEN, gapMs: 9000 }, 1000, PERIOD_MS)
    const before = odds.chance(unseen)
    for (let i = 0; i < 100; i += 1) odds.learn(odds.cell(OFTEN, 1000, PERIOD_MS), true)
    expect(odds.chance(unseen)).toBeGreaterThan(before + 0.3)
  })

  it('forget what was long ago', () => {
    const odds = new Odds()
    const cell = odds.cell(OFTEN, 1000, PERIOD_MS)
    for (let i = 0; i < 5000; i += 1) odds.learn(cell, true)
    for (let i = 0; i < 1500; i += 1) odds.learn(cell, false)
    expect(odds.chance(cell)).toBeLessThan(0.2)
  })

  it('have a place for every way of being read', () => {
    const odds = new Odds()
    const cells = new Set<number>()
    for (const first of [false, true])
      for (const second of [false, true])
        for (const reads of [0, 1, 2, 3, 7, 15, 255])
          for (const gapMs of [0, 1, 5000, 10_000, 20_000, 40_000, 100_000, 200_000, 900_000])
            for (const since of [0, 10_000, 20_000, 40_000, 50_000, 70_000, 200_000, 900_000])
              cells.add(odds.cell({ reads, gapMs, before: [first, second] }, since, PERIOD_MS))
    expect(cells.size).toBe(4 * 7 * 9 * 8)
    for (const cell of cells) expect(odds.chance(cell)).toBeCloseTo(0.2, 1)
  })
})

describe('the budget of refreshing ahead', () => {
  /** Entries whose chance of being read is what was said; each that was not refreshed is loaded by whoever reads it. */
  function live(
    budget: PredictBudget,
    chances: readonly number[],
    rounds: number,
  ): { granted: number; wasted: number; loads: number } {
    const random = createRandom(5)
    const seen = { granted: 0, wasted: 0, loads: 0 }
    for (let i = 0; i < rounds; i += 1) {
      const chance = chances[i % chances.length] as number
      const granted = budget.grants(chance)
      const wasRead = random() < chance
      if (wasRead) seen.loads += 1 // it would have been loaded either way
      if (granted) {
        seen.granted += 1
        if (!wasRead) seen.wasted += 1
        budget.settle(wasRead, { chance, gap: 0 })
      } else if (wasRead) budget.missed()
    }
    return seen
  }

  it('is kept, and spent on the likeliest', () => {
    for (const extra of [0.05, 0.1, 0.2]) {
      const budget = new PredictBudget({ extra, minChance: 0.2 })
      const { wasted, loads, granted } = live(budget, [0.95, 0.7, 0.4, 0.25, 0.1], 50_000)
      expect(wasted / loads).toBeLessThanOrEqual(extra)
      expect(wasted / loads).toBeGreaterThan(extra * 0.3)
      expect(granted).toBeGreaterThan(5000)
      expect(budget.threshold).toBeGreaterThan(0.2)
    }
  })

  it('buys nothing where nothing is likely', () => {
    const { granted } = live(new PredictBudget({ extra: 0.2, minChance: 0.2 }), [0.03, 0.1], 50_000)
    expect(granted).toBe(0)
  })

  it('stops when what was likely is not read any more, and begins again when it is', () => {
    const budget = new PredictBudget({ extra: 0.1, minChance: 0.2 })
    live(budget, [0.9], 2000)
    let wasted = 0
    for (let i = 0; i < 2000; i += 1) {
      if (!budget.grants(0.9)) continue
      wasted += 1
      budget.settle(false, { chance: 0.9, gap: 0 })
    }
    expect(wasted).toBeLessThan(200)
    expect(live(budget, [0.9], 20_000).granted).toBeGreaterThan(10_000)
  })
})
