import { describe, expect, it } from 'vitest'
import { runStream, type Sabotage, type StreamRun } from './stream-history.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const HISTORIES = Number(process.env['FORECACHE_HISTORIES'] ?? 100)
const STEPS = 3000

describe('several machines on one log, in random histories', () => {
  for (const policy of ['budget', 'miss'] satisfies StreamRun['policy'][]) {
    it(`gives nobody what must be gone, blind policy ${policy}, ${HISTORIES * STEPS} steps`, { timeout: 1_200_000 }, async () => {
      const total = { reads: 0, cached: 0, shared: 0, writes: 0, withToken: 0, blind: 0, renewed: 0, unplaced: 0, longestMs: 0 }
      for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
        const outcome = await runStream(seed, { steps: STEPS, policy })
        expect(outcome.violations, `seed ${seed}`).toEqual([])
        for (const name of Object.keys(total) as (keyof typeof total)[]) {
          total[name] = name === 'longestMs' ? Math.max(total[name], outcome[name]) : total[name] + outcome[name]
        }
      }
      console.log(`stream, ${policy}: seeds ${FIRST_SEED} to ${FIRST_SEED + HISTORIES - 1}, ${JSON.stringify(total)}`)
      // Histories that never hit, never lose sight or never lose the log would prove nothing.
      expect(total.cached / total.reads).toBeGreaterThan(0.1)
      expect(Math.min(total.shared, total.withToken, total.blind, total.renewed, total.unplaced)).toBeGreaterThan(HISTORIES / 2)
    })
  }

  const sabotages: Sabotage[] = [
    'silence is trusted for ever',
    'proofs are not asked for',
    'another log is taken for the same',
    'tokens are believed',
    'nobody waits',
    'the shared tier is not judged',
    'own records without a place are forgotten',
  ]
  for (const sabotage of sabotages) {
    it(`sees it when ${sabotage}`, { timeout: 120_000 }, async () => {
      let violations = 0
      for (let seed = 1; seed <= 200 && violations === 0; seed += 1)
        violations = (await runStream(seed, { steps: STEPS, policy: 'miss', sabotage })).violations.length
      expect(violations).toBeGreaterThan(0)
    })
  }
})
