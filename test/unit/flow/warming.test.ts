import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/flow/cache.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import { createRandom } from '../../../src/model/random.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const LOAD_MS = 20
/** A Monday. */
const START = Date.UTC(2026, 0, 5)
const WARMING = { timeZone: 'UTC' }

function setUp(options: CacheOptions = {}) {
  const clock = createVirtualClock(START)
  const cache = createCache({ clock, random: createRandom(3), warming: WARMING, budget: '1h', ...options })
  const origin = { loads: [] as string[], version: 1, loadMs: LOAD_MS, fails: false, underWay: 0, most: 0 }
  const load = async ({ key }: { key: string }): Promise<string> => {
    origin.loads.push(key)
    origin.underWay += 1
    origin.most = Math.max(origin.most, origin.underWay)
    const { version } = origin
    await new Promise<void>((resolve) => void clock.after(origin.loadMs, resolve))
    origin.underWay -= 1
    if (origin.fails) throw new Error('down')
    return `${key} ${version}`
  }
  const read = async (key: string, view: Cache = cache): Promise<{ data: string; cached: boolean }> => {
    const work = view.fetch(key, { tags: ['all', key] }, load)
    work.catch(() => {})
    await settle(8)
    if (origin.underWay > 0) await pass(origin.loadMs)
    return work
  }
  const pass = (ms: number): Promise<void> => clock.advanceAsync(ms)
  const counts = (): Readonly<Record<string, number | undefined>> => cache.stats().counts
  return { clock, cache, origin, read, pass, load, counts, warming: cache.engine.warming }
}

type Here = ReturnType<typeof setUp>

/** Keys with a number in their name are read so often a minute. */
async function live(here: Here, perMinute: Readonly<Record<string, number>>, minutes: number, view?: Cache): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    for (let second = 0; second < 60; second += 5) {
      for (const [key, rate] of Object.entries(perMinute)) {
        const every = Math.max(1, Math.round(12 / rate))
        if ((minute * 12 + second / 5) % every === 0) await here.read(key, view)
      }
      await here.pass(5000)
    }
  }
}

describe('warming after an invalidation', () => {
  it('loads what is read much under the next version of its namespace, before anybody asks, and nothing else', async () => {
    const here = setUp()
    const view = here.cache.namespace('shop')
    await live(here, { hot: 12, warm: 3 }, 20, view)
    await here.read('cold', view)
    here.origin.loads = []
    here.origin.version = 2
    view.bump()
    await here.pass(3000)

    expect(here.origin.loads).toEqual(['shop:v2:hot', 'shop:v2:warm'])
    expect(await here.read('hot', view)).toMatchObject({ cached: true, data: 'shop:v2:hot 2' })
    await here.pass(2000)
    expect(here.counts()).toMatchObject({ warmBump: 2, warmRead: 1 })
  })

  it.each([{ tags: ['all'] }, { all: true }, { prefixes: ['h'] }, { tags: ['hot'], soft: true }])('after %j', async (input) => {
    const here = setUp()
    await live(here, { hot: 12 }, 20)
    here.origin.loads = []
    here.origin.version = 2
    await here.cache.invalidate(input)
    await here.pass(3000)

    expect(here.origin.loads).toEqual(['hot'])
    expect(here.cache.peek('hot')).toBe('hot 2')
  })

  it('leaves an invalidation of single keys to their readers', async () => {
    const here = setUp()
    await live(here, { hot: 12 }, 20)
    here.origin.loads = []
    await here.cache.invalidate({ keys: ['hot'] })
    await here.pass(3000)
    expect(here.origin.loads).toEqual([])
  })

  it('never stores what was read before it', async () => {
    const here = setUp()
    await live(here, { hot: 12 }, 20)
    await here.cache.invalidate({ all: true })
    here.origin.version = 2
    here.origin.loadMs = 200
    await here.pass(100) // it has begun to ask, and the origin has answered what it knew
    expect(here.origin.underWay).toBe(1)
    here.origin.version = 3
    await here.cache.invalidate({ all: true })
    await here.pass(150)
    expect(here.cache.peek('hot')).toBeUndefined()
    await here.pass(5000)
    expect(here.cache.peek('hot')).toBe('hot 3')
  })

  it('goes from one at once to as many as it may, and no faster than its rate', async () => {
    const keys = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`key${at}`, 12]))
    const here = setUp({ warming: { ...WARMING, concurrency: 3, urgentRate: 10 } })
    await live(here, keys, 5)
    here.origin.loads = []
    here.origin.most = 0
    await here.cache.invalidate({ all: true })
    await here.pass(1000)

    expect(here.origin.loads.length).toBeLessThanOrEqual(13)
    expect(here.origin.loads.length).toBeGreaterThanOrEqual(9)
    expect(here.origin.most).toBeLessThanOrEqual(3)
    await here.pass(10_000)
    expect(new Set(here.origin.loads).size).toBe(60)
  }, 30_000)
})

