import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import type { Violation } from '../../../src/model/audit.ts'
import { createRandom } from '../../../src/model/random.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

const ALL = { share: 1, perSecond: 1000 }
const BUDGET = { budget: { fresh: '10s', stale: '20s', onError: '60s' } } as const

function setup(audit: CacheOptions['audit'] = ALL, options: CacheOptions = {}) {
  const clock = createVirtualClock()
  const cache = createCache({ clock, random: createRandom(7), audit, ...options })
  const told: Violation[] = []
  cache.on('audit:violation', (violation) => told.push(violation))
  const origin = { value: 'old', asked: 0, audits: 0 }
  const load = async ({ audit: isAudit }: { audit: boolean }): Promise<string> => {
    origin.asked += 1
    if (isAudit) origin.audits += 1
    return origin.value
  }
  const counts = (): Record<string, number> => {
    const { auditCurrent, auditOutdated, auditViolating, auditInconclusive, auditSkipped } = cache.stats().counts
    return {
      current: auditCurrent,
      outdated: auditOutdated,
      violating: auditViolating,
      unsure: auditInconclusive,
      skipped: auditSkipped,
    }
  }
  return { clock, cache, told, origin, load, counts, engine: cache.engine }
}

/** Stores, round the fence, what was read before the key was invalidated. */
function sneakIn({ cache, clock, engine }: ReturnType<typeof setup>, key: string): void {
  const fill = engine.begin(key, { tags: ['product:7'] })
  clock.advance(5)
  engine.invalidate({ tags: ['product:7'], source: 'api' })
  clock.advance(5)
  const budget = { freshMs: 10_000, staleMs: 10_000, onErrorMs: 10_000 }
  expect(engine.keep({ ...fill, asOf: engine.fence.horizon }, { value: 'old', bytes: 3, budget })).toBe('kept')
  expect(cache.peek(key)).toBe('old')
}

describe('audit: what it finds', () => {
  it('finds, counts and explains an answer that a fence let through, in less than 10 s', async () => {
    const here = setup()
    sneakIn(here, 'k')
    here.origin.value = 'new'

    here.clock.advance(2000)
    expect(await here.cache.fetch('k', BUDGET, here.load)).toMatchObject({ data: 'old', cached: true })
    await settle()

    expect(here.counts()).toMatchObject({ violating: 1, current: 0 })
    expect(here.cache.stats().counts.stalenessViolations).toBe(1)
    expect(here.told).toHaveLength(1)
    expect(here.told[0]).toMatchObject({
      breach: 'invalidated',
      key: 'k',
      route: 'default',
      way: 'load',
      ageMs: 2010,
      promisedMs: 10_000,
      asOf: 1,
      origin: 'changed',
      second: 'unknown',
      instance: here.engine.generation,
      records: [{ position: 1, by: 'api', targets: ['tag product:7'] }],
      text: 'served 2010 ms old, by a load, read before tag product:7 was invalidated by api at position 1',
    })
    expect(here.told[0]?.steps.map(({ what }) => what)).toEqual(['stored by load as of 1'])
    expect(here.engine.audit?.violations('k')).toEqual(here.told)
    expect(here.engine.audit?.violations('other')).toEqual([])
  })

  it('finds it in what is read without a loader', async () => {
    const here = setup()
    sneakIn(here, 'k')

    expect(await here.cache.get('k')).toMatchObject({ data: 'old' })
    await settle()

    expect(here.counts()).toMatchObject({ violating: 1 })
    expect(here.told[0]).toMatchObject({ breach: 'invalidated', key: 'k', origin: 'unknown' })
  })

  it('finds it though the origin is down', async () => {
    const here = setup()
    sneakIn(here, 'k')

    const down = async (): Promise<string> => {
      throw new Error('down')
    }
    await here.cache.fetch('k', BUDGET, down)
    await settle()

    expect(here.told).toMatchObject([{ breach: 'invalidated', origin: 'unknown' }])
  })

  it('finds an answer that was older than it was promised to be, and grants the clocks their margin', async () => {
    const here = setup()
    await here.cache.fetch('k', BUDGET, here.load)
    const entry = here.engine.memory.look('k')
    if (entry === undefined) throw new Error('nothing stands')
    const served = { entry, route: 0, stale: false, promisedMs: 10_000, version: () => 'v' }

    here.engine.audit?.take({ ...served, ageMs: 10_050 })
    expect(here.told).toEqual([])
    here.engine.audit?.take({ ...served, ageMs: 10_051 })

    expect(here.told).toMatchObject([
      { breach: 'budget', text: 'served 10051 ms old, by a load, promised to be at most 10000 ms' },
    ])
  })

  it('finds an old answer that came from a disk as a young one', async () => {
    const here = setup()
    await here.cache.fetch('k', BUDGET, here.load)
    const entry = here.engine.memory.look('k')
    if (entry === undefined) throw new Error('nothing stands')
    here.origin.value = 'new'
    for (let at = 0; at < 4; at += 1) {
      here.clock.advance(6000)
      here.engine.restore({ ...entry, storedAt: here.clock.now() }, false)
      await here.cache.fetch('k', BUDGET, here.load)
      await settle()
    }

    expect(here.told[0]).toMatchObject({ breach: 'outdated', way: 'snapshot', origin: 'changed', ageMs: 0 })
  })

  it('accuses nobody of an origin that goes back to what it had', async () => {
    const here = setup()
    for (let at = 0; at < 10; at += 1) {
      here.origin.value = 'old'
      here.clock.advance(21_000)
      await here.cache.fetch('k', BUDGET, here.load)
      here.origin.value = 'new'
      here.clock.advance(5000)
      await here.cache.fetch('k', BUDGET, here.load)
      await settle()
    }

    expect(here.told).toEqual([])
    expect(here.counts()).toMatchObject({ outdated: 10, violating: 0 })
  })
})

