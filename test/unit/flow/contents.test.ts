/** Contents in the cache: shared with the library, fenced like everything else, codings attached behind the write. */
import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/flow/cache.ts'
import type { Content } from '../../../src/flow/content.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import { Contents, type Encode, type Place } from '../../../src/flow/contents.ts'
import type { LinkReceiver } from '../../../src/model/link.ts'
import { createRandom } from '../../../src/model/random.ts'
import { createVirtualClock, type VirtualClock } from '../../../src/model/virtual-clock.ts'

type Codings = ReadonlyMap<string, Uint8Array>
interface Stage {
  readonly clock: VirtualClock
  readonly cache: Cache
  readonly contents: Contents
  /** Codings under way: bodies, and how to end them. */
  readonly encoding: { readonly body: Uint8Array; end(codings?: Codings): Promise<void> }[]
}

const MINUTE = { freshMs: 60_000, staleMs: 60_000, onErrorMs: 60_000 }
const text = (given: string, budget = MINUTE, tags: readonly string[] = []) => {
  return { type: 'text/plain', body: Buffer.from(given), budget, tags }
}

function setStage(options: CacheOptions = {}): Stage {
  const clock = createVirtualClock()
  const cache = createCache({ clock, ...options })
  const encoding: Stage['encoding'] = []
  const encode: Encode = (body) =>
    new Promise((resolve) => {
      encoding.push({
        body,
        async end(codings = new Map([['gzip', Buffer.concat([Buffer.from('gz:'), body])]])) {
          resolve(codings)
          for (let i = 0; i < 5; i += 1) await undefined
        },
      })
    })
  return { clock, cache, contents: new Contents({ cache, encode, route: 'cache-api', maxNamespaces: 3 }), encoding }
}

function read({ contents }: Stage, place: Place): string | undefined {
  const found = contents.find(place)
  return found && Buffer.from(found.content.body).toString()
}

const K: Place = { key: 'k', namespace: 0 }

describe('contents: one entry with the library', () => {
  it('gives the library what a door wrote: parsed JSON, text, bytes', async () => {
    const { cache, contents } = setStage()
    contents.put({ key: 'j', namespace: 0 }, { ...text('{"a":1}'), type: 'application/json' })
    contents.put({ key: 't', namespace: 0 }, text('hallo'))
    contents.put({ key: 'b', namespace: 0 }, { ...text('x'), type: 'image/png' })

    expect((await cache.get('j'))?.data).toEqual({ a: 1 })
    expect(cache.peek('t')).toBe('hallo')
    expect(cache.peek('b')).toEqual(Uint8Array.of(0x78))
    expect(await cache.fetch('j', () => 'loaded')).toMatchObject({ data: { a: 1 }, cached: true })
  })

  it.each(['clone', 'reference'] as const)('gives each reader a value of its own under %s', async (values) => {
    const { cache, contents } = setStage({ values })
    contents.put(K, { ...text('{"a":1}'), type: 'application/json' })
    const first = cache.peek<{ a: number }>('k') as { a: number }
    first.a = 2

    expect(cache.peek('k')).toEqual({ a: 1 })
  })

  it('gives a door what the library wrote', async () => {
    const stage = setStage()
    await stage.cache.set('k', { a: 1 })

    expect(read(stage, K)).toBe('{"a":1}')
    await stage.cache.fetch('loaded', ({ etag }) => (etag('v1'), 'text'))
    expect(read(stage, { key: 'loaded', namespace: 0 })).toBe('text')
  })

  it('shares namespaces and their versions', async () => {
    const stage = setStage()
    const shop = stage.cache.namespace('shop')
    stage.contents.put(stage.contents.claim('shop', 'k'), text('1'))

    expect(shop.peek('k')).toBe('1')
    shop.bump()
    expect(shop.peek('k')).toBeUndefined()
    expect(read(stage, stage.contents.locate('shop', 'k') as Place)).toBeUndefined()
  })

  it('declares namespaces for writes alone, up to a bound', () => {
    const { cache, contents } = setStage()

    expect(contents.locate('a', 'k')).toBeUndefined()
    expect(cache.versions.size).toBe(0)
    for (const name of ['a', 'b', 'c', 'a']) contents.claim(name, 'k')
    expect(() => contents.claim('d', 'k')).toThrow(expect.objectContaining({ code: 'FC_CACHE_NAMESPACES', status: 507 }))
    expect(contents.locate('d', 'k')).toBeUndefined()
  })

  it('leaves the keys of the HTTP door alone', async () => {
    const stage = setStage()
    const url = { key: 'http://shop/a', namespace: 0 }
    await stage.cache.set(url.key, 'a response')

    expect(read(stage, url)).toBeUndefined()
    expect(() => stage.contents.put(url, text('x'))).toThrow(expect.objectContaining({ code: 'FC_CACHE_KEY', status: 400 }))
    expect(() => stage.contents.delete([K, url])).toThrow(/belongs to the gateway/)
    expect((await stage.cache.get(url.key))?.data).toBe('a response')
  })

  it('stores equal bodies once', () => {
    const { cache, contents } = setStage()
    contents.put({ key: 'a', namespace: 0 }, text('x'.repeat(10_000)))
    const before = cache.engine.memory.bytes
    contents.put({ key: 'b', namespace: 0 }, text('x'.repeat(10_000)))

    expect(cache.engine.memory.bytes - before).toBeLessThan(1000)
  })
})

