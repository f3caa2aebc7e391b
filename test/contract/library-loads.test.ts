/**
 * The library from outside: who loads, who waits, who gives up, and what of it is kept.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CacheOptions, createCache, type LoadContext } from '../../src/entry/index.ts'
import { createRandom, createVirtualClock, settle } from '../../src/entry/testing.ts'

const escaped: unknown[] = []
const note = (error: unknown): void => void escaped.push(error)
beforeEach(() => void process.on('unhandledRejection', note))
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(escaped.splice(0)).toEqual([])
})

function setStage(options: CacheOptions = {}) {
  const clock = createVirtualClock()
  const cache = createCache({ clock, ...options })
  let loads = 0
  const later = (ms: number, value?: unknown) => (context: LoadContext) =>
    new Promise<unknown>((resolve) => {
      loads += 1
      context.signal.addEventListener('abort', () => void (aborted += 1))
      clock.after(ms, () => resolve(value ?? `v${loads}`))
    })
  let aborted = 0
  return { clock, cache, later, loads: () => loads, aborted: () => aborted }
}

const quiet = <T>(answer: Promise<T>): Promise<T> => {
  answer.catch(() => {})
  return answer
}
const BUDGET = { fresh: 100, stale: 200, onError: 10_000 }

describe('library: callers that leave', () => {
  it('begins no load for a caller that has left already', async () => {
    const { cache, later, loads } = setStage()
    const gone = AbortSignal.abort(new Error('gone'))
    await expect(cache.fetch('k', { signal: gone }, later(1))).rejects.toThrow('gone')
    await expect(cache.fetch('k', { signal: gone, skip: 'read' }, later(1))).rejects.toThrow('gone')
    expect(loads()).toBe(0)
  })

  it('frees the place of a waiter whose deadline has passed', async () => {
    const { clock, cache, later } = setStage({ flights: { maxWaiters: 1 } })
    const leader = cache.fetch('k', later(5000))
    const impatient = quiet(cache.fetch('k', { hard: 10 }, later(1)))
    const refused = quiet(cache.fetch('k', later(1)))
    await clock.advanceAsync(20)
    const patient = cache.fetch('k', later(1))
    await clock.advanceAsync(5000)
    await expect(impatient).rejects.toMatchObject({ code: 'FC_LOAD_TIMEOUT' })
    await expect(refused).rejects.toMatchObject({ code: 'FC_FLIGHT_FULL' })
    expect([(await leader).data, (await patient).data]).toEqual(['v1', 'v1'])
  })

  it('told to cancel: whoever comes after the last has left gets a load of his own, not the cancelled one', async () => {
    for (const turns of [0, 1, 2, 3, 5, 8, 32]) {
      const { clock, cache, later } = setStage({ flights: { whenAbandoned: 'cancel' } })
      const caller = new AbortController()
      const first = quiet(cache.fetch('k', { signal: caller.signal }, later(50)))
      await settle()
      caller.abort(new Error('left'))
      await settle(turns)
      const second = quiet(cache.fetch('k', later(50)))
      await clock.advanceAsync(200)
      await expect(first).rejects.toThrow('left')
      expect((await second).data, `${turns} turns later`).toMatch(/^v/)
      expect(cache.peek('k')).toBeDefined()
    }
  })

  it('told to cancel: a cancelled load is no failure of the origin', async () => {
    const { clock, cache, later } = setStage({ flights: { whenAbandoned: 'cancel' } })
    await cache.set('k', 'old', { budget: BUDGET })
    clock.advance(500)
    const caller = new AbortController()
    quiet(cache.fetch('k', { budget: BUDGET, signal: caller.signal }, later(50)))
    await settle()
    caller.abort()
    await settle()
    expect(await cache.fetch('k', { budget: BUDGET }, () => 'new')).toMatchObject({ data: 'new', cached: false })
    expect(cache.stats().counts.originFailures).toBe(0)
  })

  it('told to cancel: a load goes on behind for a caller that was answered at the soft deadline and then cleaned up', async () => {
    const { clock, cache, later, aborted } = setStage({ flights: { whenAbandoned: 'cancel' } })
    await cache.set('k', 'old', { budget: BUDGET })
    clock.advance(500)
    const caller = new AbortController()
    const answer = cache.fetch('k', { budget: BUDGET, soft: 5, signal: caller.signal }, later(50, 'new'))
    await clock.advanceAsync(10)
    expect(await answer).toMatchObject({ data: 'old', stale: true })
    caller.abort()
    await clock.advanceAsync(60)
    expect(aborted()).toBe(0)
    expect(cache.peek('k')).toBe('new')
  })

  it('told to cancel: cancels when the last waiter left by its deadline after the leader had gone', async () => {
    const { clock, cache, later, aborted } = setStage({ flights: { whenAbandoned: 'cancel' } })
    const caller = new AbortController()
    quiet(cache.fetch('k', { signal: caller.signal }, later(5000)))
    quiet(cache.fetch('k', { hard: 20 }, later(1)))
    await clock.advanceAsync(5)
    caller.abort()
    await clock.advanceAsync(5)
    expect(aborted()).toBe(0)
    await clock.advanceAsync(50)
    expect(aborted()).toBe(1)
  })

  it('leaves no waiter, flight or timer behind, however they left', async () => {
    const { clock, cache, later } = setStage({ deadlines: { hard: 30, maxLoad: 100 } })
    const callers = Array.from({ length: 50 }, (_, i) => {
      const controller = new AbortController()
      if (i % 3 === 0) clock.after(i, () => controller.abort())
      return quiet(
        cache.fetch(`k${i % 5}`, { signal: controller.signal }, i % 2 === 0 ? later(i * 3) : () => new Promise(() => {})),
      )
    })
    await clock.advanceAsync(500)
    await Promise.allSettled(callers)
    await cache.invalidate({ all: true })
    await clock.advanceAsync(2000)
    expect(cache.stats().flights).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('library: loaders of every kind', () => {
  it('one that takes its context apart, as the guides do', async () => {
    const { clock, cache } = setStage()
    const load = async ({
      key,
      signal,
      previous,
      tag,
      setBudget,
      setEnd,
      etag,
      notModified,
    }: LoadContext<string>): Promise<string> => {
      expect([key, signal.aborted]).toEqual(['k', false])
      tag('learned')
      setBudget({ fresh: 100, stale: 100, onError: 1000 })
      setEnd(clock.wall() + 50)
      etag('1')
      return previous === undefined ? 'v1' : notModified()
    }
    expect((await cache.fetch('k', load)).data).toBe('v1')
    clock.advance(51)
    expect(cache.peek('k')).toBeUndefined()
    await cache.fetch('k', load)
    expect((await cache.invalidate({ tags: ['learned'] })).matched).toBe(1)
    await cache.fetch('k', async ({ skip }) => skip())
    expect(cache.stats().entries).toBe(0)
    await expect(cache.fetch('k', async ({ fail }) => fail('down'))).rejects.toMatchObject({
      code: 'FC_LOAD_FAILED',
      cause: 'down',
    })
  })

  it.each<[string, () => unknown, unknown]>([
    [
      'throws undefined',
      () => {
        throw undefined
      },
      undefined,
    ],
    [
      'throws null',
      () => {
        throw null
      },
      null,
    ],
    [
      'throws text',
      () => {
        throw 'down'
      },
      'down',
    ],
    ['rejects with a frozen object', () => Promise.reject(Object.freeze({ a: 1 })), { a: 1 }],
    [
      'answers a thenable that throws',
      () => ({
        then: () => {
          throw 'then'
        },
      }),
      'then',
    ],
  ])('%s: all callers get just that, and the next one loads anew', async (_, load, thrown) => {
    const { cache } = setStage()
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => cache.fetch('k', load)))
    for (const one of settled) expect(one).toEqual({ status: 'rejected', reason: thrown })
    expect((await cache.fetch<unknown>('k', () => ({ then: (give: (value: number) => void) => give(7) }))).data).toBe(7)
  })

  it('one that never settles costs each caller its deadline, and the key is free after the overall one', async () => {
    const { clock, cache } = setStage({ deadlines: { hard: 10, maxLoad: 100 } })
    const callers = Array.from({ length: 100 }, () => quiet(cache.fetch('k', () => new Promise(() => {}))))
    await clock.advanceAsync(11)
    for (const one of await Promise.allSettled(callers)) expect(one).toMatchObject({ reason: { code: 'FC_LOAD_TIMEOUT' } })
    await clock.advanceAsync(100)
    expect((await cache.fetch('k', () => 1)).data).toBe(1)
  })

  it('one that is told to write nothing is not asked behind a stale answer', async () => {
    const { clock, cache, later, loads } = setStage()
    await cache.set('k', 'old', { budget: BUDGET })
    clock.advance(150)
    for (let i = 0; i < 3; i += 1)
      expect(await cache.fetch('k', { budget: BUDGET, skip: 'write' }, later(1))).toMatchObject({ data: 'old', stale: true })
    await clock.advanceAsync(10)
    expect(loads()).toBe(0)
  })

  it('budget 0 stores nothing that is served, and still loads once for 100 callers', async () => {
    const { clock, cache, later, loads } = setStage()
    const callers = Promise.all(Array.from({ length: 100 }, () => cache.fetch('k', { budget: 0 }, later(10))))
    await clock.advanceAsync(20)
    await callers
    expect(loads()).toBe(1)
    expect(cache.peek('k')).toBeUndefined()
    expect(await cache.get('k')).toBeUndefined()
  })

  it('getMany with one bad key begins nothing', async () => {
    const { cache } = setStage()
    await expect(cache.getMany(['a', ''], {}, () => Promise.reject(new Error('down')))).rejects.toMatchObject({
      code: 'FC_KEY_TYPE',
    })
    expect(cache.stats().flights).toBe(0)
  })
})

describe('library: no path lies, whatever happens at once', () => {
  const SEED = Number(process.env['FORECACHE_SEED'] ?? 4711)
  it.each(Array.from({ length: 40 }, (_, i) => SEED + i))('FORECACHE_SEED=%i', async (seed) => {
    const random = createRandom(seed)
    const pick = (below: number): number => Math.floor(random() * below)
    const { clock, cache } = setStage({ deadlines: { hard: 40, maxLoad: 80 }, backoff: { first: 10 }, random, jitter: 0.2 })
    const views = [cache, cache.namespace('one'), cache.namespace('two')]
    const versions = new Map<string, number>()
    let running = 0
    for (let step = 0; step < 250; step += 1) {
      const view = views[pick(3)] as typeof cache
      const at = views.indexOf(view)
      const name = `k${pick(3)}`
      const id = `${at}:${name}`
      const tags = [`t${pick(1) === 0 ? name : ''}`]
      const load = async (context: LoadContext<number>): Promise<number> => {
        const read = versions.get(id) ?? 0
        await new Promise<void>((resolve) => void clock.after(pick(100), resolve))
        if (pick(5) === 0) throw new Error('down')
        context.etag(String(read))
        context.tag('learned')
        return context.previous?.etag === String(read) ? context.notModified() : read
      }
      const budget = { fresh: 20, stale: 60, onError: 200 }
      const begun = clock.now()
      const floor = versions.get(id) ?? 0
      const tell = (got: number | undefined, ageMs = 0): void => {
        if (got !== undefined) expect(got, `step ${step} of ${id}`).toBeGreaterThanOrEqual(floor)
        expect(ageMs).toBeLessThan(budget.onError + (clock.now() - begun) + 1)
      }
      const bump = (): void => void (['0', '1', '2'].includes(String(at)) && versions.set(id, floor + 1))
      const everything = (): void => {
        for (let v = 0; v < 3; v += 1)
          for (let k = 0; k < 3; k += 1) versions.set(`${v}:k${k}`, (versions.get(`${v}:k${k}`) ?? 0) + 1)
      }
      switch (pick(12)) {
        case 0:
        case 1:
        case 2:
        case 3: {
          running += 1
          view
            .fetch<number>(name, { budget, tags }, load)
            .then(
              (r) => tell(r.data, r.ageMs),
              () => {},
            )
            .finally(() => void (running -= 1))
          break
        }
        case 4: {
          running += 1
          view
            .getMany<number>([name], { budget, tags }, async () => {
              const read = versions.get(id) ?? 0
              await new Promise<void>((resolve) => void clock.after(pick(60), resolve))
              return [read]
            })
            .then(
              (r) => tell(r.get(name)?.data),
              () => {},
            )
            .finally(() => void (running -= 1))
          break
        }
        case 5:
          tell(view.peek<number>(name))
          break
        case 6:
          tell((await view.get<number>(name))?.data)
          break
        case 7: {
          bump()
          await (pick(2) === 0 ? view.delete(name) : view.invalidate({ keys: [name] }))
          break
        }
        case 8: {
          everything()
          await cache.invalidate(pick(2) === 0 ? { tags: [`t${name}`, 'tk0', 'tk1', 'tk2'] } : { all: true })
          break
        }
        case 9: {
          if (at === 0) break
          for (let k = 0; k < 3; k += 1) versions.set(`${at}:k${k}`, (versions.get(`${at}:k${k}`) ?? 0) + 1)
          if (pick(2) === 0) view.bump()
          else await cache.invalidate({ namespaces: [at === 1 ? 'one' : 'two'] })
          break
        }
        case 10: {
          bump()
          await view.set(name, versions.get(id), { budget, tags })
          break
        }
        default: {
          const reading = view.begin(name)
          const read = versions.get(id) ?? 0
          clock.after(pick(60), () => void reading.keep(read, { budget, tags }))
        }
      }
      await clock.advanceAsync(pick(25))
    }
    await clock.advanceAsync(1000)
    expect(running).toBe(0)
  })
})

describe('library: close', () => {
  it('in the middle of everything answers or refuses every caller, and stores nothing more', async () => {
    const { clock, cache, later } = setStage({ deadlines: { hard: 100, maxLoad: 200 } })
    await cache.set('stale', 'old', { budget: BUDGET })
    clock.advance(150)
    const callers = [
      ...Array.from({ length: 20 }, () => cache.fetch('k', later(50))),
      cache.fetch('stale', { budget: BUDGET }, later(50)),
      cache.getMany(['a', 'b'], {}, async () => [1, 2]),
    ].map((one) => quiet(one as Promise<unknown>))
    await clock.advanceAsync(5)
    await cache.close()
    await cache.close()
    await clock.advanceAsync(500)
    for (const one of await Promise.allSettled(callers))
      expect(one.status === 'fulfilled' || one.reason instanceof Error).toBe(true)
    await expect(cache.fetch('k', later(1))).rejects.toMatchObject({ code: 'FC_CACHE_CLOSED' })
    expect(await cache.set('k', 1)).toBe(false)
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0, flights: 0 })
    expect(clock.pending).toBe(0)
  })
})

describe('library: on the real clock', () => {
  it('coalesces, serves stale, refreshes behind and lets the process end', async () => {
    const cache = createCache()
    let loads = 0
    const load = async (): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 15))
      return (loads += 1)
    }
    const budget = { fresh: 40, stale: 10_000 }
    await Promise.all(Array.from({ length: 100 }, () => cache.fetch('k', { budget }, load)))
    expect(loads).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 60))
    const stale = await Promise.all(Array.from({ length: 50 }, () => cache.fetch('k', { budget }, load)))
    expect(stale.every((one) => one.stale && one.data === 1)).toBe(true)
    await expect.poll(async () => (await cache.get('k'))?.data).toBe(2)
    expect(loads).toBe(2)
  })
})
