import { describe, expect, it } from 'vitest'
import { parsePlan, type SoakPlan } from '../../bench/soak/plan.ts'
import { runSoak } from '../../bench/soak/run.ts'
import { judgeSoak } from '../../bench/soak/verdict.ts'

describe('soak, short form', () => {
  it('answers every request, stays within 1.25 times limit and base, and leaves nothing open', async () => {
    const plan = parsePlan(['--seconds', '20', '--memory', '64MiB', '--rate', '200', '--clients', '16']) as SoakPlan

    const seen = await runSoak(plan, () => {})

    const missed = judgeSoak(seen).filter(({ held, name }) => !held && !name.startsWith('event loop'))
    expect(missed).toEqual([])
    expect(seen.endings.asked).toBeGreaterThan(200)
  }, 60_000)
})