describe('contents: budgets', () => {
  it('is fresh, stale, in reserve, gone', () => {
    const stage = setStage()
    stage.contents.put(K, text('x', { freshMs: 100, staleMs: 200, onErrorMs: 300 }))
    const states = [0, 99, 100, 199, 200, 299, 300].map((at, i, all) => {
      stage.clock.advance(at - (all[i - 1] ?? 0))
      return stage.contents.find(K)?.state
    })

    expect(states).toEqual(['fresh', 'fresh', 'stale', 'stale', 'reserve', 'reserve', undefined])
  })

  it('refuses what memory cannot hold, and leaves nothing', () => {
    const stage = setStage({ memory: { maxBytes: 100_000, maxEntryBytes: 5000 } })
    stage.contents.put(K, text('small'))

    expect(() => stage.contents.put(K, text('x'.repeat(20_000)))).toThrow(expect.objectContaining({ status: 507 }))
    expect(read(stage, K)).toBeUndefined()
  })

  it('refuses to write while the shared log is out of sight', () => {
    const { cache, contents } = setStage()
    let receiver: LinkReceiver | undefined
    const settled = { sequence: 1, expected: 1, acknowledged: 1, matched: 0 }
    cache.engine.join({
      generation: 'g',
      start: (given) => {
        receiver = given
        return 0
      },
      publish: () => Promise.resolve(settled),
    })
    receiver?.blind()

    expect(() => contents.put(K, text('x'))).toThrow(expect.objectContaining({ code: 'FC_CACHE_BLIND', status: 503 }))
    receiver?.see()
    contents.put(K, text('y'))
    expect(cache.peek('k')).toBe('y')
  })

  it('refuses to write into a closed cache', async () => {
    const { cache, contents } = setStage()
    await cache.close()

    expect(() => contents.put(K, text('x'))).toThrow(expect.objectContaining({ code: 'FC_CACHE_CLOSED' }))
  })
})

