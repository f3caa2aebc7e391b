import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import type { LoadContext } from '../../../src/flow/loader.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

function setup(options: CacheOptions = {}) {
  const clock = createVirtualClock()
  const cache = createCache({ clock, random: () => 0, ...options })
  let calls = 0
  const load = async (): Promise<string> => `v${++calls}`
  const later =
    (ms: number, value: () => unknown = () => `v${++calls}`) =>
    () =>
      new Promise<unknown>((resolve, reject) => {
        clock.after(ms, () => {
          try {
            resolve(value())
          } catch (error) {
            reject(error as Error)
          }
        })
      })
  return { clock, cache, load, later, calls: () => calls }
}

const BUDGET = { fresh: 100, stale: 200, onError: 300 }
const down = (): never => {
  throw new Error('down')
}

describe('fetch: one caller', () => {
  it('loads once and then answers from memory until the fresh window ends', async () => {
    const { clock, cache, load } = setup()
    expect(await cache.fetch('k', { budget: 100 }, load)).toMatchObject({ data: 'v1', cached: false, stale: false })
    clock.advance(99)
    expect(await cache.fetch('k', { budget: 100 }, load)).toMatchObject({ data: 'v1', cached: true, stale: false, ageMs: 99 })
    clock.advance(1)
    expect(await cache.fetch('k', { budget: 100 }, load)).toMatchObject({ data: 'v2', cached: false })
  })

  it('counts the budget from when the reading began, not from when the answer came', async () => {
    const { clock, cache, later } = setup()
    const answer = cache.fetch('k', { budget: 100 }, later(60))
    await clock.advanceAsync(60)
    expect((await answer).ageMs).toBe(60)
    clock.advance(40)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('takes 60 s when nobody names a budget, and a context its declared one', async () => {
    const { clock, cache, load } = setup({ contexts: { quote: '10s' } })
    await cache.fetch('plain', load)
    await cache.fetch('profile', { context: 'user:profile' }, load)
    await cache.fetch('quote', { context: 'quote' }, load)
    clock.advance(9_999)
    expect(await cache.get('quote')).toBeDefined()
    clock.advance(1)
    expect(await cache.get('quote')).toBeUndefined()
    clock.advance(20_000)
    expect(await cache.get('profile')).toBeUndefined()
    expect(await cache.get('plain')).toBeDefined()
    clock.advance(30_000)
    expect(await cache.get('plain')).toBeUndefined()
    await expect(cache.fetch('x', { context: 'nope' }, load)).rejects.toMatchObject({ code: 'FC_OPTION_VALUE' })
  })

  it('never gives a caller what is older than the budget that caller named', async () => {
    const { clock, cache, load } = setup()
    await cache.fetch('k', { budget: '10m' }, load)
    clock.advance(31_000)
    expect(await cache.fetch('k', { budget: '30s' }, load)).toMatchObject({ data: 'v2', cached: false })
    expect(await cache.fetch('k', { budget: '10m' }, load)).toMatchObject({ data: 'v2', cached: true })
  })

  it('shortens fresh windows at random by the jitter', async () => {
    const { clock, cache, load } = setup({ jitter: 0.5, random: () => 0.5 })
    await cache.fetch('k', { budget: 100 }, load)
    clock.advance(74)
    expect(await cache.get('k')).toBeDefined()
    clock.advance(1)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('goes round the cache when told to: read, write, both', async () => {
    const { cache, load } = setup()
    await cache.fetch('k', load)
    expect((await cache.fetch('k', { skip: 'both' }, load)).data).toBe('v2')
    expect((await cache.fetch('k', load)).data).toBe('v1')
    expect((await cache.fetch('k', { skip: 'read' }, load)).data).toBe('v3')
    expect((await cache.fetch('k', load)).data).toBe('v3')
    expect((await cache.fetch('n', { skip: 'write' }, load)).data).toBe('v4')
    expect(await cache.get('n')).toBeUndefined()
  })

  it('stores "nothing there" for the negative budget, and not at all when told so', async () => {
    const { clock, cache } = setup({ negative: 50 })
    let calls = 0
    const nothing = async (): Promise<null> => {
      calls += 1
      return null
    }
    await cache.fetch('k', nothing)
    expect(await cache.fetch('k', nothing)).toMatchObject({ data: null, cached: true })
    clock.advance(50)
    await cache.fetch('k', nothing)
    expect(calls).toBe(2)
    await cache.fetch('m', { negative: false }, nothing)
    await cache.fetch('m', { negative: false }, nothing)
    expect(calls).toBe(4)
  })
})

describe('fetch: what a loader may say', () => {
  it('sets its own budget, end time and tags, and keeps an answer out', async () => {
    const { clock, cache } = setup()
    await cache.fetch('b', (context) => {
      context.setBudget({ fresh: 10, stale: 20 })
      return 1
    })
    await cache.fetch('e', (context) => {
      context.setEnd(new Date(clock.wall() + 15))
      return 1
    })
    await cache.fetch('t', (context) => {
      context.tag('user:7')
      return 1
    })
    await cache.fetch('s', (context) => {
      context.skip()
      return 1
    })
    expect(await cache.get('s')).toBeUndefined()
    clock.advance(15)
    expect(await cache.get('b')).toMatchObject({ stale: true })
    expect(await cache.get('e')).toBeUndefined()
    expect((await cache.invalidate({ tags: ['user:7'] })).matched).toBe(1)
    expect(await cache.get('t')).toBeUndefined()
  })

  it('is handed the former answer with its validator and renews it when nothing changed', async () => {
    const { clock, cache } = setup()
    const seen: unknown[] = []
    const load = (context: LoadContext<{ n: number }>): { n: number } => {
      seen.push(context.previous?.etag)
      if (context.previous?.etag === '"1"') return context.notModified()
      context.etag('"1"')
      context.tag('group')
      return { n: 1 }
    }
    const ask = () => cache.fetch<{ n: number }>('k', { budget: BUDGET }, load)
    await ask()
    clock.advance(250)
    expect(await ask()).toMatchObject({ data: { n: 1 }, cached: false })
    expect(await ask()).toMatchObject({ data: { n: 1 }, cached: true, ageMs: 0 })
    expect(seen).toEqual([undefined, '"1"'])
    await cache.invalidate({ tags: ['group'] })
    expect(await cache.get('k')).toBeUndefined()
  })

  it('refuses to renew what is not there', async () => {
    const { cache } = setup()
    await expect(cache.fetch('k', (context) => context.notModified())).rejects.toMatchObject({ code: 'FC_OPTION_VALUE' })
  })
})

describe('fetch: many callers', () => {
  it('loads once for 100 callers of one absent key', async () => {
    const { clock, cache, later, calls } = setup()
    const all = Promise.all(Array.from({ length: 100 }, () => cache.fetch('k', later(10))))
    await clock.advanceAsync(10)
    expect(new Set((await all).map((one) => one.data))).toEqual(new Set(['v1']))
    expect([calls(), cache.stats().counts.coalesced]).toEqual([1, 99])
  })

  it('serves 50 callers stale at expiry and refreshes once behind them', async () => {
    const { clock, cache, load, later, calls } = setup()
    await cache.fetch('k', { budget: BUDGET }, load)
    clock.advance(150)
    const all = await Promise.all(Array.from({ length: 50 }, () => cache.fetch('k', { budget: BUDGET }, later(5))))
    expect(all.every((one) => one.stale && one.data === 'v1')).toBe(true)
    await clock.advanceAsync(5)
    expect(calls()).toBe(2)
    expect(await cache.fetch('k', { budget: BUDGET }, load)).toMatchObject({ data: 'v2', stale: false, cached: true })
  })

  it('refuses clearly when too many wait', async () => {
    const { clock, cache, later } = setup({ flights: { maxWaiters: 1 } })
    const all = [1, 2, 3].map(() => cache.fetch('k', later(10)))
    const last = expect(all[2]).rejects.toMatchObject({ code: 'FC_FLIGHT_FULL', status: 503 })
    await clock.advanceAsync(10)
    await last
    expect((await all[1])?.data).toBe('v1')
  })

  it('lets one caller give up without taking the load from the others', async () => {
    const { clock, cache, later } = setup()
    const controller = new AbortController()
    const first = cache.fetch('k', { signal: controller.signal }, later(10))
    const second = cache.fetch('k', later(10))
    controller.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    await clock.advanceAsync(10)
    expect((await second).data).toBe('v1')
  })

  it('cancels a load when everyone has gone, if told to', async () => {
    const { cache } = setup({ flights: { whenAbandoned: 'cancel' } })
    const controller = new AbortController()
    let signal: AbortSignal | undefined
    const answer = cache.fetch('k', { signal: controller.signal }, (context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    controller.abort(new Error('gone'))
    await expect(answer).rejects.toThrow('gone')
    await settle()
    expect(signal?.aborted).toBe(true)
    expect(cache.stats().flights).toBe(0)
  })

  it('answers many keys with one call of the loader, and each key keeps its own entry', async () => {
    const { cache } = setup()
    await cache.set('b', 'B')
    const asked: string[][] = []
    const load = async (keys: readonly string[]): Promise<Map<string, string>> => {
      asked.push([...keys])
      return new Map(keys.map((key) => [key, key.toUpperCase()]))
    }
    const view = cache.namespace('many')
    const results = await cache.getMany(['a', 'b', 'c', 'a'], {}, load)
    expect([...results].map(([key, one]) => [key, one.data, one.cached])).toEqual([
      ['a', 'A', false],
      ['b', 'B', true],
      ['c', 'C', false],
    ])
    await view.getMany(['a'], {}, load)
    expect(asked).toEqual([['a', 'c'], ['a']])
    expect(cache.peek('c')).toBe('C')
  })
})

describe('fetch: when the origin fails', () => {
  it('serves the reserve inside the onError window, says why, and the error beyond it', async () => {
    const { clock, cache, load } = setup({ backoff: { first: 0 } })
    await cache.fetch('k', { budget: BUDGET }, load)
    clock.advance(250)
    const result = await cache.fetch('k', { budget: BUDGET }, down)
    expect(result).toMatchObject({ data: 'v1', stale: true, cached: true })
    expect(String(result.error)).toContain('down')
    clock.advance(50)
    await expect(cache.fetch('k', { budget: BUDGET }, down)).rejects.toThrow('down')
  })

  it('does not ask a failing origin at every request while there is a reserve', async () => {
    const { clock, cache, load } = setup({ backoff: { first: 20, max: 40 } })
    const budget = { fresh: 10, stale: 10, onError: 1000 }
    await cache.fetch('k', { budget }, load)
    clock.advance(10)
    let attempts = 0
    const failing = (): never => {
      attempts += 1
      throw new Error('down')
    }
    for (let i = 0; i < 20; i += 1) {
      expect((await cache.fetch('k', { budget }, failing)).data).toBe('v1')
      clock.advance(10)
    }
    expect(attempts).toBe(6) // pauses of 20, then 40 ms
  })

  it('answers late loads with the reserve at the soft deadline and stores them when they come', async () => {
    const { clock, cache, load, later } = setup({ deadlines: { soft: 20 } })
    await cache.fetch('k', { budget: BUDGET }, load)
    clock.advance(210)
    const answer = cache.fetch('k', { budget: BUDGET }, later(40))
    await clock.advanceAsync(20)
    expect(await answer).toMatchObject({ data: 'v1', stale: true })
    await clock.advanceAsync(20)
    expect(await cache.get('k')).toMatchObject({ data: 'v2', stale: false })
  })

  it('gives up on a caller at the hard deadline, finishes behind, and keeps what comes before the overall one', async () => {
    const { clock, cache, later } = setup({ deadlines: { hard: 20, maxLoad: 100 } })
    const answer = expect(cache.fetch('k', later(50))).rejects.toMatchObject({ code: 'FC_LOAD_TIMEOUT', status: 504 })
    await clock.advanceAsync(20)
    await answer
    await clock.advanceAsync(30)
    expect(cache.peek('k')).toBe('v1')
  })

  it('aborts a load at the overall deadline and does not keep what comes after it', async () => {
    const { clock, cache, later } = setup({ deadlines: { hard: 200, maxLoad: 100 } })
    let signal: AbortSignal | undefined
    const load = later(150)
    const answer = expect(
      cache.fetch('k', (context) => {
        signal = context.signal
        return load()
      }),
    ).rejects.toMatchObject({ code: 'FC_LOAD_TIMEOUT' })
    await clock.advanceAsync(160)
    await answer
    expect(signal?.aborted).toBe(true)
    expect([cache.peek('k'), cache.stats().flights]).toEqual([undefined, 0])
  })

  it('does not serve a reserve that was invalidated while the load ran', async () => {
    const { clock, cache, load, later } = setup()
    await cache.fetch('k', { budget: BUDGET }, load)
    clock.advance(250)
    const answer = expect(cache.fetch('k', { budget: BUDGET }, later(10, down))).rejects.toThrow('down')
    await cache.invalidate({ keys: ['k'] })
    await clock.advanceAsync(10)
    await answer
  })

  it('never lets a failing refresh reach the caller or the process', async () => {
    const { clock, cache, load } = setup()
    await cache.fetch('k', { budget: BUDGET }, load)
    clock.advance(150)
    expect((await cache.fetch('k', { budget: BUDGET }, down)).stale).toBe(true)
    await settle()
    expect(cache.stats().counts.refreshFailures).toBe(1)
  })
})

describe('regression: an entry read while unrelated keys are written', () => {
  it('is replaced by its refresh, though it was proven current after the refresh began', async () => {
    const { clock, cache, load, later } = setup()
    await cache.fetch('k', { budget: BUDGET, tags: ['t'] }, load)
    clock.advance(150)
    await cache.fetch('k', { budget: BUDGET, tags: ['t'] }, later(20))
    for (let i = 0; i < 10; i += 1) {
      await cache.set(`other${i}`, i)
      await cache.invalidate({ tags: [`other${i}`] })
      await cache.get('k')
      await clock.advanceAsync(2)
    }
    expect(await cache.get('k')).toMatchObject({ data: 'v2', stale: false })
  })
})
