import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/flow/cache.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

function setup(options: CacheOptions = {}) {
  const clock = createVirtualClock()
  return { clock, cache: createCache({ clock, ...options }) }
}

describe('cache: invalidation', () => {
  it('reaches every entry of a tag at once and leaves the others', async () => {
    // Arrange: 47 keys reference one user
    const { cache } = setup()
    for (let i = 0; i < 47; i += 1) await cache.set(`page:${i}`, i, { tags: ['user:7', `page:${i}`] })
    await cache.set('other', 1, { tags: ['user:8'] })

    // Act
    const result = await cache.invalidate({ tags: ['user:7'] })

    // Assert
    expect(result.matched).toBe(47)
    expect(result.nodes).toEqual({ expected: 1, acknowledged: 1 })
    expect(Array.from({ length: 47 }, (_, i) => cache.peek(`page:${i}`)).every((one) => one === undefined)).toBe(true)
    expect(cache.peek('other')).toBe(1)
  })

  it('maps events to tags by convention and by rule', async () => {
    const { cache } = setup({ events: { 'order.paid': ['order:{id}', 'cart:{users}', 'sales'] } })
    await cache.set('user', 1, { tags: ['user:7'] })
    await cache.set('cart', 1, { tags: ['cart:b'] })
    expect((await cache.invalidate({ events: [{ type: 'user.updated', id: 7 }] })).matched).toBe(1)
    expect((await cache.invalidate({ events: [{ type: 'order.paid', id: 1, users: ['a', 'b'] }] })).matched).toBe(1)
    await expect(cache.invalidate({ events: [{ type: 'user.updated' }] })).rejects.toMatchObject({ code: 'FC_EVENT_UNKNOWN' })
    await expect(cache.invalidate({ events: [{ type: 'order.paid', id: 1 }] })).rejects.toMatchObject({ code: 'FC_OPTION_VALUE' })
  })

  it('makes entries stale instead of gone when it is soft', async () => {
    const { cache } = setup()
    const budget = { fresh: 100, stale: 200 }
    let n = 0
    const load = (): number => (n += 1)
    for (const target of [{ keys: ['k'] }, { tags: ['t'] }, { prefixes: ['k'] }, { all: true }]) {
      await cache.fetch('k', { budget, tags: ['t'] }, load)
      const before = n
      await cache.invalidate({ ...target, soft: true })
      expect(await cache.fetch('k', { budget, tags: ['t'] }, load)).toMatchObject({ data: before, stale: true })
      await settle()
      expect(await cache.fetch('k', { budget, tags: ['t'] }, load)).toMatchObject({ data: before + 1, stale: false })
    }
  })

  it('only counts when it is a dry run', async () => {
    const { cache } = setup()
    await cache.set('a1', 1)
    await cache.set('a2', 1)
    const { matched, token } = await cache.invalidate({ prefixes: ['a'], dryRun: true })
    expect([matched, token, cache.peek('a1')]).toEqual([2, cache.stats().token, 1])
  })

  it('gives a growing version token', async () => {
    const { cache } = setup()
    const position = async (): Promise<number> => Number((await cache.invalidate({ tags: ['t'] })).token.split('.')[1])
    expect([await position(), await position()]).toEqual([1, 2])
  })

  it('changes nothing when one of its targets is bad', async () => {
    const { cache } = setup()
    await cache.set('k', 1)
    await expect(cache.invalidate({ keys: ['k'], tags: ['two words'] })).rejects.toMatchObject({ code: 'FC_TAG_TYPE' })
    await expect(cache.invalidate({ key: 'k' } as never)).rejects.toMatchObject({ code: 'FC_OPTION_UNKNOWN' })
    await expect(cache.invalidate({ keys: 'k' } as never)).rejects.toMatchObject({ code: 'FC_OPTION_TYPE' })
    expect(cache.peek('k')).toBe(1)
  })

  it("does not store fills that began within the origin's lag after it", async () => {
    const { clock, cache } = setup({ originLag: 50 })
    clock.advance(1000)
    await cache.invalidate({ tags: ['t'] })
    clock.advance(49)
    await cache.fetch('k', { tags: ['t'] }, () => 'from a replica')
    expect(cache.peek('k')).toBeUndefined()
    clock.advance(2)
    await cache.fetch('k', { tags: ['t'] }, () => 'caught up')
    expect(cache.peek('k')).toBe('caught up')
  })
})