describe('contents: codings behind the write', () => {
  it('attaches them to what still stands, with the same age, and counts their bytes', async () => {
    const stage = setStage()
    stage.contents.put(K, text('x'.repeat(500)))
    const before = stage.cache.engine.memory.bytes
    stage.clock.advance(1000)
    await stage.encoding[0]?.end()
    const found = stage.contents.find(K)

    expect(found).toMatchObject({ ageMs: 1000, state: 'fresh' })
    expect(found?.content.coded.map((form) => form.coding)).toEqual(['gzip'])
    expect(stage.cache.engine.memory.bytes).toBeGreaterThan(before + 500)
  })

  it.each([
    ['another write', ({ contents }: Stage) => contents.put(K, text('new'))],
    ['the same bytes written anew', ({ contents }: Stage) => contents.put(K, text('old'))],
    ['a deletion', ({ contents }: Stage) => contents.delete([K])],
    ['a tag', ({ cache }: Stage) => cache.invalidate({ tags: ['t'] })],
    ['a prefix', ({ cache }: Stage) => cache.invalidate({ prefixes: ['k'] })],
    ['everything', ({ cache }: Stage) => cache.invalidate({ all: true })],
    ['the library', ({ cache }: Stage) => cache.set('k', 'lib')],
    ['time', ({ clock }: Stage) => clock.advance(120_000)],
    ['the end', ({ cache }: Stage) => cache.close()],
  ])('does not attach them after %s', async (_, act) => {
    const stage = setStage()
    stage.contents.put(K, text('old', MINUTE, ['t']))
    await act(stage)
    const before = read(stage, K)
    await stage.encoding[0]?.end()

    expect(read(stage, K)).toBe(before)
    expect(stage.contents.find(K)?.content.coded ?? []).toEqual([])
  })

  it('makes them once, at the write, and none when it is read', async () => {
    const stage = setStage()
    stage.contents.put(K, text('x'))
    await stage.encoding[0]?.end()
    for (let i = 0; i < 100; i += 1) stage.contents.choices.choose(stage.contents.find(K)?.content as Content, 'gzip, br')

    expect(stage.encoding).toHaveLength(1)
  })

  it('keeps a soft invalidation soft', async () => {
    const stage = setStage()
    stage.contents.put(K, text('x', { freshMs: 1000, staleMs: 2000, onErrorMs: 2000 }, ['t']))
    await stage.cache.invalidate({ tags: ['t'], soft: true })
    await stage.encoding[0]?.end()

    expect(stage.contents.find(K)).toMatchObject({ state: 'stale', content: { coded: [{ coding: 'gzip' }] } })
  })

  it('leaves the value where it is when its codings find no room', async () => {
    const stage = setStage({ memory: { maxBytes: 100_000, maxEntryBytes: 5000 } })
    stage.contents.put(K, text('x'.repeat(2000)))
    await stage.encoding[0]?.end(new Map([['gzip', Buffer.alloc(4000)]]))

    expect(read(stage, K)).toBe('x'.repeat(2000))
    expect(stage.contents.find(K)?.content.coded).toEqual([])
  })
})

describe('contents: random histories of writers, invalidations and codings', () => {
  const seeds = Array.from({ length: 200 }, (_, i) => 9001 + i)

  it(`reads what was written last and nothing else, seeds ${seeds[0]} to ${seeds.at(-1)}`, async () => {
    for (const seed of seeds) await runHistory(seed)
  })
})

/** Random steps against a model of one value per key; what is read must be the model's, in every coding. */
async function runHistory(seed: number): Promise<void> {
  const random = createRandom(seed)
  const pick = (below: number): number => Math.floor(random() * below)
  const stage = setStage()
  const { cache, contents } = stage
  const model = new Map<string, string>()
  const tags = new Map<string, string>()
  let version = 0
  for (let step = 0; step < 120; step += 1) {
    const key = `k${pick(3)}`
    const place = { key, namespace: 0 }
    switch (pick(8)) {
      case 0:
      case 1: {
        version += 1
        const tag = `t${pick(2)}`
        contents.put(place, text(`v${version}`, MINUTE, [tag]))
        model.set(key, `v${version}`)
        tags.set(key, tag)
        break
      }
      case 2:
        await contents.delete([place])
        model.delete(key)
        break
      case 3: {
        const tag = `t${pick(2)}`
        await cache.invalidate({ tags: [tag] })
        for (const [name, own] of tags) if (own === tag) model.delete(name)
        break
      }
      case 4:
        version += 1
        await cache.set(key, `v${version}`)
        model.set(key, `v${version}`)
        tags.delete(key)
        break
      case 5:
        await cache.invalidate({ prefixes: [key] })
        model.delete(key)
        break
      default: {
        const at = pick(stage.encoding.length + 1)
        await stage.encoding[at]?.end()
        stage.encoding.splice(at, 1)
      }
    }
    for (const name of ['k0', 'k1', 'k2']) {
      const found = contents.find({ key: name, namespace: 0 })
      const why = `seed ${seed}, step ${step}, ${name}`
      expect(found && Buffer.from(found.content.body).toString(), why).toBe(model.get(name))
      for (const form of found?.content.coded ?? []) expect(Buffer.from(form.body).toString(), why).toBe(`gz:${model.get(name)}`)
      expect(cache.peek(name), why).toBe(model.get(name))
    }
  }
}
