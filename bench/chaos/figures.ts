/**
 * Two figures beside the promises: what a store that stands still costs, and how soon an instance that was restarted under load
 * answers from its cache as before.
 */
import { createRandom } from '../../src/model/random.ts'
import type { Instance } from './instance.ts'
import { USUAL } from './scenario.ts'
import { Stand } from './stand.ts'

/** What a store that stands still costs, ms. */
export interface FreezeFigures {
  readonly hitP50: readonly [before: number, frozen: number]
  readonly hitP99: readonly [before: number, frozen: number]
  /** Cold reads: the origin takes 20 ms. */
  readonly coldP50: readonly [before: number, frozen: number]
  readonly coldMost: readonly [before: number, frozen: number]
  /** Reads after the store went on that gave what was invalidated while it stood. */
  readonly staleAfter: number
  readonly readsAfter: number
  readonly failed: number
}

/** How soon an instance is what it was. */
export interface RestartFigures {
  /** Share of its answers that came from a cache. */
  readonly before: number
  /** From its end to its readiness, ms. */
  readonly awayMs: number
  /** From its readiness until 95 % of the former share, over half a second, ms. */
  readonly backMs: number
}

const KEYS = 300
const PAUSE_MS = 4
const BEFORE_MS = 8000
const COLD_EVERY = 25
const HALF_MS = 10
const WINDOW_MS = 500
const FORMER = 0.95

interface Sample {
  readonly ms: number
  readonly isCold: boolean
}

/** @param seconds how long the store stands still */
export async function measureFreeze(root: string, seconds: number): Promise<FreezeFigures> {
  const stand = await stood(root)
  let failed = 0
  try {
    const [one, other] = stand.instances as [Instance, Instance]
    const names = await warm(stand)
    const during = async (ms: number, label: string): Promise<Sample[]> => {
      const samples: Sample[] = []
      const endAt = performance.now() + ms
      for (let i = 0; performance.now() < endAt; i += 1) {
        const isCold = i % COLD_EVERY === 0
        const at = performance.now()
        const key = isCold ? `cold-${label}-${i}` : (names[i % (KEYS / 2)] as string)
        if ((await one.read(key, undefined)).status !== 200) failed += 1
        samples.push({ ms: performance.now() - at, isCold })
        await pause(PAUSE_MS)
      }
      return samples
    }
    await during(2000, 'first')
    const before = await during(BEFORE_MS, 'before')
    stand.redis.freeze()
    const frozen = during(seconds * 1000, 'frozen')
    await pause(seconds * 500)
    const changed = names.slice(KEYS / 2, KEYS / 2 + 50)
    await Promise.all(changed.map(async (key) => [stand.origin.write(key), await other.invalidate(key, true)]))
    const samples = await frozen
    stand.redis.thaw()
    await untilFollowed(stand)
    let staleAfter = 0
    for (const instance of stand.instances) {
      for (const key of changed) if ((await instance.read(key, undefined)).version < stand.origin.versionOf(key)) staleAfter += 1
    }
    return { ...compared(before, samples), staleAfter, readsAfter: changed.length * stand.instances.length, failed }
  } finally {
    stand.redis.thaw()
    await stand.stop()
  }
}

/** kill -9 of one instance under load. */
export async function measureRestart(root: string): Promise<RestartFigures> {
  const stand = await stood(root)
  try {
    const names = await warm(stand)
    const one = stand.instances[0] as Instance
    const random = createRandom(1)
    const share = async (ms: number): Promise<number> => {
      let [asked, cached] = [0, 0]
      for (const endAt = performance.now() + ms; performance.now() < endAt; asked += 1) {
        // Some keys are asked for for the first time, as everywhere.
        const key = random() < 0.05 ? `new-${random()}` : (names[Math.floor(random() * names.length)] as string)
        if ((await one.read(key, undefined)).isCached) cached += 1
        await pause(PAUSE_MS)
      }
      return cached / asked
    }
    const before = await share(BEFORE_MS / 2)
    const endedAt = performance.now()
    await one.kill()
    await one.start()
    const readyAt = performance.now()
    while ((await share(WINDOW_MS)) < before * FORMER) if (performance.now() - readyAt > 30_000) break
    return { before, awayMs: readyAt - endedAt, backMs: performance.now() - readyAt }
  } finally {
    await stand.stop()
  }
}

async function stood(root: string): Promise<Stand> {
  const stand = new Stand({ ...USUAL, blindAfterMs: 1000, budgetMs: 600_000, root })
  stand.origin.slowMs = HALF_MS
  await stand.start()
  return stand
}

/** Every instance has every key. */
async function warm({ instances }: Stand): Promise<readonly string[]> {
  const names = Array.from({ length: KEYS }, (_, i) => `warm-${i}`)
  await pause(1500)
  for (const instance of instances) {
    for (let i = 0; i < KEYS; i += 20) await Promise.all(names.slice(i, i + 20).map((key) => instance.read(key, undefined)))
  }
  await pause(500)
  return names
}

/** Until an invalidation is followed by all. */
async function untilFollowed({ instances }: Stand): Promise<void> {
  for (const endAt = performance.now() + 20_000; performance.now() < endAt; await pause(50)) {
    const { expected, acknowledged } = (await (instances[0] as Instance).invalidate('known', true)).nodes
    if (acknowledged === instances.length && expected === acknowledged) return
  }
}

function compared(
  before: readonly Sample[],
  frozen: readonly Sample[],
): Omit<FreezeFigures, 'staleAfter' | 'readsAfter' | 'failed'> {
  const at = (of: readonly Sample[], isCold: boolean, share: number): number => {
    const sorted = of
      .filter((one) => one.isCold === isCold)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  }
  const both = (isCold: boolean, share: number): [number, number] => [at(before, isCold, share), at(frozen, isCold, share)]
  return { hitP50: both(false, 0.5), hitP99: both(false, 0.99), coldP50: both(true, 0.5), coldMost: both(true, 1) }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
