import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Machine, openMachine } from '../support/l2-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

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

async function open(options: Parameters<typeof openMachine>[1] = {}): Promise<Machine> {
  const machine = await openMachine(server.url, options)
  machines.push(machine)
  return machine
}

async function never(): Promise<never> {
  throw new Error('the origin was asked')
}

describe('the library over two levels', () => {
  it('gives another machine what one has loaded, with the age it has', async () => {
    const [a, b] = [await open(), await open()]
    await a.cache.fetch('quote', { budget: '1m', tags: ['quote:7'] }, async () => ({ price: 7 }))
    await a.written()
    await new Promise((resolve) => setTimeout(resolve, 50))

    const result = await b.cache.fetch('quote', { budget: '1m' }, never)

    expect(result).toMatchObject({ data: { price: 7 }, cached: true, stale: false })
    expect(result.ageMs).toBeGreaterThanOrEqual(50)
    expect(b.count('l2Hits')).toBe(1)
    expect(b.cache.peek('quote')).toEqual({ price: 7 })
  })

  it.each([
    ['text', 'ä'.repeat(300)],
    ['half a surrogate pair', 'a\ud800'],
    ['number', -0.1],
    ['big number', 123n],
    ['nothing', null],
    ['bytes', Buffer.from([1, 2, 3])],
    ['object with dates, maps, bytes', { at: new Date(5), by: new Map([['a', new Set([1])]]), raw: new Uint8Array([7]) }],
  ])('carries a value as it is: %s', async (name, value) => {
    const [a, b] = [await open(), await open()]
    await a.cache.set(`value ${name}`, value)
    await a.written()

    const found = (await b.cache.get(`value ${name}`))?.data
    expect(found).toEqual(value)
  })

  it('asks for many keys at once', async () => {
    const [a, b] = [await open(), await open()]
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)
    await a.cache.getMany(keys, {}, async (names) => names.map((key) => key.toUpperCase()))
    await a.written()
    await server.command('CONFIG', 'RESETSTAT')

    const results = await b.cache.getMany([...keys, 'other'], {}, async (names) => names.map(() => 'loaded'))

    expect(results.get('k42')?.data).toBe('K42')
    expect(results.get('other')).toMatchObject({ data: 'loaded', cached: false })
    const calls = /cmdstat_getrange:calls=(\d+)/.exec(String(await server.command('INFO', 'commandstats')))?.[1]
    expect(Number(calls)).toBeGreaterThanOrEqual(100)
    expect(b.count('l2Hits')).toBe(100)
  })

  it('believes nothing that was invalidated, on any machine, by key, tag, prefix or namespace', async () => {
    const [a, b] = [await open(), await open()]
    const targets = [{ keys: ['one'] }, { tags: ['t'] }, { prefixes: ['on'] }, { all: true }]
    for (const target of targets) {
      await a.cache.fetch('one', { budget: '1h', tags: ['t'] }, async () => 'old')
      await a.written()
      await b.cache.engine.invalidateEverywhere(target)
      expect(await a.cache.fetch('one', { budget: '1h', tags: ['t'] }, async () => 'new')).toMatchObject({ data: 'new' })
      await a.cache.engine.invalidateEverywhere({ keys: ['one'] })
    }
    const space = a.cache.namespace('shop')
    await space.fetch('one', async () => 'old')
    await a.written()
    await b.cache.namespace('shop').engine.invalidateEverywhere({ namespaces: ['shop'] })
    expect(await b.cache.namespace('shop').fetch('one', async () => 'new')).toMatchObject({ data: 'new' })
  })

  it('believes nothing that was invalidated before this machine began, and everything else', async () => {
    const [a, b] = [await open(), await open()]
    const budget = '1h'
    for (const tag of ['gone', 'stays']) await a.cache.fetch(tag, { budget, tags: [tag] }, async () => 'old')
    await a.written()
    await b.cache.engine.invalidateEverywhere({ tags: ['gone'] })
    expect(await server.command('EXISTS', 'forecache:k:gone')).toBe(1)

    const late = await open()

    expect((await late.cache.fetch('gone', { budget }, async () => 'new')).data).toBe('new')
    expect((await late.cache.fetch('stays', { budget }, never)).data).toBe('old')
  })

  it('does not let a load that was overtaken reach a machine that began after it', async () => {
    const [a, b] = [await open(), await open()]
    const gate = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    const loading = a.cache.fetch('slow', { budget: '1h', tags: ['t'] }, () => {
      begun.resolve()
      return gate.promise
    })
    await begun.promise
    await b.cache.engine.invalidateEverywhere({ tags: ['t'] })
    gate.resolve('old')
    expect((await loading).data).toBe('old') // it was asked before
    await a.written()

    const late = await open()

    expect((await late.cache.fetch('slow', async () => 'new')).data).toBe('new')
  })

  it('serves what was softly invalidated as stale, while it is refreshed', async () => {
    const [a, b] = [await open(), await open()]
    const budget = { fresh: '1h', stale: '2h' } as const
    await a.cache.fetch('soft', { budget, tags: ['s'] }, async () => 1)
    await a.written()
    await a.cache.engine.invalidateEverywhere({ tags: ['s'], soft: true })

    const result = await b.cache.fetch('soft', { budget, tags: ['s'] }, async () => 2)

    expect(result).toMatchObject({ data: 1, stale: true })
    await until(() => b.cache.peek('soft') === 2, 'the refresh')
  })

  it('keeps what says so in memory alone: by call, and by context', async () => {
    const a = await open({ contexts: { session: '60s' }, l2: { except: ['session'] } })
    const b = await open()
    await a.cache.fetch('mine', { tiers: ['memory'] }, async () => 1)
    await a.cache.fetch('session', { context: 'session' }, async () => 1)
    await a.cache.set('plain', 1)
    await a.written()

    expect(await b.cache.get('mine')).toBe(undefined)
    expect(await b.cache.get('session')).toBe(undefined)
    expect((await b.cache.get('plain'))?.data).toBe(1)
  })

  it('lets no reader read beyond the narrower of two budgets', async () => {
    const [a, b] = [await open(), await open()]
    await a.cache.fetch('old', { budget: '1h' }, async () => 'a')
    await a.written()
    await new Promise((resolve) => setTimeout(resolve, 60))

    expect(await b.cache.fetch('old', { budget: '50ms' }, async () => 'b')).toMatchObject({ data: 'b', cached: false })
  })

  it('answers from the origin within the deadline while Redis is frozen, and old data never comes back', async () => {
    const [a, b] = [await open({ l2: { deadline: '50ms' } }), await open({ l2: { deadline: '50ms' } })]
    await a.cache.fetch('cold', { budget: '1h' }, async () => 'old')
    await a.cache.fetch('hit', { budget: '1h' }, async () => 'hit')
    await a.written()
    server.freeze()
    const startedAt = performance.now()
    for (let i = 0; i < 10; i += 1) {
      expect((await b.cache.fetch(`cold ${i}`, async () => i)).data).toBe(i)
      expect((await a.cache.fetch('hit', never)).data).toBe('hit')
    }
    const tookMs = performance.now() - startedAt
    const invalidated = a.cache.engine.invalidateEverywhere({ keys: ['cold'] })
    expect((await a.cache.fetch('cold', async () => 'new')).data).toBe('new')
    server.thaw()
    await invalidated
    await until(() => b.cache.engine.second?.isUp === true && b.cache.engine.shared?.isBlind === false, 'Redis')

    expect(tookMs).toBeLessThan(2000)
    await until(async () => (await b.cache.fetch('cold', async () => 'new')).data === 'new', 'the invalidation', 3000)
    expect((await b.cache.fetch('cold', never)).data).toBe('new')
  })

  it('trusts nothing of before when Redis was started again, with its data or without', async () => {
    const [a, b] = [await open(), await open()]
    await a.cache.fetch('kept', { budget: '1h' }, async () => 'before')
    await a.written()
    await server.command('SAVE')

    for (const withData of [true, false]) {
      await server.restart({ withData })
      const sees = (machine: Machine): boolean => {
        const { second, shared } = machine.cache.engine
        return second?.isUp === true && shared?.isBlind === false
      }
      await until(() => sees(a) && sees(b), 'both machines', 10_000)
      await until(async () => (await b.cache.get('kept')) === undefined, 'the end of what was before', 3000)
    }
    await a.cache.fetch('after', { budget: '1h' }, async () => 'after')
    await a.written()
    await until(async () => (await b.cache.get('after'))?.data === 'after', 'the new log', 3000)
  })

  it('shows nothing of keys or values in the store where it is encrypted, and reads through a change of keys', async () => {
    const [old, next] = [
      { id: 'k1', secret: Buffer.alloc(32, 1).toString('base64') },
      { id: 'k2', secret: Buffer.alloc(32, 2).toString('base64') },
    ]
    const a = await open({ l2: { encryption: [old] } })
    await a.cache.set('very secret key', { secret: 'very secret value' })
    await a.written()
    const names = (await server.command('KEYS', 'forecache:*')) as readonly Buffer[]
    const stored = await Promise.all(names.filter((name) => name.includes(':h:')).map((name) => server.command('GET', name)))
    const both = await open({ l2: { encryption: [next, old] } })
    const without = await open({ l2: { encryption: [next] } })

    expect(names.map(String).join()).not.toContain('very')
    expect(stored).toHaveLength(1)
    expect(String(stored[0])).not.toContain('very')
    expect((await both.cache.get('very secret key'))?.data).toEqual({ secret: 'very secret value' })
    expect(await without.cache.get('very secret key')).toBe(undefined)
    expect(without.count('l2Broken')).toBe(1)
  })

  it('holds what waits to be written under its limit, and counts it', async () => {
    const a = await open({ l2: { maxQueueBytes: '64KiB' } })

    for (let i = 0; i < 50; i += 1) a.cache.begin(`big ${i}`).keep('x'.repeat(10_000))
    const held = a.cache.engine.ledger.list().remote
    await a.written()

    expect(held).toBeLessThanOrEqual(64 * 1024)
    expect(held).toBeGreaterThan(0)
    expect(a.count('l2Shed')).toBeGreaterThan(0)
    expect(a.cache.engine.ledger.list().remote).toBe(0)
  })

  it('opens its connections once, whatever the load', async () => {
    const a = await open()
    const connections = async (): Promise<number> =>
      String(await server.command('CLIENT', 'LIST'))
        .split('\n')
        .filter((row) => row.includes('name=forecache') && !row.includes('cmd=client')).length
    const load = async (name: string, count: number): Promise<void> => {
      const ids = Array.from({ length: count }, (_, i) => `${name} ${i}`)
      await Promise.all(ids.map((id) => a.cache.fetch(id, async () => id)))
    }
    await load('first', 5)
    await until(async () => (await connections()) === 4, 'calls, writes, the log and the bells to have theirs')
    const before = await connections()

    await load('more', 500)
    const during = await connections()
    await a.written()

    expect(during).toBe(before)
    expect(await connections()).toBe(before)
  })

  it('takes bytes that are no entry of its own for nothing', async () => {
    const b = await open()
    const { shared, redis } = b.cache.engine
    const head = `FC1:${shared?.generation}.${redis?.runId('half').slice(0, 16)}:99:1:`
    await server.command('SET', 'forecache:k:junk', 'junk')
    await server.command('SET', 'forecache:k:half', Buffer.concat([Buffer.from(head), Buffer.from([0xfc, 1, 0, 9, 9])]))

    expect(await b.cache.get('junk')).toBe(undefined)
    expect(await b.cache.get('half')).toBe(undefined)
    expect((await b.cache.fetch('half', async () => 1)).data).toBe(1)
  })
})
