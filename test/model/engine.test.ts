import { describe, expect, it } from 'vitest'
import type { Cache } from '../../src/flow/cache.ts'
import { runHistory } from './history.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const HISTORIES = Number(process.env['FORECACHE_HISTORIES'] ?? 250)
const STEPS = 4000

describe('the engine against an oracle, in random histories', () => {
  it(`never breaks a promise in ${HISTORIES * STEPS} steps`, { timeout: 1_200_000 }, async () => {
    let answers = 0
    let cached = 0
    let stale = 0
    let fenced = 0
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
      const outcome = await runHistory(seed, STEPS)
      expect(outcome.violations, `seed ${seed}`).toEqual([])
      answers += outcome.answers
      cached += outcome.cached
      stale += outcome.stale
      fenced += outcome.fenced
    }
    console.log(
      `model: seeds ${FIRST_SEED} to ${FIRST_SEED + HISTORIES - 1}, ${HISTORIES * STEPS} steps, ${answers} answers, ${cached} cached, ${stale} stale, ${fenced} fenced`,
    )
    // A history that never hits, never serves stale or never meets the fence would prove nothing.
    expect(Math.min(cached / answers, stale / answers, fenced / answers)).toBeGreaterThan(0.005)
  })

  const sabotages: Record<string, (cache: Cache) => void> = {
    'the fence admits every fill': ({ engine }) => void (engine.fence.admits = () => true),
    'stored entries are never judged': ({ engine }) => void (engine.fence.standing = () => 'current'),
    'callers join flights begun before an invalidation': ({ engine }) => void (engine.fence.namedBetween = () => false),
  }
  for (const [what, sabotage] of Object.entries(sabotages)) {
    it(`sees it when ${what}`, { timeout: 120_000 }, async () => {
      let violations = 0
      for (let seed = 1; seed <= 40 && violations === 0; seed += 1)
        violations = (await runHistory(seed, STEPS, sabotage)).violations.length
      expect(violations).toBeGreaterThan(0)
    })
  }
})
