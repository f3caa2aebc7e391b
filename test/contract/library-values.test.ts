/**
 * The library from outside: what is stored is what was loaded, nobody can change it for the next reader, and it stays
 * within its bytes.
 */
import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/entry/index.ts'
import { createVirtualClock } from '../../src/entry/testing.ts'

const POLICIES = ['freeze', 'clone'] as const

class Money {
  readonly cents = 5
}

const loop: { self?: unknown; n: number } = { n: 1 }
loop.self = loop

describe.each(POLICIES)('library: values under %s', (values) => {
  const data: Record<string, unknown> = {
    undefined: undefined,
    null: null,
    NaN: Number.NaN,
    '-0': -0,
    bigint: 10n,
    'long text': 'ü'.repeat(500),
    'half a surrogate pair': `${'x'.repeat(500)}\ud800`,
    date: new Date(5),
    map: new Map<unknown, unknown>([['a', new Set([1, new Date(0)])]]),
    cyclic: loop,
    'own __proto__': JSON.parse('{"__proto__":{"admin":true}}'),
    sparse: Array.from({ length: 3 }, (_, i) => i).concat(Array(2)),
    bytes: Buffer.from('hello'),
    'typed array': new Float64Array([1.5, Number.NaN]),
    'bytes inside': { avatar: Buffer.from('hello'), grid: new Int16Array([1, 2]) },
    regexp: /a/g,
    error: new RangeError('e'),
    'class instance': { price: new Money() },
    large: Array.from({ length: 20_000 }, (_, i) => ({ i, text: `row ${i}` })),
  }
  it.each(Object.keys(data))('%s: every reader gets what was loaded', async (name) => {
    const cache = createCache({ values })
    const first = await cache.fetch('k', () => data[name])
    for (const got of [first.data, cache.peek('k'), (await cache.get('k'))?.data]) {
      expect(got).toEqual(data[name])
      expect(Object.is(got, -0)).toBe(name === '-0')
    }
  })

  it('no reader can change what the next one gets', async () => {
    const cache = createCache({ values })
    interface Held {
      list: number[]
      map: Map<string, number>
      set: Set<number>
      date: Date
      bytes: Uint8Array
      grid: Float64Array
    }
    const make = (): Held => ({
      list: [1],
      map: new Map([['a', 1]]),
      set: new Set([1]),
      date: new Date(0),
      bytes: Buffer.from('abc'),
      grid: new Float64Array([1, 2]),
    })
    await cache.set('bytes and all', make())
    const { bytes: _, grid: __, ...plain } = make()
    await cache.set('plain', plain)
    const tries: ((held: Held) => unknown)[] = [
      (held) => held.list.push(2),
      (held) => held.map.set('a', 2),
      (held) => held.map.clear(),
      (held) => held.set.add(9),
      (held) => held.date.setTime(9),
      (held) => held.bytes?.fill(0),
      (held) => held.grid?.fill(0),
    ]
    for (const change of tries) {
      for (const key of ['plain', 'bytes and all']) {
        try {
          change(cache.peek<Held>(key) as Held)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
      }
    }
    expect(cache.peek('bytes and all')).toEqual(make())
    expect(cache.peek('plain')).toEqual(plain)
  })

  it('texts that differ only in half a surrogate pair stay two', async () => {
    const cache = createCache({ values })
    const [a, b] = [`${'x'.repeat(300)}\ud800`, `${'x'.repeat(300)}\ud801`]
    await cache.set('a', a)
    await cache.set('b', b)
    expect(cache.peek('a') === a).toBe(true)
    expect(cache.peek('b') === b).toBe(true)
  })

  it.each<[string, () => unknown]>([
    ['functions', () => ({ run: () => 1 })],
    ['symbols', () => Symbol('s')],
    ['promises', () => ({ later: Promise.resolve(1) })],
    [
      'getters that throw',
      () =>
        Object.defineProperty({}, 'x', {
          enumerable: true,
          get: () => {
            throw new Error('boom')
          },
        }),
    ],
    [
      'proxies that throw',
      () =>
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('boom')
            },
          },
        ),
    ],
    ['responses, whose copy would be empty', () => new Response('x')],
    ['URLs, whose copy would be empty', () => new URL('http://a/')],
  ])('%s are answered as they are and not stored', async (_, make) => {
    const cache = createCache({ values })
    const value = make()
    expect((await cache.fetch('direct', () => value)).data === value).toBe(true)
    expect(cache.peek('direct')).toBeUndefined()
    expect(await cache.set('direct', value)).toBe(false)
  })
})

