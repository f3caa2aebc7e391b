/**
 * Drills: the synchronous cores of forecache on two and three machines, one step at a time and in every order; the same schedules against
 * spoilt copies of it and against models of what others do, which have to fail.
 */
import { describe, expect, it } from 'vitest'
import { Drill, drill, type Failure, type System } from './drill/drill.ts'
import { DrillNode, type Sabotage } from './drill/node.ts'
import { Bento, LockAndDelete, type PeerNode, PubSubAlone, SyncedValues, TagTimes } from './drill/peers.ts'
import { SABOTAGES } from './drill/sabotage.ts'
import type { World } from './drill/world.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const DRILLS = Number(process.env['FORECACHE_DRILLS'] ?? 1_000_000)
const PEER_DRILLS = 5000
/** Schedules between two turns of the event loop: what promises there are settle. */
const TURN = 500

interface Found {
  readonly it: Drill
  readonly failed: number
  readonly run: number
  readonly failure: Failure | undefined
}

async function explore(system: System, given: { seed: number; schedules: number; stopAtFirst: boolean }): Promise<Found> {
  const nodes = new Drill(system)
  let [run, failed] = [0, 0]
  let firstSeed: number | undefined
  while (run < given.schedules && !(given.stopAtFirst && failed > 0)) {
    const schedules = Math.min(TURN, given.schedules - run)
    const found = drill(nodes, { seed: given.seed + run, schedules, stopAtFirst: given.stopAtFirst })
    run += found.run
    failed += found.failed
    firstSeed ??= found.firstSeed
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { it: nodes, failed, run, failure: firstSeed === undefined ? undefined : nodes.explain(firstSeed) }
}

function forecache(sabotage?: Sabotage): System {
  return { name: 'forecache', create: (world, name) => new DrillNode(world, name, sabotage) }
}

describe('machines that share a log and a second level, in drills', () => {
  it(`break no promise in ${DRILLS} of them`, { timeout: 3_600_000 }, async () => {
    const found = await explore(forecache(), { seed: FIRST_SEED, schedules: DRILLS, stopAtFirst: true })
    const { counts } = found.it.world
    console.log(`drills: seeds ${FIRST_SEED} to ${FIRST_SEED + found.run - 1}, ${JSON.stringify(counts)}`)

    expect(found.failure && `${found.failure.seed}\n${found.failure.trace}`).toBeUndefined()
    // Drills that never hit, never go blind or never bear a token would prove nothing.
    expect(counts.cached / counts.reads).toBeGreaterThan(0.15)
    expect(Math.min(counts.second, counts.tokens, counts.blind, counts.fenced, counts.joined)).toBeGreaterThan(DRILLS / 5)
  })

  for (const [name, sabotage] of Object.entries(SABOTAGES)) {
    it(`are caught when ${name}`, { timeout: 300_000 }, async () => {
      const { failed, run, failure } = await explore(forecache(sabotage), { seed: 1, schedules: 30_000, stopAtFirst: true })
      console.log(`${name}: drill ${run}, ${failure?.drawnSteps} steps made ${failure?.steps.length}`)

      expect(failed).toBe(1)
    })
  }

  it('are as right, only slower, when the second level keeps what was written last', { timeout: 300_000 }, async () => {
    const last: Sabotage = ({ world }) => {
      world.entries.isBlindWriter = true
    }
    const given = { seed: FIRST_SEED, schedules: 5000, stopAtFirst: true }
    const [blind, whole] = [await explore(forecache(last), given), await explore(forecache(), given)]

    expect(blind.failed).toBe(0)
    expect(blind.it.world.counts.second).toBeLessThan(whole.it.world.counts.second)
  })
})

describe('protocols that are known to be wrong, in the same drills', () => {
  const wrong: readonly (readonly [name: string, Node: new (world: World, name: string) => PeerNode, perMille: number])[] = [
    ['pub/sub alone', PubSubAlone, 100],
    ['a lock deleted without its token', LockAndDelete, 40],
    ['memory, store and bus, as bentocache', Bento, 100],
    ['tags by the time of storing, as the Redis handler for Next.js', TagTimes, 30],
    ['values told to the others, as cacheable', SyncedValues, 100],
  ]
  it.each(wrong)('%s: is caught without any fault', { timeout: 120_000 }, async (name, Node, perMille) => {
    const system: System = {
      ...{ name, settings: { policy: 'budget', hasSecond: false, isPlain: true } },
      create: (world, node) => new Node(world, node),
    }
    const given = { seed: FIRST_SEED, schedules: PEER_DRILLS, stopAtFirst: false }
    const [calm, worst] = [await explore({ ...system, isCalm: true }, given), await explore(system, given)]
    const [share, worse] = [calm, worst].map(({ failed }) => (failed / PEER_DRILLS) * 1000) as [number, number]
    console.log(`${name}: wrong in ${share} of 1000 drills without a fault, in ${worse} with faults`)

    expect(share).toBeGreaterThan(perMille)
    expect(worst.failed).toBeGreaterThan(0)
  })
})
