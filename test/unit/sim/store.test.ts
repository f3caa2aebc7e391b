import { beforeEach, describe, expect, it } from 'vitest'
import type { StoreClient } from '../../../src/sim/store.ts'
import { createWorld, type World } from '../../../src/sim/world.ts'

let world: World
let one: StoreClient
let two: StoreClient

beforeEach(() => {
  world = createWorld({ seed: 9, nodes: 2 })
  ;[one, two] = world.nodes.map(({ store }) => store) as [StoreClient, StoreClient]
})

async function given<T>(promise: Promise<T>, withinMs = 20): Promise<T> {
  await world.pass(withinMs)
  return promise
}

describe('store: strings, hashes, streams', () => {
  it('gives a lock to one of two, until its time is over', async () => {
    const [mine, yours] = [one.set('lock', 'a', { nx: true, px: 50 }), two.set('lock', 'b', { nx: true, px: 50 })]
    await world.pass(10)
    expect([await mine, await yours].filter(Boolean)).toHaveLength(1)
    await world.pass(50)
    expect(await given(two.set('lock', 'b', { nx: true, px: 50 }))).toBe(true)
    expect(await given(one.get('lock'))).toBe('b')
  })

  it('does a script in one step', async () => {
    await given(one.set('lock', 'a', { px: 1000 }))
    const deleteIfMine = (mine: string) => two.run((data) => data.get('lock') === mine && data.del('lock'))
    expect(await given(deleteIfMine('b'))).toBe(false)
    expect(await given(deleteIfMine('a'))).toBe(true)
  })

  it('counts, keeps fields, and finds keys by how they begin', () => {
    const { data } = world.store
    expect([data.incr('n'), data.incr('n')]).toEqual([1, 2])
    data.hset('h:1', 'a', 'x')
    data.hset('h:1', 'b', 'y')
    data.hset('h:1', 'a', undefined)
    expect([...data.hgetall('h:1')]).toEqual([['b', 'y']])
    expect(data.keys('h:')).toEqual(['h:1'])
    expect(data.del('h:1')).toBe(true)
    expect(data.keys('')).toEqual(['n'])
    data.set('t', 'x', { px: 100 })
    expect(data.ttl('t')).toBe(100)
  })

  it('wakes who waits for the next record of a stream', async () => {
    let heard: readonly { id: number; value: string }[] | undefined
    void one.xread('s', 0, 1000).then((rows) => (heard = rows))
    await world.pass(100)
    expect(heard).toBeUndefined()
    await given(two.xadd('s', 'hello'))
    expect(heard).toEqual([{ id: 1, value: 'hello' }])
    expect(await given(one.xread('s', 1, 30), 60)).toEqual([])
  })
})

describe('store: what goes wrong', () => {
  it('tells channels once, and nobody of what was lost', async () => {
    const heard: string[] = []
    one.subscribe('c', (message) => heard.push(message))
    expect(await given(two.publish('c', 'first'))).toBe(1)
    const mend = world.network.cut('n1', 'store')
    expect(await given(two.publish('c', 'second'))).toBe(1)
    mend()
    await given(two.publish('c', 'third'))
    expect(heard).toEqual(['first', 'third'])
  })

  it('loses what it had when it restarts without data, and only its connections when with', async () => {
    const { store } = world
    await given(one.set('k', 'v'))
    const run = store.data.runId
    store.crash(true)()
    expect(store.data.runId).not.toBe(run)
    expect(await given(one.get('k'))).toBe('v')
    const start = store.crash(false)
    await expect(
      given(
        one.get('k').catch((error: Error) => error.name),
        200,
      ),
    ).resolves.toBe('NoAnswer')
    start()
    expect(await given(one.get('k'))).toBeUndefined()
  })

  it('forgets the last changes when a replica that lags takes over', async () => {
    const { data } = world.store
    data.set('k', 'old')
    data.xadd('s', 'a')
    data.hset('h', 'f', 'old')
    await world.pass(100)
    data.set('k', 'new')
    data.set('n', '1')
    data.xadd('s', 'b')
    data.xtrim('s', 1)
    data.hset('h', 'f', 'new')
    data.hset('h2', 'f', 'new')
    world.store.failOver(50)
    expect([data.get('k'), data.get('n'), data.hget('h', 'f'), data.hget('h2', 'f')]).toEqual([
      'old',
      undefined,
      'old',
      undefined,
    ])
    expect(data.xread('s', 0)).toEqual([{ id: 1, value: 'a' }])
    expect(data.xlast('s')).toBe(1)
  })

  it('answers late when it was frozen', async () => {
    world.store.process.pause()
    let value: string | undefined = 'none'
    void one.run((data) => data.get('k'), 1000).then((found) => (value = found))
    await world.pass(500)
    expect(value).toBe('none')
    world.store.process.resume()
    await world.pass(10)
    expect(value).toBeUndefined()
  })
})
