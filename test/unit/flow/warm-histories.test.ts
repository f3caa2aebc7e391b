/** Warming in random histories: whatever it loads by itself, nobody reads what was invalidated before he came. */
import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import { createRandom, type Random } from '../../../src/model/random.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

const KEYS = 6
const STEPS = 120
const EAGER = { minChance: 0, minPrecision: 0, extra: 10, rate: 1000, urgentRate: 1000, timeZone: 'UTC' }

interface Told {
  reads: number
  warmed: number
  stale: string[]
}

/** Steps of a random length, each of them a read, an invalidation of some kind, or nothing. */
async function live(seed: number, told: Told): Promise<void> {
  const random: Random = createRandom(seed)
  const clock = createVirtualClock(Date.UTC(2026, 0, 5))
  const cache = createCache({ clock, random, warming: EAGER, budget: { fresh: '20s', stale: '40s' } })
  const views = [cache, cache.namespace('shop')]
  /** What the origin has, and what was its state when it was last invalidated. */
  const versions = new Array<number>(KEYS).fill(0)
  const known = new Array<number>(KEYS).fill(0)
  const tagsOf = (at: number): string[] => ['all', `group${at % 2}`]
  const load = async (at: number): Promise<number> => {
    const isEarly = random() < 0.5
    const before = versions[at] as number
    await new Promise<void>((resolve) => void clock.after(random() * 400, resolve))
    if (random() < 0.05) throw new Error('down')
    return isEarly ? before : (versions[at] as number)
  }
  const read = async (at: number): Promise<void> => {
    const least = known[at] as number
    told.reads += 1
    const view = views[at < KEYS / 2 ? 0 : 1] as typeof cache
    const result = await view.fetch(`key${at}`, { tags: tagsOf(at) }, () => load(at)).catch(() => undefined)
    if (result !== undefined && result.data < least) told.stale.push(`seed ${seed}: key${at} ${result.data} < ${least}`)
  }
  const change = (some: (at: number) => boolean): void => {
    for (let at = 0; at < KEYS; at += 1) if (some(at)) known[at] = versions[at] = (versions[at] as number) + 1
  }
  for (let step = 0; step < STEPS; step += 1) {
    const at = Math.floor(random() * KEYS)
    const dice = random()
    if (dice < 0.7) void read(at)
    else if (dice < 0.76) {
      change((one) => one % 2 === at % 2)
      void cache.invalidate({ tags: [`group${at % 2}`] })
    } else if (dice < 0.8) {
      change(() => true)
      void cache.invalidate({ all: true })
    } else if (dice < 0.84) {
      change((one) => one >= KEYS / 2)
      ;(views[1] as typeof cache).bump()
    } else if (dice < 0.88) {
      change((one) => one === at)
      void (views[at < KEYS / 2 ? 0 : 1] as typeof cache).delete(`key${at}`)
    }
    await settle(8)
    await clock.advanceAsync(random() < 0.1 ? 15_000 : random() * 600)
  }
  await clock.advanceAsync(2000)
  const { warmBump = 0, warmQuiet = 0 } = cache.stats().counts
  told.warmed += warmBump + warmQuiet
  await cache.close()
}

describe('warming in random histories', () => {
  it('shows nobody what was invalidated before he came (seeds 1 to 300)', async () => {
    const told: Told = { reads: 0, warmed: 0, stale: [] }
    for (let seed = 1; seed <= 300; seed += 1) await live(seed, told)

    expect(told.stale).toEqual([])
    expect(told.reads).toBeGreaterThan(20_000)
    expect(told.warmed).toBeGreaterThan(3000)
  }, 120_000)
})
