/**
 * Runs scenarios: a stand for each, a history for each seed, and what the checker says of it.
 */
import { createRandom } from '../../src/model/random.ts'
import { History, type Read } from '../../src/sim/history.ts'
import { Arena, type Deed, type Finding } from './arena.ts'
import { type Breach, type Bounds, check } from './checker.ts'
import { type Scenario, USUAL } from './scenario.ts'
import { Stand } from './stand.ts'
import { createPatience, Strain } from './strain.ts'
import { Traffic } from './traffic.ts'

/** What a run came to. */
export interface Outcome {
  readonly scenario: string
  readonly seed: number
  readonly reads: number
  readonly cached: number
  readonly writes: number
  /** Writes that all instances had followed when they were answered. */
  readonly followed: number
  readonly refused: number
  readonly slowestReadMs: number
  /** From the end of the last fault until every instance gave what is newest. */
  readonly healedMs: number
  /** For which some instance, the store or the clients got no core: deadlines were longer by it. */
  readonly waitedMs: number
  readonly breaches: readonly Breach[]
  readonly history: History
  readonly deeds: readonly Deed[]
}

/** What is run. */
export interface Wish {
  readonly seeds: readonly number[]
  readonly root: string
  /** Deadlines are this many times as long: for machines that are busy with other things. */
  readonly slack: number
  /** Ends it before the last seed. */
  readonly isEnough?: () => boolean
  /** Hears of each run. */
  readonly onOutcome: (outcome: Outcome) => void
}

const KEYS = 6
const WARM_MS = 400
const AFTER_MS = 300
const HEAL_MS = 8000
const KNOWN_MS = 30_000
const BOUNDS = { recoverMs: 2500, writeMs: 4000 }

/** @throws what keeps a stand from standing; breaches are told, not thrown */
export function runScenario(scenario: Scenario, wish: Wish): Promise<void> {
  return runOnOneStand([scenario], wish)
}

/** As `runScenario`, for scenarios that run on the same: it is built once. */
export async function runOnOneStand(scenarios: readonly Scenario[], wish: Wish): Promise<void> {
  const { seeds, root, slack, isEnough, onOutcome } = wish
  const stand = new Stand({ ...USUAL, ...scenarios[0]?.build, root })
  const strain = new Strain(() => stand.processes)
  try {
    await stand.start()
    for (const scenario of scenarios) {
      for (const seed of seeds) {
        if (isEnough?.() === true) return
        onOutcome(await runSeed(stand, scenario, { seed, slack, strain }))
      }
    }
  } finally {
    strain.stop()
    await stand.stop()
  }
}

async function runSeed(
  stand: Stand,
  scenario: Scenario,
  { seed, slack, strain }: { readonly seed: number; readonly slack: number; readonly strain: Strain },
): Promise<Outcome> {
  const { origin, instances, build } = stand
  const history = new History(() => performance.now())
  const begunAt = performance.now()
  const [random, chance] = [createRandom(seed * 2 + 1), createRandom(seed * 2)]
  const keys = Array.from({ length: KEYS }, (_, i) => `s${seed}-${i}`)
  await untilKnown(stand)
  const traffic = new Traffic({ instances, origin, history, random, keys, tokenShare: build.tokenShare })
  const arena = new Arena({ stand, history, random: chance, traffic })
  await arena.wait(WARM_MS)
  try {
    await scenario.run(arena)
  } finally {
    await arena.heal()
  }
  const healedAt = performance.now()
  await arena.wait(AFTER_MS)
  traffic.stopWriting()
  const isOver = createPatience(HEAL_MS * slack, () => stand.processes.map(({ pid }) => pid))
  const finals = await untilNewest({ stand, history, traffic, keys }, isOver)
  const healedMs = performance.now() - healedAt
  await traffic.end()
  const { blind, blindAfterMs, budgetMs, readMs } = build
  const { writeMs, recoverMs } = BOUNDS
  const deadlines = { readMs: readMs * slack, writeMs: writeMs * slack, recoverMs: recoverMs * slack }
  const bounds: Bounds = { ...deadlines, blind, blindAfterMs, budgetMs }
  return {
    ...sum(history),
    scenario: scenario.name,
    seed,
    healedMs,
    waitedMs: Math.max(...instances.map(({ name }) => strain.between(name, begunAt, performance.now()))),
    history,
    deeds: arena.deeds,
    breaches: [...check(history, origin, { bounds, finals, strain }), ...arena.findings.map((found) => breachOf(found, history))],
  }
}

function breachOf({ promise, text, node }: Finding, { reads }: History): Breach {
  return { promise, text, operation: reads.findLast((read) => read.node === node) as Read }
}

interface Scene {
  readonly stand: Stand
  readonly history: History
  readonly traffic: Traffic
  readonly keys: readonly string[]
}

/** Asks every instance for every key until all give the newest, or until it should have been so. @returns the last answers */
async function untilNewest({ stand, history, traffic, keys }: Scene, isOver: () => boolean): Promise<readonly Read[]> {
  for (;;) {
    while (history.writes.some(({ ended }) => ended === Number.POSITIVE_INFINITY) && !isOver()) await pause(20)
    const reads = await Promise.all(stand.instances.flatMap((instance) => keys.map((key) => traffic.read(instance, key))))
    const isNewest = reads.every(({ key, version }) => version >= toldOf(history, key))
    if (isNewest || isOver()) return reads
    await pause(50)
  }
}

/** The newest version of a key that an answered invalidation has named: who died before he could invalidate told nobody. */
function toldOf({ writes }: History, key: string): number {
  return writes.reduce((most, one) => (one.key === key && one.error === undefined ? Math.max(most, one.version) : most), 0)
}

/** Every instance sees the log, and all the others in it. @throws when that is not to be had */
async function untilKnown({ instances, processes }: Stand): Promise<void> {
  const isOver = createPatience(KNOWN_MS, () => processes.map(({ pid }) => pid))
  for (const instance of instances) {
    for (;;) {
      const { expected, acknowledged } = (await instance.invalidate('known', true)).nodes
      if (expected === instances.length && acknowledged === expected) break
      if (isOver()) throw new Error(`${instance.name} knows ${acknowledged} of ${expected} instances`)
      await pause(100)
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function sum({
  reads,
  writes,
}: History): Pick<Outcome, 'reads' | 'cached' | 'writes' | 'followed' | 'refused' | 'slowestReadMs'> {
  const answered = reads.filter(({ error }) => error === undefined)
  return {
    reads: reads.length,
    cached: answered.filter(({ isCached }) => isCached).length,
    writes: writes.length,
    followed: writes.filter(({ error, expected, acknowledged }) => error === undefined && expected === acknowledged).length,
    refused: reads.length - answered.length,
    slowestReadMs: answered.reduce((most, { begunAt, endedAt }) => Math.max(most, endedAt - begunAt), 0),
  }
}
