/** Adaptive windows of the library, before values whose changes are known. */
import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'
import { type Kind, World } from '../../support/changing.ts'

const HOUR_MS = 3_600_000
const BUDGET = { fresh: '30s', stale: '10m' } as const
const READ_MS = 4000

async function live(kinds: readonly Kind[], options: CacheOptions) {
  const world = new World(11, { kinds, options: { budget: BUDGET, ...options } })
  await world.live(HOUR_MS) // learns
  return { world, lived: await world.live(2 * HOUR_MS) }
}

describe('adaptive windows', () => {
  it.each([0.05, 0.1, 0.2])(
    'keep the share of fresh answers that have changed under %s, whatever the rate',
    async (bound) => {
      const worlds: readonly (readonly Kind[])[] = [
        [{ keys: 10, everyMs: 60_000, readMs: READ_MS }],
        [{ keys: 10, everyMs: 600_000, readMs: READ_MS }],
        [
          { keys: 5, everyMs: HOUR_MS, readMs: READ_MS },
          { keys: 5, everyMs: 120_000, readMs: READ_MS },
        ],
      ]
      for (const kinds of worlds) {
        const { lived } = await live(kinds, { adaptive: { maxStaleChance: bound, min: '1s' } })
        const share = lived.changedFresh / lived.fresh
        console.info(
          `seed 11, bound ${bound}, changes every ${kinds.map(({ everyMs }) => everyMs / 1000)} s: ${share.toFixed(4)}`,
        )

        // Under the bound at each window's end, so about half of it in the mean.
        expect(share).toBeLessThan(bound)
        expect(share).toBeGreaterThan(bound / 8)
      }
    },
    60_000,
  )

  it('spare the loads of what never changes', async () => {
    const kinds = [{ keys: 10, everyMs: Number.POSITIVE_INFINITY, readMs: READ_MS }]
    const off = await live(kinds, {})
    const on = await live(kinds, { adaptive: true })

    expect(on.lived.changedFresh).toBe(0)
    expect(on.lived.loads).toBeLessThan(off.lived.loads / 8)
  }, 30_000)

  it('tell off what they learn, and change nothing then', async () => {
    const kinds = [{ keys: 10, everyMs: 60_000, readMs: READ_MS }]
    const { world } = await live(kinds, {})
    const { everyMs, flaw } = world.cache.engine.adaptive.routes()[0] ?? {}

    expect(Math.abs((everyMs ?? 0) / 60_000 - 1)).toBeLessThan(0.15)
    expect(flaw).toBeNull()
    expect(world.cache.engine.memory.chosen('k0:0')).toBeUndefined()
    expect(Math.ceil(world.cache.engine.memory.look('k0:0')?.budget.freshMs ?? 0)).toBe(30_000)
  }, 30_000)

  it('hold for callers who name their budget, up to its stale end and no further', async () => {
    const kinds = [{ keys: 10, everyMs: Number.POSITIVE_INFINITY, readMs: READ_MS }]
    const world = new World(5, { kinds, options: { adaptive: true }, call: { budget: BUDGET } })
    await world.live(2 * HOUR_MS)
    const { cache, clock } = world
    const load = async (): Promise<string> => 'anew'
    await cache.fetch('k0:0', { budget: BUDGET, skip: 'read' }, async () => 'k0:0 0')
    clock.advance(400_000)

    expect(await cache.fetch('k0:0', { budget: BUDGET }, load)).toMatchObject({ cached: true, stale: false, ageMs: 400_000 })
    expect(await cache.fetch('k0:0', { budget: { fresh: '1m', stale: '5m' } }, load)).toMatchObject({ cached: false })
  }, 30_000)

  it('leave alone a caller who wants his windows to the letter', async () => {
    const kinds = [{ keys: 10, everyMs: Number.POSITIVE_INFINITY, readMs: READ_MS }]
    const world = new World(5, { kinds, options: { adaptive: true }, call: { budget: BUDGET } })
    await world.live(2 * HOUR_MS)
    await world.cache.fetch('k0:1', { budget: BUDGET, skip: 'read' }, async () => 'k0:1 0')
    world.clock.advance(60_000)

    const strict = { budget: BUDGET, adaptive: false }
    expect(await world.cache.fetch('k0:1', strict, async () => 'k0:1 0')).toMatchObject({ cached: true, stale: true })
  }, 30_000)
})

/** One key, loaded again and again. */
function setUp(options: CacheOptions = {}) {
  const clock = createVirtualClock()
  const cache = createCache({ clock, budget: '10s', ...options })
  const counts = () => cache.stats().counts
  const load = async (key: string, value: unknown, afterMs = 11_000): Promise<void> => {
    clock.advance(afterMs)
    await cache.fetch(key, async () => value)
  }
  return { clock, cache, load, counts }
}