describe('warming and an origin in trouble', () => {
  const many = (): Readonly<Record<string, number>> => Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`key${at}`, 12]))

  it('stops within one window when it slows, and only one tries later', async () => {
    const here = setUp()
    await live(here, many(), 5)
    here.origin.loads = []
    here.origin.loadMs = 60_000
    await here.cache.invalidate({ all: true })
    await here.pass(2000)
    const begun = here.origin.loads.length
    expect(begun).toBeLessThanOrEqual(4)
    await here.pass(20_000)

    expect(here.origin.loads.length - begun).toBeLessThanOrEqual(2)
    expect(here.counts().warmHeldSlow).toBeGreaterThanOrEqual(1)
  }, 30_000)

  it('asks a failing one a handful of times, not once for each key, and no key twice for it', async () => {
    const here = setUp()
    await live(here, many(), 5)
    here.origin.loads = []
    here.origin.fails = true
    await here.cache.invalidate({ all: true })
    await here.pass(MINUTE)
    expect(here.origin.loads.length).toBeLessThanOrEqual(5)
    expect(new Set(here.origin.loads).size).toBe(here.origin.loads.length)
    await here.pass(9 * MINUTE)

    expect(here.origin.loads.length).toBeLessThanOrEqual(8)
    expect(here.counts().warmFailed).toBe(here.origin.loads.length)
  }, 30_000)

  it('waits while others wait for it', async () => {
    const here = setUp()
    await live(here, many(), 5)
    here.origin.loads = []
    here.origin.loadMs = 400
    await here.cache.invalidate({ all: true })
    for (let at = 0; at < 20; at += 1) void here.cache.fetch(`other${at}`, here.load)
    await here.pass(350)

    expect(here.origin.loads.filter((key) => key.startsWith('key'))).toEqual([])
  }, 30_000)

  it('waits while memory is short', async () => {
    const here = setUp()
    await live(here, { hot: 12 }, 20)
    here.origin.loads = []
    here.cache.engine.governor.watch({ read: () => ({ rssBytes: 1, usedBytes: 1 }) })
    Object.defineProperty(here.cache.engine.governor, 'mood', { get: () => 'tight' })
    await here.cache.invalidate({ all: true })
    await here.pass(3000)
    expect(here.origin.loads).toEqual([])
  })
})

