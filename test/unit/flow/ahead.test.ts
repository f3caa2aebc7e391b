import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import { ACCOUNT } from '../../../src/model/ledger.ts'
import { createRandom, type Random } from '../../../src/model/random.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

const TTL_MS = 10_000
const LOAD_MS = 200

function setUp(options: CacheOptions = {}) {
  const clock = createVirtualClock()
  const cache = createCache({ clock, random: createRandom(3), refreshAhead: true, budget: `${TTL_MS}ms`, ...options })
  const seen = { loads: 0, misses: 0, reads: 0, version: 1, fails: false }
  const load = async (): Promise<number> => {
    seen.loads += 1
    const { version } = seen
    await new Promise<void>((resolve) => void clock.after(LOAD_MS, resolve))
    if (seen.fails) throw new Error('down')
    return version
  }
  const read = async (key: string): Promise<number> => {
    const work = cache.fetch(key, load)
    const result = await Promise.race([work, wait(clock, LOAD_MS).then(() => work)])
    seen.reads += 1
    if (!result.cached) seen.misses += 1
    return result.data
  }
  return { clock, cache, seen, read, ahead: cache.engine.ahead, count: () => cache.stats().counts }
}

async function wait(clock: ReturnType<typeof createVirtualClock>, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    clock.advance(Math.min(50, left))
    await settle(4)
  }
}

/** Each key is read at random, so often a second. */
async function live(here: ReturnType<typeof setUp>, rates: Readonly<Record<string, number>>, seconds: number, random: Random) {
  const end = here.clock.now() + seconds * 1000
  while (here.clock.now() < end) {
    for (const [key, rate] of Object.entries(rates)) if (random() < rate / 4) await here.read(key)
    await wait(here.clock, 250)
  }
}

describe('refreshing ahead', () => {
  it('keeps what is read again and again fresh: nobody waits for it', async () => {
    const here = setUp()
    await live(here, { hot: 2 }, 600, createRandom(1))
    const before = here.seen.misses
    await live(here, { hot: 2 }, 300, createRandom(2))

    expect(here.seen.misses - before).toBeLessThanOrEqual(2)
    expect(here.count().aheadRead).toBeGreaterThan(30)
  }, 30_000)

  it('leaves alone what is hardly ever read twice', async () => {
    const here = setUp()
    const cold = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`cold${at}`, 0.002]))
    await live(here, cold, 1500, createRandom(1))

    expect(here.count().aheadRefreshes ?? 0).toBeLessThan(here.seen.misses * 0.1)
  }, 30_000)

  it('stops within a few periods when the readers have gone', async () => {
    const here = setUp()
    await live(here, { a: 2, b: 2, c: 2 }, 400, createRandom(1))
    await wait(here.clock, TTL_MS * 6)
    const loads = here.seen.loads
    await wait(here.clock, TTL_MS * 30)

    expect(here.seen.loads - loads).toBeLessThanOrEqual(1)
    expect(here.ahead.size).toBe(0)
    expect(here.cache.engine.ledger.of(ACCOUNT.ahead)).toBeLessThan(32 * 1024) // what it has learned stays
  }, 30_000)

  it('is done one at a time for a key, and before the end by as long as a load takes', async () => {
    const here = setUp()
    await live(here, { hot: 4 }, 300, createRandom(1))
    const loads = here.seen.loads
    const endMs = (here.cache.engine.memory.look('hot')?.storedAt ?? 0) + TTL_MS
    while (here.clock.now() < endMs - 100) {
      await here.read('hot')
      await wait(here.clock, 50)
    }
    expect(here.seen.loads - loads).toBe(1)
    await wait(here.clock, LOAD_MS)

    expect(here.seen.loads - loads).toBe(1)
    expect((here.cache.engine.memory.look('hot')?.storedAt ?? 0) + TTL_MS).toBeGreaterThan(endMs)
  }, 30_000)

  it('is judged by the fence: what was invalidated while it read is not stored', async () => {
    const here = setUp()
    await live(here, { hot: 4 }, 300, createRandom(1))
    const loads = here.seen.loads
    while (here.seen.loads === loads) {
      await here.read('hot')
      await wait(here.clock, 50)
    }
    here.seen.version = 2
    await here.cache.invalidate({ keys: ['hot'] })
    await wait(here.clock, LOAD_MS)

    expect(here.cache.peek('hot')).toBeUndefined()
    expect(await here.read('hot')).toBe(2)
  }, 30_000)

  it('counts what failed as spent, and what stands goes on standing', async () => {
    const here = setUp({ budget: { fresh: `${TTL_MS}ms`, onError: '10m' } })
    await live(here, { hot: 4 }, 300, createRandom(1))
    here.seen.fails = true
    const wasted = here.count().aheadWasted ?? 0
    await live(here, { hot: 4 }, 30, createRandom(2))

    expect(here.count().aheadWasted ?? 0).toBeGreaterThan(wasted)
    expect(await here.read('hot')).toBe(1)
  }, 30_000)

  it('is off for a call that does not want it, and everywhere unless it is asked for', async () => {
    const here = setUp()
    await here.cache.fetch('k', { refreshAhead: false }, async () => 1)
    expect(here.ahead.size).toBe(0)
    const off = setUp({ refreshAhead: false })
    await off.cache.fetch('k', async () => 1)
    expect(off.ahead.size).toBe(0)
    await off.cache.fetch('l', { refreshAhead: true }, async () => 1)
    expect(off.ahead.size).toBe(1)
  })

  it('holds no more than an eighth of the memory, however many keys there are', async () => {
    const here = setUp({ memory: { maxBytes: '1MiB' } })
    for (let i = 0; i < 300; i += 1) await here.cache.fetch(`k${i}`, async () => i)

    expect(here.ahead.size).toBeGreaterThan(10)
    expect(here.ahead.size).toBeLessThanOrEqual(64)
    here.cache.engine.close()
    expect(here.ahead.size).toBe(0)
  })

  it('spends no more than its budget, whatever the mixture of keys', async () => {
    const here = setUp({ refreshAhead: { extra: 0.1 } })
    const random = createRandom(9)
    const rates = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`k${at}`, 0.4 / (1 + at)]))
    await live(here, rates, 3000, random)
    const { aheadWasted = 0 } = here.count()

    expect(aheadWasted / (here.seen.loads - aheadWasted)).toBeLessThan(0.12)
    expect(here.count().aheadRead).toBeGreaterThan(100)
  }, 60_000)
})
