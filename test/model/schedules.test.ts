/** forecache in several processes and on several machines, in random schedules of everything that may go wrong; see also protocols.test.ts. */
import { describe, expect, it } from 'vitest'
import { explore } from '../../src/sim/explore.ts'
import type { FaultName } from '../../src/sim/schedule.ts'
import type { TrialOptions } from '../../src/sim/trial-options.ts'
import { FLEETS } from './systems/fleets.ts'
import { SECOND_HITS } from './systems/second-level.ts'
import { sequenced } from './systems/sequenced.ts'
import { streamed } from './systems/streamed.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const SCHEDULES = Number(process.env['FORECACHE_SCHEDULES'] ?? 2500)

describe('instances that share a log, in random schedules', () => {
  for (const [name, options] of Object.entries(FLEETS)) {
    it(`break no promise: ${name}, ${SCHEDULES} schedules`, { timeout: 3_600_000 }, async () => {
      SECOND_HITS.count = 0
      const found = await explore({ ...options, seed: FIRST_SEED, schedules: SCHEDULES })
      console.log(`schedules, ${name}: ${found.text}`)

      expect(found.failure?.trace).toBeUndefined()
      // Schedules that never hit and never write would prove nothing.
      expect(found.counts.cached / found.counts.reads).toBeGreaterThan(0.1)
      expect(found.counts.writes).toBeGreaterThan(SCHEDULES)
      if (name.includes('second level')) expect(SECOND_HITS.count).toBeGreaterThan(SCHEDULES / 4)
    })
  }

  const cuts = { faults: ['cut', 'cut-store'] as FaultName[], faultShare: 0.3, keys: 1 }
  const pauses = { faults: ['pause'] as FaultName[], faultShare: 0.3, keys: 1, gap: 300, longest: 1500 }
  const sabotages: readonly (readonly [name: string, options: TrialOptions])[] = [
    ['nobody goes blind', { ...sequenced('nobody goes blind'), ...pauses }],
    ['silent members live on', { ...sequenced('silent members live on'), ...pauses }],
    ['the fence admits every fill', streamed({ policy: 'budget', sabotage: 'the fence admits every fill' })],
    ['silence is trusted for ever', { ...streamed({ policy: 'miss', sabotage: 'silence is trusted for ever' }), ...cuts }],
    ['another log is taken for the same', streamed({ policy: 'miss', sabotage: 'another log is taken for the same' })],
    [
      'what stands behind is believed',
      streamed({ policy: 'budget', hasSecond: true, sabotage: 'what stands behind is believed' }),
    ],
    ['tokens are believed', streamed({ policy: 'miss', sabotage: 'tokens are believed' })],
  ]
  it.each(sabotages)('are caught when %s', { timeout: 120_000 }, async (name, options) => {
    const { failed, schedules, failure } = await explore({ ...options, seed: FIRST_SEED, schedules: 10_000, stopAtFirst: true })

    console.log(`${name}: caught after ${schedules} schedules, by ${failure?.schedule.steps.length} steps`)
    expect(failed).toBe(1)
  })
})
