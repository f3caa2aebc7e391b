import { describe, expect, it } from 'vitest'
import { madeTraces } from '../../../bench/predict/made.ts'
import { Ahead } from '../../../bench/predict/ahead.ts'
import { LastTenth, Oracle, Plain } from '../../../bench/predict/policies.ts'
import { replay, timed } from '../../../bench/predict/replay.ts'
import { AheadBudget, sparedBy } from '../../../src/flow/ahead-budget.ts'
import { createRandom } from '../../../src/model/random.ts'

/** Entries whose chance of being read is what was said; each that was not refreshed is loaded by whoever reads it. */
function live(
  budget: AheadBudget,
  chances: readonly number[],
  rounds: number,
): { granted: number; wasted: number; loads: number } {
  const random = createRandom(5)
  const seen = { granted: 0, wasted: 0, loads: 0 }
  for (let i = 0; i < rounds; i += 1) {
    const question = budget.ask(chances[i % chances.length] as number, 20)
    const wasRead = random() < question.chance
    if (wasRead) seen.loads += 1
    if (question.granted) seen.granted += 1
    if (question.granted && !wasRead) seen.wasted += 1
    if (!question.granted && wasRead) budget.missed()
    budget.settle(question, wasRead ? 20 : 0)
  }
  return seen
}

describe('the budget of refreshing ahead', () => {
  it('is kept, and spent on the likeliest', () => {
    for (const extra of [0.05, 0.1, 0.2]) {
      const budget = new AheadBudget({ extra, minChance: 0.1 })
      const { wasted, loads, granted } = live(budget, [0.95, 0.7, 0.4, 0.25, 0.1], 50_000)

      expect(wasted / loads).toBeLessThanOrEqual(extra)
      expect(wasted / loads).toBeGreaterThan(extra * 0.3)
      expect(granted).toBeGreaterThan(5000)
    }
  })

  it('buys nothing where nothing is likely, and nothing where all are alike', () => {
    expect(live(new AheadBudget({ extra: 0.2, minChance: 0.1 }), [0.03, 0.05], 50_000).granted).toBe(0)
    expect(live(new AheadBudget({ extra: 0.2, minChance: 0.1 }), [0.4], 50_000).granted).toBeLessThan(50)
  })

  it('is not spent on the first loads, and what is under way is bound', () => {
    const budget = new AheadBudget({ extra: 0.1, minChance: 0.1 })
    live(budget, [1], 10)
    let granted = 0
    for (let i = 0; i < 1000; i += 1) if (budget.ask(0.5, 1).granted) granted += 1

    expect(granted).toBeLessThan(3)
  })

  it('gives back what was granted and could not be done', () => {
    const budget = new AheadBudget({ extra: 0.1, minChance: 0.1 })
    live(budget, [0.95, 0.1], 4000)
    let granted = 0
    for (let i = 0; i < 1000; i += 1) {
      const question = budget.ask(0.95, 20)
      if (!question.granted) continue
      granted += 1
      budget.withdraw(question)
    }

    expect(granted).toBeGreaterThan(500)
  })

  it('stops when what was likely is not read any more, and begins again when it is', () => {
    const budget = new AheadBudget({ extra: 0.1, minChance: 0.1 })
    live(budget, [0.9, 0.1], 2000)
    let wasted = 0
    for (let i = 0; i < 2000; i += 1) {
      const question = budget.ask(0.9, 20)
      budget.settle(question, 0)
      if (question.granted) wasted += 1
    }

    expect(wasted).toBeLessThan(200)
    expect(live(budget, [0.9, 0.1], 40_000).granted).toBeGreaterThan(10_000)
  })

  it('counts a refresh for most of a load', () => {
    expect([1, 2, 9, 255].map((reads) => Number(sparedBy(reads).toFixed(2)))).toEqual([0.75, 0.75, 0.9, 1])
  })
})

describe('refreshing ahead on traces that it was not made with', () => {
  it.each([11, 12])(
    'keeps its budget on each, and leaves random ones alone, seed %i',
    (seed) => {
      const gains: { ours: number; tenth: number }[] = []
      for (const { name, isRandom, trace } of madeTraces(seed)) {
        if (name === 'many keys') continue // long; the benchmark has it
        const requests = timed(trace, 1)
        for (const ttlMs of [5000, 60_000]) {
          const wish = { distinct: requests.distinct, ttlMs, staleMs: 0 }
          const plain = replay(requests, new Plain(wish), 0.3)
          const ours = replay(requests, new Ahead(wish, { extra: 0.1, minChance: 0.1 }), 0.3)
          const extra = ours.origin / plain.origin - 1
          expect(extra, `${name}, ${ttlMs} ms`).toBeLessThanOrEqual(isRandom ? 0.02 : 0.1)
          const oracle = plain.misses - replay(requests, new Oracle(wish, requests), 0.3).misses
          const tenth = plain.misses - replay(requests, new LastTenth(wish), 0.3).misses
          if (!isRandom && oracle > 100) gains.push({ ours: (plain.misses - ours.misses) / oracle, tenth: tenth / oracle })
        }
      }
      const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number

      expect(median(gains.map(({ ours }) => ours))).toBeGreaterThan(0.4)
      expect(median(gains.map(({ ours }) => ours))).toBeGreaterThan(3 * median(gains.map(({ tenth }) => tenth)))
    },
    60_000,
  )
})
