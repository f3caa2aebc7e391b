import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Machine, openMachine } from '../support/l2-here.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

let server: RedisHere
const machines: Machine[] = []

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.close()))
  await server.command('FLUSHALL')
})

async function open(count: number, options: Parameters<typeof openMachine>[1] = {}): Promise<Machine[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => openMachine(server.url, options)))
  machines.push(...opened)
  return opened
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('the library on several machines that want one key', () => {
  it('loads once for 5 machines with 20 callers each', async () => {
    const opened = await open(5)
    let loads = 0
    const load = async (): Promise<string> => {
      loads += 1
      await pause(200)
      return 'value'
    }

    const results = await Promise.all(
      opened.flatMap(({ cache }) => Array.from({ length: 20 }, () => cache.fetch('cold', { budget: '1m' }, load))),
    )

    expect(loads).toBe(1)
    expect(results.map(({ data }) => data)).toEqual(results.map(() => 'value'))
    expect(opened.map(({ cache }) => cache.peek('cold'))).toEqual(opened.map(() => 'value'))
    expect(opened.reduce((sum, machine) => sum + machine.count('leasesShared'), 0)).toBe(4)
    expect(opened.map(({ cache }) => cache.engine.leases?.counts)).toEqual(opened.map(() => ({ held: 0, waiting: 0 })))
  })

  it('loads once in turn, whoever comes second just after the first has ended', async () => {
    const [a, b] = (await open(2)) as [Machine, Machine]
    let loads = 0
    for (let round = 0; round < 30; round += 1) {
      const load = async (): Promise<number> => (loads += 1)
      await Promise.all([a.cache.fetch(`k${round}`, load), pause(round % 5).then(() => b.cache.fetch(`k${round}`, load))])
    }
    expect(loads).toBe(30)
  })

  it.each([3, 300, 1000])('loads a list of %s keys once for 4 machines, in one call', async (count) => {
    const opened = await open(4, { l2: { deadline: '2s', lease: { deadline: '2s' } } }) // not how fast a busy machine is
    const keys = Array.from({ length: count }, (_, i) => `item-${i}`)
    const calls: number[] = []
    const load = async (names: readonly string[]): Promise<string[]> => {
      calls.push(names.length)
      await pause(300)
      return names.map((name) => `value of ${name}`)
    }

    const results = await Promise.all(opened.map(({ cache }) => cache.getMany(keys, { budget: '1m' }, load)))

    expect(calls).toEqual([count])
    for (const found of results) expect([...found.values()].map(({ data }) => data)).toEqual(keys.map((key) => `value of ${key}`))
    expect(opened.map(({ cache }) => cache.engine.leases?.counts)).toEqual(opened.map(() => ({ held: 0, waiting: 0 })))
  })

  it('waits for nobody who loads another list, and finds what a list of one has in common with a single key', async () => {
    const [a, b] = (await open(2)) as [Machine, Machine]
    const calls: string[] = []
    const load = async (names: readonly string[]): Promise<string[]> => {
      calls.push(names.join())
      await pause(names.includes('slow') ? 2000 : 150)
      return names.map((name) => name)
    }
    const slow = a.cache.getMany(['k', 'slow'], {}, load)
    const single = pause(50).then(() => a.cache.fetch('alone', () => pause(300).then(() => 'alone')))
    await pause(100)
    const begunAt = performance.now()
    await b.cache.getMany(['k'], {}, load)
    const tookMs = performance.now() - begunAt
    await b.cache.getMany(['alone'], {}, load)

    expect(tookMs).toBeLessThan(1500)
    expect(calls).toEqual(['k,slow', 'k'])
    await Promise.all([slow, single])
  })

  it('gives the rest of a list whose keys were not all stored to each machine itself', async () => {
    const opened = await open(3)
    const calls: string[] = []
    const load = async (names: readonly string[]): Promise<Record<string, number>> => {
      calls.push(names.join())
      await pause(100)
      return Object.fromEntries(names.filter((name) => name !== 'nothing').map((name) => [name, 1]))
    }

    const results = await Promise.all(opened.map(({ cache }) => cache.getMany(['here', 'nothing'], { negative: false }, load)))

    expect(calls.toSorted()).toEqual(['here,nothing', 'nothing', 'nothing'])
    expect(results.map((found) => [...found.values()].map(({ data }) => data))).toEqual(results.map(() => [1, undefined]))
  })

  it('refreshes a stale list once for all machines', async () => {
    const opened = await open(3)
    let calls = 0
    const load = async (names: readonly string[]): Promise<number[]> => {
      const call = (calls += 1)
      await pause(100)
      return names.map(() => call)
    }
    const ask = (): Promise<Map<string, { data: number; stale: boolean }>>[] =>
      opened.map(({ cache }) => cache.getMany(['a', 'b', 'c'], { budget: { fresh: 300, stale: 60_000 }, jitter: 0 }, load))
    await Promise.all(ask())
    await pause(400)

    const stale = await Promise.all(ask())
    expect(stale.flatMap((found) => [...found.values()].map(({ data, stale: isStale }) => [data, isStale]))).toEqual(
      Array.from({ length: 9 }, () => [1, true]),
    )
    await pause(200)
    expect(calls).toBe(2)
  })

  it('loads for itself what may not be shared: memory alone, nothing there, and after an error', async () => {
    const [a, b] = (await open(2)) as [Machine, Machine]
    let loads = 0
    const load = async (): Promise<number> => {
      await pause(50)
      return (loads += 1)
    }
    await Promise.all([a, b].map(({ cache }) => cache.fetch('own', { tiers: ['memory'] }, load)))
    expect(loads).toBe(2)

    const failing = async (): Promise<never> => {
      loads += 1
      await pause(50)
      throw new Error('no')
    }
    const failed = await Promise.allSettled([a, b].map(({ cache }) => cache.fetch('failing', failing)))
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(loads).toBe(4)
  })

  it('does not wait for a load that was invalidated, and gives nobody its answer', async () => {
    const [a, b] = (await open(2)) as [Machine, Machine]
    let finish!: (value: string) => void
    const old = a.cache.fetch('k', { tags: ['t'] }, () => new Promise<string>((resolve) => (finish = resolve)))
    await pause(50)
    await b.cache.invalidate({ tags: ['t'] })

    const fresh = await b.cache.fetch('k', { tags: ['t'] }, async () => 'new')
    finish('old')

    expect(fresh.data).toBe('new')
    expect((await old).data).toBe('old')
    expect((await a.cache.fetch('k', { tags: ['t'] }, async () => 'newer')).data).not.toBe('old')
  })

  it('honours an invalidation that comes while it waits', async () => {
    const [a, b] = (await open(2)) as [Machine, Machine]
    let finish!: (value: string) => void
    void a.cache.fetch('k', { tags: ['t'] }, () => new Promise<string>((resolve) => (finish = resolve)))
    await pause(50)
    const waiting = b.cache.fetch('k', { tags: ['t'] }, async () => 'new')
    await pause(50)
    await b.cache.invalidate({ tags: ['t'] })
    finish('old')

    expect((await waiting).data).toBe('new')
  })

  it('loads alone at once where leases are off', async () => {
    const opened = await open(3, { l2: { lease: { on: false } } })
    let loads = 0
    const load = async (): Promise<number> => {
      await pause(50)
      return (loads += 1)
    }
    await Promise.all(opened.map(({ cache }) => cache.fetch('k', load)))
    expect(loads).toBe(3)
  })

  it('costs a deadline or two when the server freezes while others wait, and then everybody loads', async () => {
    const [a, b] = (await open(2, { l2: { deadline: '50ms' } })) as [Machine, Machine]
    const slow = a.cache.fetch('k', () => pause(3000).then(() => 'slow'))
    await pause(100)
    const waiting = b.cache.fetch('k', async () => 'own')
    await pause(100)
    server.freeze()
    const frozenAt = performance.now()

    const result = await waiting
    const tookMs = performance.now() - frozenAt
    server.thaw()

    expect(result.data).toBe('own')
    expect(tookMs).toBeLessThan(1000)
    expect((await slow).data).toBe('slow')
  })

  it('counts who loads because the store does not answer: one who waited, and one who need not ask any more', async () => {
    const [a, b] = (await open(2, { l2: { deadline: '50ms' } })) as [Machine, Machine]
    const slow = a.cache.fetch('k', () => pause(1500).then(() => 'slow'))
    await pause(100)
    const waiting = b.cache.fetch('k', async () => 'own')
    await pause(100)
    server.freeze()

    await waiting
    const asked = b.count('leasesDown')
    await b.cache.fetch('other', async () => 'own')
    server.thaw()
    await slow

    expect([b.count('leasesCut'), b.count('leasesAlone'), b.count('leasesLate')]).toEqual([1, 0, 0])
    expect(b.count('leasesDown')).toBeGreaterThan(asked)
  })
})