describe('audit: how stale answers are', () => {
  it('says 0 while the origin has the same, and at most the age when it has changed', async () => {
    const here = setup()
    await here.cache.fetch('k', { ...BUDGET, context: 'user:profile' }, here.load)
    here.clock.advance(3000)
    await here.cache.fetch('k', { ...BUDGET, context: 'user:profile' }, here.load)
    await settle()
    here.origin.value = 'new'
    here.clock.advance(3000)
    await here.cache.fetch('k', { ...BUDGET, context: 'user:profile' }, here.load)
    await settle()

    const [series, ...others] = here.engine.meter.histograms('realStaleness')
    expect(others).toEqual([])
    expect(series).toMatchObject({ route: 'user:profile', cached: true, stale: false })
    expect([series?.histogram.count, series?.histogram.sum]).toEqual([2, 6])
    expect(here.counts()).toMatchObject({ current: 1, outdated: 1, violating: 0 })
    expect(here.cache.peek('k')).toBe('old')
  })

  it('believes a loader that says nothing has changed, and validators before values', async () => {
    const here = setup()
    await here.cache.fetch('k', BUDGET, async ({ etag }) => (etag('"1"'), { n: 1 }))
    here.clock.advance(1000)
    await here.cache.fetch('k', BUDGET, async ({ notModified }) => notModified())
    await settle()
    await here.cache.fetch('k', BUDGET, async ({ etag }) => (etag('"2"'), { n: 1 }))
    await settle()

    expect(here.counts()).toMatchObject({ current: 1, outdated: 1 })
  })

  it('compares objects by what they hold', async () => {
    const here = setup()
    const load = async (): Promise<object> => ({ at: new Date(5), list: [1, { two: 2 }] })
    await here.cache.fetch('k', BUDGET, load)
    await here.cache.fetch('k', BUDGET, load)
    await settle()

    expect(here.counts()).toMatchObject({ current: 1, outdated: 0 })
  })
})

