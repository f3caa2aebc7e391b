/**
 * The short form of the fault suite (`npm run chaos`): some scenarios with one seed each, and two copies of the source with a
 * rule taken out, which must be noticed.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Outcome, runOnOneStand, runScenario } from '../../bench/chaos/run.ts'
import { SABOTAGES, spoilt } from '../../bench/chaos/sabotage.ts'
import { scenarioOf } from '../../bench/chaos/scenarios.ts'
import { traceOf } from '../../bench/chaos/trace.ts'

const ROOT = join(import.meta.dirname, '../..')
const SEED = Number(process.env['FORECACHE_CHAOS_SEED'] ?? 1)
/** Test machines are busy with other things; time for which a process got no core does not count in any case. */
const SLACK = 3
/** Half a minute on two idle cores. What is slow has not failed: what hangs ends long before this, by name. */
const TIMEOUT_MS = 900_000
/** Those on one line run on the same processes, one after another: starting them is what costs most. */
const SHORT = [['stop-strict', 'store-freezes-miss', 'bus-held', 'duplicate'], ['kill-one'], ['nats-restarts']].map((names) => ({
  names: names.join(', '),
  scenarios: names.map(scenarioOf),
}))

describe('real processes and a real store under faults', () => {
  it.concurrent.each(SHORT)(
    'break no promise: $names',
    async ({ scenarios }) => {
      const outcomes: Outcome[] = []

      await runOnOneStand(scenarios, {
        seeds: [SEED],
        root: ROOT,
        slack: SLACK,
        onOutcome: (outcome) => outcomes.push(outcome),
      })

      const traces = outcomes.flatMap((one) => one.breaches.map((breach) => traceOf(one, breach)))
      expect(traces.slice(0, 2), `seed ${SEED}`).toEqual([])
      expect(new Set(scenarios.map(({ build }) => JSON.stringify(build))).size).toBe(1)
      for (const { reads } of outcomes) expect(reads).toBeGreaterThan(20)
    },
    TIMEOUT_MS,
  )

  it.concurrent.each(['no-fence-of-others', 'no-blindness'])(
    'are noticed where a rule is taken out: %s',
    async (name) => {
      const sabotage = SABOTAGES.find((one) => one.name === name)
      if (sabotage === undefined) throw new Error(`no sabotage ${name}`)
      const { folder, remove } = spoilt(ROOT, sabotage)
      let broken = 0

      await runScenario(sabotage.scenario, {
        seeds: [1, 2, 3, 4, 5],
        root: folder,
        slack: SLACK,
        isEnough: () => broken > 0,
        onOutcome: ({ breaches }) => (broken += breaches.length),
      }).finally(remove)

      expect(broken).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )
})