describe('what is compared', () => {
  it.each<[string, unknown, unknown]>([
    ['short texts', 'a', 'b'],
    ['long texts', 'a'.repeat(5000), `${'a'.repeat(4999)}b`],
    ['numbers', 1, 2],
    ['objects', { a: 1, list: [1, 2] }, { a: 1, list: [1, 3] }],
    ['bytes', Buffer.from('one'), Buffer.from('two')],
  ])('tells %s apart, and finds equal ones equal', async (_, one, other) => {
    for (const values of ['freeze', 'clone', 'reference'] as const) {
      const here = setUp({ values })
      for (const value of [one, structuredClone(one), other, structuredClone(other), one]) await here.load('k', value)

      expect(here.counts()).toMatchObject({ comparedChanged: 2, comparedSame: 2 })
    }
  })

  it('is what stood even where it has left memory meanwhile', async () => {
    const here = setUp()
    for (const value of ['a', 'a', 'b']) {
      await here.load('k', value, 60_000)
      here.clock.advance(15_000)
      await settle(4)
      here.clock.advance(5000) // swept
      expect(here.cache.engine.memory.size).toBe(0)
    }

    expect(here.counts()).toMatchObject({ comparedChanged: 1, comparedSame: 1 })
    expect(here.cache.engine.adaptive.ofKey('k')).toMatchObject({ compared: 2, changed: 1 })
  })

  it.each([
    ['a key', { keys: ['k'] }],
    ['a tag', { tags: ['t'] }],
    ['a tag, softly', { tags: ['t'], soft: true }],
    ['a key, softly', { keys: ['k'], soft: true }],
    ['everything', { all: true }],
  ])('is nothing that an invalidation of %s has told of', async (_, target) => {
    const here = setUp({ budget: { fresh: '10s', stale: '1h' } })
    const load = async (value: string): Promise<void> => {
      await here.cache.fetch('k', { tags: ['t'], skip: 'read' }, async () => value)
      here.clock.advance(1000)
    }
    await load('a')
    await here.cache.invalidate(target)
    await load('b')

    expect(here.counts()).toMatchObject({ comparedChanged: 0, comparedSame: 0 })
    await load('b')
    expect(here.counts()).toMatchObject({ comparedChanged: 0, comparedSame: 1 })
  })

  it('is not what was written, for whoever writes tells of it', async () => {
    const here = setUp()
    await here.load('k', 'a')
    await here.cache.set('k', 'b')
    await here.load('k', 'b')
    await here.load('k', 'c')

    expect(here.counts()).toMatchObject({ comparedChanged: 1, comparedSame: 1 })
  })

  it('is the same where the loader says so, or gives the same tag', async () => {
    const here = setUp({ budget: { fresh: '10s', stale: '1h' } })
    const load = async (value: string, etag: string): Promise<void> => {
      await here.cache.fetch('k', { skip: 'read' }, async (said) => {
        said.etag(etag)
        return value
      })
      here.clock.advance(1000)
    }
    await load('one form', '"1"')
    await load('another form', '"1"')

    expect(here.counts()).toMatchObject({ comparedSame: 1 })
  })
})

describe('a route that a cache cannot help', () => {
  const DEMOTE = { adaptive: { demote: 'cache' } } as const

  it('is taken out where nobody reads what is loaded, and goes on trying with few keys', async () => {
    const here = setUp(DEMOTE)
    let key = 0
    const many = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 1) await here.load(`k${(key += 1)}`, at, 500)
    }
    await many(400)
    const [before] = here.cache.engine.adaptive.routes()
    const stored = here.counts().demotedCache
    await many(320)

    expect(before).toMatchObject({ flaw: 'never-reused', reuse: 0 })
    const out = here.counts().demotedCache - stored
    expect(out).toBeGreaterThan(270)
    expect(out).toBeLessThan(320)
  })

  it('comes back when it is read again', async () => {
    const here = setUp(DEMOTE)
    for (let at = 0; at < 400; at += 1) await here.load(`k${at}`, at, 500)
    expect(here.cache.engine.adaptive.routes()[0]?.flaw).toBe('never-reused')
    for (let at = 0; at < 4000 && here.cache.engine.adaptive.routes()[0]?.flaw !== null; at += 1) {
      here.clock.advance(200)
      for (let key = 0; key < 4; key += 1) await here.cache.fetch(`k${(at + key * 7) % 64}`, async () => key)
    }

    expect(here.cache.engine.adaptive.routes()[0]?.flaw).toBeNull()
    await here.cache.fetch('again', async () => 1)
    expect(here.cache.peek('again')).toBe(1)
  })

  it('is left where it is while it is read meanwhile, however often it changes', async () => {
    const here = setUp(DEMOTE)
    for (let at = 0; at < 300; at += 1) {
      await here.load(`k${at % 3}`, at, 4000)
      for (let read = 0; read < 3; read += 1) await here.cache.fetch(`k${at % 3}`, async () => -1)
    }
    const [route] = here.cache.engine.adaptive.routes()

    expect(route?.changed).toBe(route?.compared)
    expect(route?.flaw).toBeNull()
    expect(here.counts().demotedCache).toBe(0)
  })

  it('is named where it changes every time and is hardly read, and stays in without the option', async () => {
    const here = setUp()
    for (let at = 0; at < 400; at += 1) {
      await here.load(`k${at % 3}`, at, 4000)
      if (at % 3 === 0) await here.cache.fetch(`k${at % 3}`, async () => -1)
    }

    expect(here.cache.engine.adaptive.routes()[0]).toMatchObject({ flaw: 'changes-every-time' })
    expect(here.counts().demotedCache).toBe(0)
  })

  it('counts what peek answers for any route, in doubt', async () => {
    const here = setUp({ ...DEMOTE, contexts: { c: '10s' } })
    for (let at = 0; at < 400; at += 1) {
      here.clock.advance(500)
      await here.cache.fetch(`k${at}`, { context: 'c' }, async () => at)
      here.cache.peek(`k${at}`)
    }

    expect(here.cache.engine.adaptive.routes().find(({ route }) => route === 'c')?.flaw).toBeNull()
  })
})