describe('library: values by reference', () => {
  it('keeps an answer out that cannot be weighed, and gives it all the same', async () => {
    const cache = createCache({ values: 'reference' })
    const value = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('boom')
      },
    })
    expect((await cache.fetch('k', () => value)).data === value).toBe(true)
  })
})

describe('library: keys that are written out with their namespace', () => {
  it('belong to it once it is declared: invalidated and bumped with it, loads under way included', async () => {
    const cache = createCache()
    const quotes = cache.namespace('quote', { version: 2 })
    for (const invalidate of [() => cache.invalidate({ namespaces: ['quote'] }), async () => quotes.bump()]) {
      const reading = cache.begin('quote:v2:late')
      await cache.set('quote:v2:a', 1)
      await cache.fetch('quote:v2:b', () => 2)
      await cache.set('quotes:v2:c', 3)
      await cache.set('other:v1:d', 4)
      await invalidate()
      expect(reading.keep('old')).toBe('fenced')
      expect(['quote:v2:a', 'quote:v2:b', 'quotes:v2:c', 'other:v1:d'].map((key) => cache.peek(key))).toEqual([
        undefined,
        undefined,
        3,
        4,
      ])
    }
  })
})

describe('library: bytes', () => {
  it.each(['s3-fifo', 'lru', 'w-tinylfu'] as const)(
    '%s: never beyond maxBytes under churn, and gives back all of it',
    async (policy) => {
      const clock = createVirtualClock()
      const cache = createCache({ clock, memory: { maxBytes: '64KiB', policy } })
      let seed = 7
      const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
      for (let i = 0; i < 5000; i += 1) {
        const key = `key ${random(200)}`
        const tags = Array.from({ length: random(4) }, () => `tag:${random(20)}`)
        await cache.set(key, 'v'.repeat(random(9000)) + (random(3) === 0 ? '' : String(i)), { tags, budget: 1 + random(50) })
        if (random(10) === 0) cache.peek(`key ${random(200)}`)
        if (random(40) === 0) await cache.invalidate({ tags: [`tag:${random(20)}`], soft: random(2) === 0 })
        if (random(60) === 0) clock.advance(random(40))
        expect(cache.stats().bytes).toBeLessThanOrEqual(65_536)
      }
      expect(cache.stats().entries).toBeGreaterThan(0)
      await cache.close()
      expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0 })
    },
  )

  it('refuses one entry above its limit and leaves nothing older in its place', async () => {
    const cache = createCache({ memory: { maxBytes: '1MiB', maxEntryBytes: '10KiB' } })
    await cache.set('k', 'old')
    expect(await cache.set('k', 'x'.repeat(20_000))).toBe(false)
    expect(cache.peek('k')).toBeUndefined()
    expect((await cache.fetch('k', () => 'y'.repeat(20_000))).data).toHaveLength(20_000)
  })

  it('stores 100 prices that are equal in three tiers at most 1.35 times as large as one tier', async () => {
    const fill = async (tiers: number): Promise<number> => {
      const cache = createCache()
      for (let tier = 0; tier < tiers; tier += 1) {
        for (let product = 0; product < 100; product += 1) {
          await cache.set(`price:${product}:${tier}`, { product, price: 100, text: `${product} `.repeat(600) })
        }
      }
      return cache.stats().bytes
    }
    expect((await fill(3)) / (await fill(1))).toBeLessThanOrEqual(1.35)
  })

  it('survives listeners that write, read and close while entries are removed', async () => {
    const cache = createCache({ memory: { maxBytes: '64KiB' } })
    let writes = 0
    cache.on('memory:remove', ({ key }) => {
      cache.peek(key)
      if (writes++ < 100) void cache.set(`extra ${writes}`, 'y'.repeat(3000))
      if (writes === 150) void cache.close()
    })
    for (let i = 0; i < 400; i += 1) {
      await cache.set(`k${i}`, `${'z'.repeat(2000)}${i}`)
      expect(cache.stats().bytes).toBeLessThanOrEqual(65_536)
    }
    expect(cache.stats().entries).toBe(0)
  })
})
