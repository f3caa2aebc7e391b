import { describe, expect, it } from 'vitest'
import { PREFETCH_DEFAULTS } from '../../../src/flow/prefetch-options.ts'
import { PrefetchPace } from '../../../src/flow/prefetch-pace.ts'
import { RULE_LIMITS } from '../../../src/flow/prefetch-rules.ts'
import { PrefetchSample } from '../../../src/flow/prefetch-sample.ts'
import { PrefetchWorth, settleRule } from '../../../src/flow/prefetch-worth.ts'
import { type Asked, type Fetched, type Planner, Prefetch } from '../../../src/flow/prefetch.ts'
import { type Link, Successions } from '../../../src/flow/successions.ts'
import { ACCOUNT, Ledger } from '../../../src/model/ledger.ts'
import { createMeter, DEFAULT_ROUTE } from '../../../src/model/meter.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

const MINUTE = 60_000
const newLink = (): Link => ({ count: 0, tried: 0, read: 0, restUntilMs: 0, lookAtMs: 0 })

describe('whether a rule pays', () => {
  it('drops it for ten minutes when clearly less than 60 % were read, and begins anew', () => {
    const link = newLink()
    const dropped = Array.from({ length: 5 }, () => settleRule(link, false, 1000))
    expect(dropped).toEqual([false, false, false, false, true])
    expect(link).toMatchObject({ tried: 0, read: 0, restUntilMs: 1000 + 10 * MINUTE })
  })

  it('keeps one that is right seven times of ten, however long', () => {
    const link = newLink()
    const outcomes = Array.from({ length: 500 }, (_, at) => at % 10 !== 3 && at % 10 !== 6 && at % 10 !== 9)
    expect(outcomes.map((wasRead) => settleRule(link, wasRead, 0))).not.toContain(true)
  })

  it('drops one that is right every other time', () => {
    const link = newLink()
    expect(Array.from({ length: 60 }, (_, at) => settleRule(link, at % 2 === 0, 0))).toContain(true)
  })
})

describe('whether a route pays', () => {
  it('is switched off where little is read, for twice as long each time, and tried again', () => {
    const worth = new PrefetchWorth()
    let now = 0
    const offs: number[] = []
    for (let time = 0; time < 3; time += 1) {
      let tries = 0
      while (!worth.settle(tries % 3 === 0, now)) tries += 1
      let minutes = 0
      while (worth.isOff(now + minutes * MINUTE)) minutes += 1
      offs.push(minutes)
      now += minutes * MINUTE
      expect(worth.isOff(now)).toBe(false)
    }
    expect(offs).toEqual([10, 20, 40])
  })

  it('stays on where three of four are read', () => {
    const worth = new PrefetchWorth()
    for (let at = 0; at < 2000; at += 1) expect(worth.settle(at % 4 !== 1, 0)).toBe(false)
    expect(worth.precision).toBeGreaterThan(0.7)
  })
})

describe('whether the origin has time', () => {
  it('is busy while loads take three times as long as usual', () => {
    const pace = new PrefetchPace()
    for (let at = 0; at < 50; at += 1) pace.loaded(50, at)
    expect(pace.isBusy(50)).toBe(false)
    for (let at = 0; at < 5; at += 1) pace.loaded(500, 60)
    expect(pace.isBusy(60)).toBe(true)
    for (let at = 0; at < 20; at += 1) pace.loaded(50, 70)
    expect(pace.isBusy(70)).toBe(false)
  })

  it('is left in peace after failures, longer each time, until it answers', () => {
    const pace = new PrefetchPace()
    pace.failed(0)
    expect([pace.isBusy(4999), pace.isBusy(5000)]).toEqual([true, false])
    pace.failed(5000)
    expect([pace.isBusy(14_999), pace.isBusy(15_000)]).toEqual([true, false])
    pace.loaded(5, 15_000)
    pace.failed(15_000)
    expect(pace.isBusy(20_000)).toBe(false)
  })
})

describe('of how many requests is learned', () => {
  it('is of all while they are few, and of a bounded number of whole clients where they are many', () => {
    const sample = new PrefetchSample()
    const clients = Array.from({ length: 1000 }, (_, at) =>
      Buffer.from(`${at * 7919}`)
        .toString('base64url')
        .slice(-2)
        .padStart(16, 'a'),
    )
    const digests = clients.map((_, at) => Buffer.from([(at * 37) & 255, (at * 101) & 255, 7]).toString('base64url'))
    const taken = (perSecond: number, second: number): number => {
      let count = 0
      for (let at = 0; at < perSecond; at += 1)
        if (sample.takes(digests[at % digests.length] as string, second * 1000 + (at * 1000) / perSecond)) count += 1
      return count
    }
    expect(taken(1000, 1)).toBe(1000)
    taken(100_000, 2)
    const many = taken(100_000, 3)
    expect(many).toBeGreaterThan(500)
    expect(many).toBeLessThan(12_000)
    taken(100, 4)
    expect(taken(100, 5)).toBe(100)
  })
})

describe('a table of successions', () => {
  it('holds no more bytes than it may, and counts for nothing that is gone', () => {
    const table = new Successions({ keys: 1e6, successors: 10, maxBytes: 100_000 })
    const { followed: first } = table.ask('first', 0)
    for (let at = 0; at < 5000; at += 1) {
      const { followed } = table.ask(`/key/${at}`, at)
      for (let next = 0; next < 12; next += 1) table.count(followed, `/next/${at}/${next}`)
      expect(table.bytes).toBeLessThan(103_000)
    }
    const before = table.bytes
    table.count(first, '/too/late')
    expect(table.bytes).toBe(before)
    table.clear()
    expect([table.size, table.bytes]).toEqual([0, 0])
  })
})