describe('warming in quiet times', () => {
  it('renews what is read often and long fresh while nobody needs the origin, within what clients have earned', async () => {
    const here = setUp({ warming: { ...WARMING, extra: 0.5 } })
    const catalog = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`item${at}`, 1]))
    await live(here, catalog, 3 * 60)
    const demand = here.origin.loads.length
    const { warmQuiet = 0, warmRead = 0, misses = 0 } = here.counts()

    expect(warmQuiet).toBeGreaterThan(5)
    expect(warmRead / warmQuiet).toBeGreaterThan(0.6)
    expect(misses).toBeLessThan(30) // each hour's end would be one: 10 and 20
    expect(demand).toBeLessThanOrEqual(30 * 1.5 + 2)
  }, 60_000)

  it('leaves to refreshing ahead what is refreshed before it ends', async () => {
    const catalog = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`item${at}`, 1]))
    const renewed: number[] = []
    for (const refreshAhead of [false, true]) {
      const here = setUp({ warming: { ...WARMING, extra: 1 }, refreshAhead })
      await live(here, catalog, 50) // nothing has ended yet
      renewed.push(here.counts().warmQuiet ?? 0)
    }
    expect(renewed[0]).toBeGreaterThan(5)
    expect(renewed[1]).toBe(0)
  }, 60_000)

  it('does not ask for what has ended before anybody comes', async () => {
    const here = setUp({ budget: '10s' })
    await live(here, { a: 1 / 3, b: 1 / 3 }, 60)
    expect(here.counts().warmQuiet ?? 0).toBe(0)
  }, 30_000)

  it('switches itself off where nothing of it is read any more', async () => {
    const here = setUp({ warming: { ...WARMING, extra: 10, rate: 100, halfLife: '90d' } })
    const catalog = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`item${at}`, 1]))
    await live(here, catalog, 60)
    here.origin.loads = []
    await here.pass(30 * HOUR)

    expect(here.counts().warmSwitchedOff).toBeGreaterThanOrEqual(1)
    expect(here.origin.loads.length).toBeLessThan(200) // 40 keys, 30 windows
    expect(here.warming.standings().find(({ cause }) => cause === 'quiet')?.isOff).toBe(true)
  }, 60_000)
})

describe('warming before the hour', () => {
  /** Two keys, read at nine each morning for so many days. */
  async function mornings(here: Here, days: number): Promise<void> {
    for (let day = 0; day < days; day += 1) {
      await here.pass(START + day * DAY + 9 * HOUR + 10 * MINUTE - here.clock.now())
      await here.read('report')
      await here.read('figures')
      await here.read(`once${day}`)
      await here.pass(MINUTE)
      await here.read('report')
    }
  }

  it('has ready at nine what is read at nine, from the days before, and nothing at other hours', async () => {
    const here = setUp()
    await mornings(here, 6)
    const { warmRhythm: before = 0, warmRead: read = 0 } = here.counts()
    expect(read).toBeGreaterThanOrEqual(before)
    here.origin.loads = []
    await here.pass(START + 6 * DAY + 8 * HOUR + 54 * MINUTE - here.clock.now())
    expect(here.origin.loads).toEqual([])
    await here.pass(7 * MINUTE)

    expect([...here.origin.loads].sort()).toEqual(['figures', 'report'])
    expect(here.counts().warmRhythm).toBe(before + 2)
    await here.pass(9 * MINUTE)
    expect((await here.read('report')).cached).toBe(true)
  }, 60_000)

  it('is the same after the clocks were stepped back a day and forth again', async () => {
    const here = setUp()
    await mornings(here, 6)
    here.clock.stepWall(-DAY)
    await here.pass(10 * MINUTE)
    here.clock.stepWall(DAY)
    here.origin.loads = []
    await here.pass(START + 6 * DAY + 9 * HOUR - here.clock.now())
    expect([...here.origin.loads].sort()).toEqual(['figures', 'report'])
  }, 60_000)
})

describe('warming that nobody asked for', () => {
  it('costs no timer and remembers nothing', async () => {
    const here = setUp({ warming: false })
    await here.read('a')
    expect(here.warming.size).toBe(0)
    await here.cache.invalidate({ all: true })
    await here.pass(DAY)
    expect(here.origin.loads).toEqual(['a'])
  })

  it('is on or off for a call, whatever the cache says', async () => {
    const off = setUp({ warming: false })
    await off.cache.fetch('a', { warming: true }, () => 1)
    expect(off.warming.size).toBe(1)
    const on = setUp()
    await on.cache.fetch('a', { warming: false }, () => 1)
    expect(on.warming.size).toBe(0)
  })
})