describe('audit: what it costs', () => {
  it('is not there unless it is asked for', () => {
    const cache = createCache({})
    expect(cache.engine.audit).toBeUndefined()
    expect(cache.engine.events.wants('keep:store')).toBe(false)
  })

  it('asks about the share of answers that was given, within the rate, one question for a key', async () => {
    const here = setup({ share: 0.1, perSecond: 1000 })
    await here.cache.fetch('k', { budget: '1h' }, here.load)
    for (let at = 0; at < 10_000; at += 1) {
      await here.cache.fetch('k', { budget: '1h' }, here.load)
      here.clock.advance(10)
      if (at % 10 === 0) await settle()
    }
    await settle()
    const { current = 0, unsure = 0, skipped = 0 } = here.counts()
    expect(current + unsure).toBeGreaterThan(850)
    expect(current + unsure).toBeLessThan(1150)
    expect(skipped).toBe(0)
  })

  it('never asks more often than it may, however many answers there are', async () => {
    const here = setup({ share: 1, perSecond: 2 })
    await here.cache.fetch('k', { budget: '1h' }, here.load)
    for (let at = 0; at < 1000; at += 1) {
      await here.cache.fetch('k', { budget: '1h' }, here.load)
      here.clock.advance(10)
      await settle()
    }
    expect(here.origin.audits).toBeLessThanOrEqual(22)
    expect(here.origin.audits).toBeGreaterThanOrEqual(18)
    expect(here.counts().skipped).toBeGreaterThan(900)
  })

  it('gives up on an origin that does not answer, and has no more questions open than it may', async () => {
    const here = setup({ share: 1, perSecond: 1000, concurrency: 2, timeout: '1s' })
    let open = 0
    let most = 0
    const hang = async ({ audit, signal }: { audit: boolean; signal: AbortSignal }): Promise<string> => {
      if (!audit) return 'v'
      most = Math.max(most, (open += 1))
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('gone')), { once: true })
      }).finally(() => (open -= 1))
      return 'v'
    }
    for (const key of ['a', 'b', 'c']) await here.cache.fetch(key, BUDGET, hang)
    for (const key of ['a', 'a', 'b', 'c']) await here.cache.fetch(key, BUDGET, hang)
    await settle()
    expect(here.engine.audit?.size).toBe(2)
    await here.clock.advanceAsync(1000)
    await settle()

    expect(most).toBe(2)
    expect(open).toBe(0)
    expect(here.engine.audit?.size).toBe(0)
    expect(here.counts()).toMatchObject({ unsure: 4, violating: 0 })
  })

  it('counts an origin that is down as inconclusive and raises no alarm', async () => {
    const here = setup()
    await here.cache.fetch('k', BUDGET, here.load)
    const down = async (): Promise<string> => {
      throw new Error('down')
    }
    await here.cache.fetch('k', BUDGET, down)
    await settle()

    expect(here.told).toEqual([])
    expect(here.counts()).toEqual({ current: 0, outdated: 0, violating: 0, unsure: 1, skipped: 0 })
    expect(here.engine.backoff.leftMs('k')).toBe(0)
  })

  it('does not ask about a stale answer, behind which a refresh runs', async () => {
    const here = setup()
    await here.cache.fetch('k', BUDGET, here.load)
    here.clock.advance(11_000)
    expect(await here.cache.fetch('k', BUDGET, here.load)).toMatchObject({ stale: true })
    await settle()

    expect(here.origin).toMatchObject({ asked: 2, audits: 0 })
    expect(here.counts()).toMatchObject({ unsure: 1 })
  })

  it('keeps the last violations alone', async () => {
    const here = setup({ ...ALL, maxViolations: 3 })
    sneakIn(here, 'k')
    for (let at = 0; at < 5; at += 1) {
      await here.cache.fetch('k', BUDGET, here.load)
      await settle()
    }
    expect(here.engine.audit?.violations()).toHaveLength(3)
    expect(here.told).toHaveLength(5)
  })

  it.each([
    [{ share: 0 }, /audit\.share/],
    [{ share: 1.1 }, /audit\.share/],
    [{ perSecond: 0 }, /audit\.perSecond/],
    [{ timeout: '2m' }, /audit\.timeout/],
    [{ rate: 1 }, /rate/],
  ])('refuses %j', (audit, expected) => {
    expect(() => createCache({ audit: audit as object })).toThrow(expected)
  })
})
