import { describe, expect, it } from 'vitest'
import { describeStep, drawSchedule, FAULTS, type Plan, type Step } from '../../../src/sim/schedule.ts'
import { shrinkSchedule } from '../../../src/sim/shrink.ts'

const PLAN: Plan = {
  ...{ nodes: 3, keys: 2, steps: 40, faults: [...FAULTS], faultShare: 0.3 },
  ...{ tokenShare: 0.2, longestMs: 900, gapMs: 60 },
}

describe('schedules', () => {
  it('are the same for the same seed', () => {
    expect(drawSchedule(3, PLAN)).toEqual(drawSchedule(3, PLAN))
    expect(drawSchedule(3, PLAN)).not.toEqual(drawSchedule(4, PLAN))
  })

  it('hold every kind of step, each with its own words', () => {
    const { steps } = drawSchedule(1, { ...PLAN, steps: 2000 })
    const kinds = new Map(steps.map((step) => [step.do, describeStep(step)]))
    expect([...kinds.keys()].sort()).toEqual(['read', 'write', ...FAULTS].sort())
    expect(new Set(kinds.values()).size).toBe(kinds.size)
  })
})

describe('shrinking', () => {
  it('leaves what is needed for the failure and no more', async () => {
    const drawn = drawSchedule(8, PLAN)
    const needs = (steps: readonly Step[]): boolean => {
      const cut = steps.findIndex((step) => step.do === 'cut' || step.do === 'pause')
      return cut >= 0 && steps.slice(cut).some((step) => step.do === 'write')
    }
    expect(needs(drawn.steps)).toBe(true)
    const { seed, steps } = await shrinkSchedule(drawn, async (schedule) => needs(schedule.steps))

    expect(seed).toBe(8)
    expect(steps.map((step) => step.do)).toEqual([expect.stringMatching(/cut|pause/), 'write'])
    expect(steps.every(({ afterMs, forMs }) => afterMs === 0 && forMs === 0)).toBe(true)
  })

  it('keeps the time that is needed between two steps', async () => {
    const drawn = drawSchedule(8, PLAN)
    const lasts = (steps: readonly Step[]): boolean => steps.reduce((sum, { afterMs }) => sum + afterMs, 0) >= 100
    const { steps } = await shrinkSchedule(drawn, async (schedule) => lasts(schedule.steps))

    expect(lasts(steps)).toBe(true)
    expect(steps.length).toBe(1)
  })
})