/** A prefetcher over a store of its own. */
class Stand {
  readonly clock = createVirtualClock()
  readonly meter = createMeter()
  readonly ledger = new Ledger()
  readonly fetched: string[] = []
  readonly standing = new Set<string>()
  isCalm = true
  outcome: Fetched = { outcome: 'kept', freshMs: 10 * MINUTE }
  readonly prefetch: Prefetch
  readonly settings = { ...PREFETCH_DEFAULTS, minChance: 0.3 }
  #running: (() => void)[] | undefined

  constructor() {
    const { clock, meter, ledger } = this
    this.prefetch = new Prefetch({ clock, meter, ledger, limits: RULE_LIMITS, isCalm: () => this.isCalm })
  }

  /** Prefetches end only when `release` says so. */
  hold(): void {
    this.#running = []
  }

  release(): void {
    for (const end of this.#running ?? []) end()
    this.#running = undefined
  }

  ask(client: string, url: string): void {
    const isMiss = !this.standing.has(url)
    this.standing.add(url)
    const asked: Asked = {
      ...{ client, url, key: url, route: DEFAULT_ROUTE, settings: this.settings },
      loadMs: isMiss ? 5 : undefined,
    }
    this.prefetch.asked(asked, this.plan)
  }

  readonly plan: Planner = (url) => {
    if (this.standing.has(url)) return undefined
    const run = async (): Promise<Fetched> => {
      this.fetched.push(url)
      if (this.#running !== undefined) await new Promise<void>((resolve) => this.#running?.push(resolve))
      if (this.outcome.outcome === 'kept') this.standing.add(url)
      return this.outcome
    }
    return { key: url, route: DEFAULT_ROUTE, settings: this.settings, run }
  }

  /** Clients go from a page to its part; what stands ends in between. */
  async teach(times: number, reads: boolean): Promise<void> {
    for (let at = 0; at < times; at += 1) {
      this.ask(`c${at}`, '/page')
      await settle(4)
      this.clock.advance(100)
      if (reads) this.ask(`c${at}`, '/part')
      this.clock.advance(2 * MINUTE)
      this.standing.clear()
    }
  }

  get counts(): Record<string, number> {
    return this.meter.totals(DEFAULT_ROUTE)
  }
}

describe('prefetching', () => {
  it('fetches what follows, and counts it as used when it is asked for', async () => {
    const stand = new Stand()
    await stand.teach(20, true)
    expect(stand.fetched.length).toBeGreaterThan(10)
    expect(new Set(stand.fetched)).toEqual(new Set(['/part']))
    expect(stand.counts['prefetchUsed']).toBe(stand.fetched.length)
    expect(stand.counts['prefetchWasted'] ?? 0).toBe(0)
  })

  it('stops by itself when what follows follows no more', async () => {
    const stand = new Stand()
    await stand.teach(20, true)
    const before = stand.fetched.length
    await stand.teach(100, false)
    expect(stand.fetched.length - before).toBeLessThan(15)
    expect(stand.counts['prefetchWasted']).toBe(stand.fetched.length - before)
  })

  it('fetches nothing that stands, nothing twice, and nothing while there is no calm', async () => {
    const stand = new Stand()
    await stand.teach(20, true)
    const before = stand.fetched.length
    stand.standing.add('/part')
    stand.ask('x', '/page')
    stand.standing.clear()
    stand.clock.advance(2000)
    stand.isCalm = false
    stand.ask('y', '/page')
    expect(stand.fetched.length).toBe(before)
    expect(stand.counts['prefetchAbandoned']).toBe(1)
    stand.isCalm = true
    stand.hold()
    for (const client of ['p', 'q', 'r']) stand.ask(client, '/page')
    expect(stand.fetched.length).toBe(before + 1)
    stand.release()
    await settle(8)
    expect(stand.prefetch.pending).toBe(1)
  })

  it('counts who joins it while it runs, and wastes what nobody asks for within its patience', async () => {
    const stand = new Stand()
    await stand.teach(20, true)
    const used = stand.counts['prefetchUsed'] as number
    stand.hold()
    stand.ask('x', '/page')
    stand.standing.add('/part') // he joins its load
    stand.ask('x', '/part')
    expect(stand.counts['prefetchUsed']).toBe(used + 1)
    stand.release()
    await settle(8)
    stand.standing.clear()
    stand.ask('y', '/page')
    await settle(8)
    stand.clock.advance(stand.settings.patience + 1000)
    stand.ask('z', '/else')
    expect(stand.counts['prefetchWasted']).toBe(1)
  })

  it('leaves alone what proved not to be stored', async () => {
    const stand = new Stand()
    await stand.teach(6, true)
    stand.outcome = { outcome: 'unkept' }
    const before = stand.fetched.length
    await stand.teach(4, true)
    expect(stand.fetched.length - before).toBeLessThanOrEqual(1)
  })

  it('leaves the origin in peace after it has failed', async () => {
    const stand = new Stand()
    await stand.teach(20, true)
    const before = stand.fetched.length
    stand.prefetch.failed(DEFAULT_ROUTE)
    stand.ask('x', '/page')
    expect(stand.fetched.length).toBe(before)
  })

  it('charges what it holds, and lets go of it', async () => {
    const stand = new Stand()
    await stand.teach(20, true)
    expect(stand.ledger.of(ACCOUNT.prefetch)).toBeGreaterThan(1000)
    stand.prefetch.close()
    stand.ask('late', '/page')
    expect(stand.ledger.of(ACCOUNT.prefetch)).toBe(0)
  })
})
