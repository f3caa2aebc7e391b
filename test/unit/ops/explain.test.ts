import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/flow/cache.ts'
import { type CacheOptions } from '../../../src/flow/options.ts'
import { createVirtualClock, settle, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { explain, type Explanation } from '../../../src/ops/explain.ts'
import { Journal } from '../../../src/ops/journal.ts'

const BUDGET = { fresh: '10s', stale: '30s', onError: '60s' } as const

let clock: VirtualClock
let cache: Cache
let journal: Journal

function start(options: CacheOptions = {}): void {
  clock = createVirtualClock()
  cache = createCache({ clock, random: () => 0.5, ...options })
  journal = new Journal(cache.engine.events, clock, 100)
}

function why(key = 'k'): Explanation {
  return explain({ engine: cache.engine, journal }, key)
}

async function fill(key = 'k', tags: readonly string[] = []): Promise<void> {
  await cache.fetch(key, { budget: BUDGET, tags }, async () => `value of ${key}`)
}

/** A loader that answers when told to. */
function gate(): { load: () => Promise<string>; open: () => void; fail: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  return { load: () => promise, open: () => resolve('late'), fail: () => reject(new Error('origin is down')) }
}

beforeEach(() => start())
afterEach(() => cache.close())

describe('explain: what stands', () => {
  it('says fresh with age, windows left, tags and namespace', async () => {
    await fill('k', ['product:1'])
    clock.advance(4000)

    expect(why()).toMatchObject({
      reason: 'fresh',
      cached: true,
      entry: {
        kind: 'value',
        ageMs: 4000,
        tags: ['product:1'],
        namespace: '',
        left: { freshMs: 6000, staleMs: 26_000, onErrorMs: 56_000 },
      },
      lastDecision: { what: 'stored' },
      loading: false,
    })
  })

  it('says stale past the fresh window', async () => {
    await fill()
    clock.advance(10_001)

    expect(why()).toMatchObject({ reason: 'stale', cached: true, entry: { left: { freshMs: 0 } } })
  })

  it('says reserve past the stale window', async () => {
    await fill()
    clock.advance(31_000)

    expect(why()).toMatchObject({ reason: 'reserve', cached: false })
  })

  it('says softened after a soft invalidation, and who asked for it', async () => {
    await fill('k', ['t'])
    await cache.invalidate({ tags: ['t'], soft: true })

    expect(why()).toMatchObject({
      reason: 'softened',
      cached: true,
      lastInvalidation: { by: 'library', soft: true, targets: ['tag t'] },
    })
  })

  it('says stale, not softened, where the soft invalidation came before the load', async () => {
    await cache.invalidate({ keys: ['k'], soft: true })
    await cache.fetch('k', { budget: { fresh: 0, stale: '30s' } }, async () => 1)

    expect(why().reason).toBe('stale')
  })

  it('says pass for a key marked uncacheable', () => {
    const { engine } = cache
    engine.events.emit('keep:refuse', { key: 'k', reason: 'set-cookie' })
    engine.pass(engine.begin('k'), 5000)

    expect(why()).toMatchObject({ reason: 'pass', because: 'set-cookie', cached: false })
  })

  it('says variant for a key under which variants are listed', () => {
    const { engine } = cache
    const budget = { freshMs: 1000, staleMs: 1000, onErrorMs: 1000 }
    engine.keep(engine.begin('k'), { value: ['accept-language'], bytes: 20, budget, kind: 'vary' })

    expect(why().reason).toBe('variant')
  })
})

describe('explain: why nothing stands', () => {
  it('says unknown for a key nobody asked for', () => {
    const answer = why('never')

    expect(answer).toMatchObject({ reason: 'unknown', cached: false, key: 'never' })
    expect(answer.lastDecision).toBeUndefined()
  })

  it('says loading while the first load runs', async () => {
    const origin = gate()
    const answer = cache.fetch('k', origin.load)
    await settle()

    expect(why()).toMatchObject({ reason: 'loading', loading: true })
    origin.open()
    await answer
    expect(why().reason).toBe('fresh')
  })

  it.each([
    ['key', { keys: ['k'] }, 'key k'],
    ['tag', { tags: ['t'] }, 'tag t'],
    ['prefix', { prefixes: ['k'] }, 'prefix k'],
    ['everything', { all: true }, 'all'],
    ['event', { events: [{ type: 'product.updated', id: 7 }] }, 'tag product:7'],
  ])('says invalidated by %s, when and by whom', async (_, input, target) => {
    await fill('k', ['t', 'product:7'])
    clock.advance(1000)
    const at = new Date(clock.wall()).toISOString()
    await cache.invalidate(input)
    clock.advance(1000)

    expect(why()).toMatchObject({
      reason: 'invalidated',
      lastInvalidation: { at, by: 'library', soft: false, targets: [target] },
    })
  })

  it('says invalidated by namespace', async () => {
    const quotes = cache.namespace('quote')
    await quotes.fetch('k', async () => 1)
    await cache.invalidate({ namespaces: ['quote'] })

    expect(why('quote:v1:k')).toMatchObject({ reason: 'invalidated', lastInvalidation: { targets: ['namespace quote'] } })
  })

  it('says fenced when the invalidation came during the load', async () => {
    const origin = gate()
    const answer = cache.fetch('k', { tags: ['t'] }, origin.load)
    await settle()
    await cache.invalidate({ tags: ['t'] })
    origin.open()
    await answer

    expect(why()).toMatchObject({ reason: 'fenced', lastInvalidation: { targets: ['tag t'] } })
  })

  it('says origin-failed after a failed load', async () => {
    start({ backoff: { first: 0 } })
    const origin = gate()
    const answer = cache.fetch('k', origin.load)
    origin.fail()
    await expect(answer).rejects.toThrow('origin is down')

    expect(why()).toMatchObject({ reason: 'origin-failed', lastFailure: { text: 'Error: origin is down' } })
  })

  it('says backoff while the origin is left alone', async () => {
    const origin = gate()
    const answer = cache.fetch('k', origin.load)
    origin.fail()
    await expect(answer).rejects.toThrow()

    expect(why()).toMatchObject({ reason: 'backoff', backoffMs: 1000 })
  })

  it('says evicted when room was needed', async () => {
    start({ memory: { maxBytes: '1MiB', maxEntries: 2 } })
    for (const key of ['a', 'b', 'c', 'd']) await fill(key)

    expect(['a', 'b', 'c', 'd'].map((key) => why(key).reason).filter((reason) => reason === 'evicted')).toHaveLength(2)
  })

  it('says size for an answer above the limit of an entry', async () => {
    start({ memory: { maxBytes: '1MiB', maxEntryBytes: '1KiB' } })
    await cache.fetch('k', async () => Buffer.alloc(5000))

    expect(why().reason).toBe('size')
  })

  it('says clone for a value that cannot be copied', async () => {
    start({ values: 'clone' })
    await cache.fetch('k', async () => ({ run: () => 1 }))

    expect(why().reason).toBe('clone')
  })

  it('says late for a load that outlived its deadline', () => {
    const { engine } = cache
    const reading = engine.begin('k')
    clock.advance(60_001)
    engine.keep(reading, { value: 1, bytes: 8, budget: { freshMs: 1, staleMs: 1, onErrorMs: 1 } })

    expect(why().reason).toBe('late')
  })

  it.each([
    'no-store',
    'private',
    'authorization',
    'vary-star',
    'no-freshness',
    'method',
    'status',
    'incomplete',
    'too-large',
  ] as const)('says %s when the HTTP door refused to store for it', (reason) => {
    cache.engine.events.emit('keep:refuse', { key: 'k', reason })

    expect(why()).toMatchObject({ reason, cached: false, lastDecision: { what: 'refused', reason } })
  })

  it('says expired once the sweeper has taken it out', async () => {
    await fill()
    await clock.advanceAsync(400_000)

    expect(['expired', 'outdated']).toContain(why().reason)
  })
})

describe('explain: requests that do not look', () => {
  it.each(['bypass-method', 'bypass-route', 'bypass-strict', 'bypass-request'] as const)(
    'says %s with the rule that decided',
    (bypass) => {
      const answer = explain({ engine: cache.engine, journal }, 'k', { route: 'checkout', key: 'k', parts: [], bypass })

      expect(answer).toMatchObject({ reason: bypass, route: 'checkout', cached: false })
    },
  )

  it('says bypass-key when no key can be built', () => {
    const answer = explain({ engine: cache.engine, journal }, undefined, { route: 'r', key: undefined, parts: [] })

    expect(answer).toMatchObject({ reason: 'bypass-key', key: null })
  })
})

describe('journal: what happened to each key', () => {
  it('is bounded and forgets the key that was silent longest', async () => {
    for (let i = 0; i < 150; i += 1) await fill(`k${i}`)

    expect(journal.size).toBe(100)
    expect(journal.last('k0')).toBeUndefined()
    expect(journal.last('k149')?.last.what).toBe('stored')
  })

  it('keeps tags after the entry has gone', async () => {
    await fill('k', ['t'])
    await cache.delete('k')

    expect(journal.last('k')).toMatchObject({ last: { what: 'removed' }, tags: ['t'] })
  })

  it('stops listening when closed', async () => {
    journal.close()
    await fill()

    expect(journal.size).toBe(0)
    expect(cache.engine.events.wants('keep:store')).toBe(false)
  })
})
