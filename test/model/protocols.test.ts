/** The same schedules against models of what others do: each has to fail, or the schedules prove nothing. */
import { describe, expect, it } from 'vitest'
import { explore } from '../../src/sim/explore.ts'
import type { FaultName } from '../../src/sim/schedule.ts'
import type { TrialOptions } from '../../src/sim/trial-options.ts'
import { memoryStoreAndBus, purgeRace } from './systems/peers.ts'
import * as seeds from './systems/seeds.ts'
import { FLEET_FAULTS, FLEET_PLAN, singly } from './systems/streamed.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const SCHEDULES = 1000
/** What a client gets that was gone before he asked; that something fails for a while is another matter. */
const TRUTH: TrialOptions['promises'] = ['P1', 'P2', 'P3']

const manyLoads: TrialOptions['check'] = ({ origin }) => (origin.mostAtOnce > 1 ? ['several loads of one key at once'] : [])

interface Wrong {
  readonly name: string
  readonly start: TrialOptions['start']
  readonly nodes: number
  readonly faults: readonly FaultName[]
  readonly check?: TrialOptions['check']
}

const WRONG: readonly Wrong[] = [
  { name: 'fill after invalidate', start: seeds.fillAfterInvalidate, nodes: 1, faults: [] },
  { name: 'a lock deleted without its token, and a fill behind it', start: seeds.lockAndDelete, nodes: 3, faults: [] },
  { name: 'pub/sub alone', start: seeds.pubSubAlone, nodes: 3, faults: [] },
  { name: 'tags by the time of storing', start: seeds.tagTimestamps, nodes: 3, faults: [] },
  { name: 'scan and meta', start: seeds.scanAndMeta, nodes: 3, faults: [] },
  { name: 'a refresh by everybody', start: seeds.refreshByEverybody, nodes: 1, faults: [], check: manyLoads },
  { name: 'purge during a fetch, as Varnish', start: purgeRace, nodes: 1, faults: [] },
  { name: 'memory, store and bus, as bentocache, messages lost', start: memoryStoreAndBus, nodes: 3, faults: ['cut', 'loss'] },
]

describe('protocols that are known to be wrong', () => {
  it.each(WRONG)('$name: is caught', { timeout: 60_000 }, async ({ name, start, nodes, faults, check }) => {
    const plan = { ...FLEET_PLAN, nodes, promises: TRUTH, seed: FIRST_SEED, schedules: SCHEDULES }
    const own = check === undefined ? {} : { check }
    const found = await explore({ ...plan, ...own, start, faults: [...faults] })
    const worst = await explore({ ...plan, ...own, start, faults: [...FLEET_FAULTS] })
    const where = faults.length === 0 ? 'without a fault' : `with ${faults.join(' and ')}`
    console.log(`${name}: wrong in ${found.perMille} of 1000 schedules ${where}, in ${worst.perMille} with all faults`)

    expect(found.perMille).toBeGreaterThan(5)
    expect(worst.failed).toBeGreaterThan(0)
  })

  it('one instance of forecache is not, by the same schedules', { timeout: 60_000 }, async () => {
    const plan = { ...FLEET_PLAN, nodes: 1, seed: FIRST_SEED, schedules: SCHEDULES }
    const found = await explore({ ...plan, start: singly })

    expect(found.text).toContain(': 0 failed')
  })
})