describe('cache: namespaces', () => {
  it('keep equal keys apart', async () => {
    const { cache } = setup()
    const [a, b] = [cache.namespace('a'), cache.namespace('b')]
    await a.set('k', 'A')
    await b.set('k', 'B')
    expect([a.peek('k'), b.peek('k'), cache.peek('k')]).toEqual(['A', 'B', undefined])
    await cache.invalidate({ namespaces: ['a'] })
    expect([a.peek('k'), b.peek('k')]).toEqual([undefined, 'B'])
  })

  it('become irrelevant as a whole when their version is bumped, loads under way included', async () => {
    const { clock, cache } = setup()
    const quote = cache.namespace('quote', { version: 2 })
    await quote.set('x', 1)
    const slow = quote.fetch('y', () => new Promise((resolve) => void clock.after(10, () => resolve('old'))))
    expect(quote.bump()).toBe(3)
    await clock.advanceAsync(10)
    expect((await slow).data).toBe('old')
    expect([quote.peek('x'), quote.peek('y'), cache.peek('quote:v2:y'), cache.peek('quote:v2:x')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    await quote.set('x', 2)
    expect(cache.peek('quote:v3:x')).toBe(2)
  })

  it('refuse names that could be mistaken for another key', () => {
    const { cache } = setup()
    for (const name of ['', 'a:b', 'a b', 'ä', 'x'.repeat(129)]) expect(() => cache.namespace(name)).toThrow('FC_OPTION_VALUE')
    expect(() => cache.bump()).toThrow('FC_OPTION_VALUE')
  })
})

describe('cache: writes', () => {
  it('supersede a load under way, whose answer then is not kept', async () => {
    const { clock, cache } = setup()
    const slow = cache.fetch('k', () => new Promise((resolve) => void clock.after(10, () => resolve('loaded'))))
    await cache.set('k', 'written')
    await clock.advanceAsync(10)
    expect((await slow).data).toBe('loaded')
    expect(cache.peek('k')).toBe('written')
  })

  it('end when a known end time says so', async () => {
    const { clock, cache } = setup()
    await cache.set('promo', 1, { budget: '1h', end: new Date(clock.wall() + 500) })
    clock.advance(499)
    expect(await cache.get('promo')).toMatchObject({ data: 1 })
    clock.advance(1)
    expect(await cache.get('promo')).toBeUndefined()
    await expect(cache.set('promo', 1, { end: new Date('never') })).rejects.toMatchObject({ code: 'FC_OPTION_TYPE' })
  })

  it('by hand are judged by the fence as of their beginning', async () => {
    const { cache } = setup()
    const early = cache.begin('k')
    await cache.invalidate({ tags: ['t'] })
    expect(early.keep('old', { tags: ['t'] })).toBe('fenced')
    expect(cache.begin('k').keep('new', { tags: ['t'] })).toBe('kept')
    expect(cache.peek('k')).toBe('new')
  })

  it('are refused clearly with a bad key', async () => {
    const { cache } = setup()
    for (const key of ['', 7, undefined, 'x'.repeat(20_000)]) {
      await expect(cache.set(key as string, 1)).rejects.toMatchObject({ code: 'FC_KEY_TYPE' })
      await expect(cache.fetch(key as string, () => 1)).rejects.toMatchObject({ code: 'FC_KEY_TYPE' })
    }
  })

  it('stop when the cache is closed, and waiting callers are answered', async () => {
    const { clock, cache } = setup()
    const slow = cache.fetch('k', () => new Promise((resolve) => void clock.after(10, () => resolve('late'))))
    await cache.close()
    await clock.advanceAsync(10)
    expect((await slow).data).toBe('late')
    await expect(cache.fetch('k', () => 1)).rejects.toMatchObject({ code: 'FC_CACHE_CLOSED' })
    expect(clock.pending).toBe(0)
  })
})

describe('cache: values', () => {
  it('frozen: one copy made when stored, the same for all, and nobody can change it', async () => {
    const { cache } = setup()
    const mine = { list: [1], nested: { a: new Map([['x', { y: 1 }]]) } }
    const first = await cache.fetch('k', () => mine)
    mine.list.push(2)
    expect(first.data.list).toEqual([1])
    expect(() => first.data.list.push(3)).toThrow(TypeError)
    expect(() => Object.assign(first.data.nested.a.get('x') as object, { y: 2 })).toThrow(TypeError)
    expect(cache.peek('k')).toBe((await cache.fetch('k', () => mine)).data)
    mine.list.push(4)
    expect(Object.isFrozen(mine)).toBe(false)
  })

  it('cloned: every reader gets his own', async () => {
    const { cache } = setup({ values: 'clone' })
    await cache.fetch('k', () => ({ list: [1] }))
    const one = cache.peek<{ list: number[] }>('k')
    one?.list.push(2)
    expect(cache.peek('k')).toEqual({ list: [1] })
    const bytes = Buffer.from('abc')
    await cache.set('b', bytes)
    cache.peek<Buffer>('b')?.write('x')
    expect(String(cache.peek('b'))).toBe('abc')
  })

  it('by reference: what was given', async () => {
    const { cache } = setup({ values: 'reference' })
    const value = { call: () => 1 }
    expect((await cache.fetch('k', () => value)).data).toBe(value)
    expect(cache.peek('k')).toBe(value)
  })

  it('copies bytes when stored, so that their owner may go on using his buffer', async () => {
    const { cache } = setup()
    const bytes = Buffer.from('abc')
    await cache.set('k', bytes)
    bytes.write('xyz')
    expect(String(cache.peek('k'))).toBe('abc')
  })

  it('answers what cannot be copied and does not store it', async () => {
    const { cache } = setup()
    const refused: string[] = []
    cache.on('keep:refuse', ({ reason }) => refused.push(reason))
    const result = await cache.fetch('k', () => ({ call: () => 1 }))
    expect(result.data.call()).toBe(1)
    expect([cache.peek('k'), refused]).toEqual([undefined, ['clone']])
  })

  for (const [what, body] of [
    ['text', 'x'.repeat(20_000)],
    ['bytes', Buffer.alloc(20_000, 1)],
    ['objects', { prices: Array.from({ length: 2000 }, (_, i) => i * 1000) }],
  ] as const) {
    it(`stores equal ${what} of three tiers at most 1.35 times as large as one`, async () => {
      const { cache } = setup()
      await cache.set('tier:free', body)
      const one = cache.stats().bytes
      await cache.set('tier:premium', structuredClone(body))
      await cache.set('tier:admin', structuredClone(body))
      expect(cache.stats().bytes / one).toBeLessThanOrEqual(1.35)
      expect(cache.peek('tier:free')).toBe(cache.peek('tier:admin'))
      await cache.delete('tier:free')
      await cache.delete('tier:premium')
      expect(cache.peek('tier:admin')).toEqual(body)
    })
  }
})

describe('cache: watching it', () => {
  it('tells listeners and diagnostics channels what happens, and a listener that throws is not felt', async () => {
    const { cache } = setup()
    const heard: string[] = []
    cache.on('keep:store', () => {
      throw new Error('listener')
    })
    const stop = cache.on('keep:store', ({ key }) => heard.push(`store ${key}`))
    cache.on('fence:append', ({ source }) => heard.push(source))
    const onChannel = (message: unknown): void => void heard.push(`channel ${(message as { key: string }).key}`)
    subscribe('forecache:keep:store', onChannel)
    await cache.fetch('k', () => 1)
    stop()
    unsubscribe('forecache:keep:store', onChannel)
    await cache.fetch('m', () => 1)
    await cache.invalidate({ tags: ['t'], source: 'me' })
    expect(heard).toEqual(['store k', 'channel k', 'me'])
  })

  it('counts hits, peeks included', async () => {
    const { cache } = setup()
    await cache.fetch('k', () => 1)
    await cache.fetch('k', () => 1)
    cache.peek('k')
    const { counts, entries, rates } = cache.stats()
    expect([counts.hits, counts.misses, counts.originRequests, entries]).toEqual([2, 1, 1, 1])
    expect(rates.hit).toBeCloseTo(2 / 3)
    expect(cache.stats().counts.hits).toBe(2)
  })
})

describe('cache: options', () => {
  const bad: [unknown, string, string][] = [
    [{ memroy: {} }, 'FC_OPTION_UNKNOWN', 'cache.memroy'],
    [{ memory: { maxByte: 1 } }, 'FC_OPTION_UNKNOWN', 'cache.memory.maxByte'],
    [{ memory: { maxBytes: 'lots' } }, 'FC_OPTION_VALUE', 'cache.memory.maxBytes'],
    [{ budget: { fresh: 10, stale: 5 } }, 'FC_OPTION_VALUE', 'cache.budget'],
    [{ contexts: { a: { fresh: '1s', stael: '2s' } } }, 'FC_OPTION_VALUE', 'cache.contexts.a'],
    [{ jitter: 2 }, 'FC_OPTION_RANGE', 'cache.jitter'],
    [{ values: 'copy' }, 'FC_OPTION_TYPE', 'cache.values'],
    [{ deadlines: { hard: -1 } }, 'FC_OPTION_VALUE', 'cache.deadlines.hard'],
    [7, 'FC_OPTION_TYPE', 'cache'],
  ]
  for (const [given, code, name] of bad) {
    it(`refuses ${JSON.stringify(given)} and names ${name}`, () => {
      let error: { code?: string; message?: string } = {}
      try {
        createCache(given as CacheOptions)
      } catch (caught) {
        error = caught as typeof error
      }
      expect(error.code).toBe(code)
      expect(error.message).toContain(name)
    })
  }

  it('refuses bad options of a call', async () => {
    const { cache }: { cache: Cache } = setup()
    for (const options of [{ ttl: 5 }, { skip: 'all' }, { budget: '5 lightyears' }, { tags: [''] }, { jitter: 3 }]) {
      await expect(
        cache.fetch('k', options as never, () => 1),
        JSON.stringify(options),
      ).rejects.toMatchObject({ name: 'ForecacheError' })
    }
    await expect(cache.fetch('k', {} as never)).rejects.toMatchObject({ code: 'FC_OPTION_TYPE' })
  })
})
