import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { stats } from '../../src/entry/redis.ts'
import { type AnyClient, CLIENTS, openClient, openWay, type Way } from '../support/hook-clients.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let server: RedisHere
let way: Way
let client: AnyClient
/** Not wrapped, straight to the server: everybody else. */
let other: { call(...words: string[]): Promise<unknown>; close(): void }

beforeAll(async () => {
  server = await startRedis(['--hz', '1'])
  other = await openPlain(server.port)
})
afterAll(async () => {
  other.close()
  await server.stop()
})

describe.each(CLIENTS)('hook: coherence of %s', (name) => {
  beforeEach(async () => {
    await other.call('FLUSHALL')
    way = await openWay(server.port)
    client = await openClient(name, way.port)
    await until(() => stateOf(way.port) === 'on', 'the tracking connection')
  })
  afterEach(async () => {
    way.delayTracking(0)
    await client.close()
    await way.close()
  })

  it('answers from memory what was read before', async () => {
    await client.set('k', 'v')
    expect(await hit(() => client.get('k'))).toBe('v')
  })

  it('reads its own write at once, awaited or not', async () => {
    for (let i = 0; i < 200; i += 1) {
      await client.get('k')
      const written = client.set('k', `${i}`)
      expect(await client.get('k')).toBe(`${i}`)
      await written
      expect(await client.get('k')).toBe(`${i}`)
      if (i % 10 === 0) expect(await hit(() => client.get('k'))).toBe(`${i}`)
    }
  })

  it('follows what others write, soon', async () => {
    for (let i = 0; i < 50; i += 1) {
      await other.call('SET', 'k', `${i}`)
      const writtenAt = performance.now()
      while ((await client.get('k')) !== `${i}`) expect(performance.now() - writtenAt).toBeLessThan(250)
      await hit(() => client.get('k'))
    }
  })

  it('never tells an older value once a newer flag was seen, however late the tracking connection hears', async () => {
    await other.call('MSET', 'flag', '0', 'data', '0')
    await hit(() => client.get('data'))
    way.delayTracking(8)
    let isOver = false
    const writing = (async () => {
      for (let i = 1; i <= 60; i += 1) {
        await other.call('SET', 'data', `${i}`)
        await other.call('SET', 'flag', `${i}`)
        await new Promise((resolve) => setTimeout(resolve, 3))
      }
      isOver = true
    })()
    let reads = 0
    while (!isOver) {
      const flag = Number(await client.call('STRLEN', 'flag')) > 0 ? Number(await client.call('GET', 'flag')) : 0
      expect(Number(await client.get('data'))).toBeGreaterThanOrEqual(flag)
      reads += 1
    }
    await writing
    expect(reads).toBeGreaterThan(10)
  })

  it('tells nothing older than 250 ms when the tracking connection falls silent', async () => {
    await client.set('k', 'old')
    await hit(() => client.get('k'))
    way.delayTracking(Number.POSITIVE_INFINITY)
    await other.call('SET', 'k', 'new')
    const writtenAt = performance.now()
    let lastOldAt = 0
    while (performance.now() - writtenAt < 600) {
      const askedAt = performance.now()
      if ((await client.get('k')) === 'old') lastOldAt = askedAt - writtenAt
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(lastOldAt).toBeLessThan(255)
    expect(await client.get('k')).toBe('new')
  })

  it('drops everything when the tracking connection ends, and comes back', async () => {
    await client.set('k', 'old')
    await hit(() => client.get('k'))
    way.cutTracking()
    await other.call('SET', 'k', 'new')
    await until(() => stateOf(way.port) !== 'on', 'the end of the tracking connection')
    expect(await client.get('k')).toBe('new')
    await until(() => stateOf(way.port) === 'on', 'the tracking connection')
    expect(await hit(() => client.get('k'))).toBe('new')
  })

  it('keeps a value no longer than it lives, though Redis forgets it late', async () => {
    for (let i = 0; i < 3; i += 1) {
      await client.set('k', 'v', 'PX', '120')
      const endsAt = performance.now() + 120
      await hit(() => client.get('k'))
      let lastAt = 0
      while (performance.now() < endsAt + 60) {
        const askedAt = performance.now()
        if ((await client.get('k')) === 'v') lastAt = askedAt
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(lastAt).toBeLessThan(endsAt + 5)
    }
  })

  it('keeps databases apart, and follows what empties or swaps them', async () => {
    await client.set('k', 'zero')
    await hit(() => client.get('k'))
    await client.select(1)
    expect(await client.get('k')).toBeNull()
    await client.set('k', 'one')
    expect(await hit(() => client.get('k'))).toBe('one')
    await client.select(0)
    expect(await hit(() => client.get('k'))).toBe('zero')
    await client.call('SWAPDB', '0', '1')
    expect(await client.get('k')).toBe('one')
    await hit(() => client.get('k'))
    await other.call('FLUSHALL')
    await until(async () => (await client.get('k')) === null, 'the flush to be seen', 250)
  })

  it('asks the server inside of a transaction and behind WATCH, and knows what the transaction wrote', async () => {
    await client.set('k', 'v')
    await hit(() => client.get('k'))
    await client.call('WATCH', 'k')
    const before = stats()?.hits
    expect(await client.get('k')).toBe('v')
    expect(stats()?.hits).toBe(before)
    await client.multi(['SET', 'k', 'w'], ['INCR', 'n'])
    expect(await client.get('k')).toBe('w')
    expect(await hit(() => client.get('k'))).toBe('w')
  })

  it('does not tell of one server to who has come to another, though the address is the same', async () => {
    const elsewhere = await startRedis()
    try {
      await client.set('k', 'here')
      await elsewhere.command('SET', 'k', 'there')
      await hit(() => client.get('k'))
      way.leadTo(elsewhere.port)
      await until(async () => (await client.get('k')) === 'there', 'the client to be there')
      for (let i = 0; i < 100; i += 1) {
        expect(await client.get('k')).toBe('there')
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(await hit(() => client.get('k'))).toBe('there')
    } finally {
      way.leadTo(server.port)
      await elsewhere.stop()
    }
  })

  it('never answers counters from memory', async () => {
    await client.call('INCR', 'n')
    const before = stats()?.entries
    for (let i = 0; i < 20; i += 1) expect(await client.get('n')).toBe('1')
    expect(stats()?.entries).toBe(before)
  })

  it('gives everybody values of his own', async () => {
    await client.hset('h', 'f', 'v')
    const first = (await hit(() => client.hgetall('h'))) as Record<string, string>
    first['f'] = 'changed'
    expect(await client.hgetall('h')).toEqual({ f: 'v' })
  })
})

/** Reads until memory answers; what it answered. */
async function hit(read: () => Promise<unknown>): Promise<unknown> {
  let value: unknown
  await until(async () => {
    const before = stats()?.hits ?? 0
    value = await read()
    return (stats()?.hits ?? 0) > before
  }, 'a hit')
  return value
}

function stateOf(port: number): string | undefined {
  return stats()?.upstreams.find(({ name }) => name.endsWith(`:${port}`))?.state
}

async function openPlain(port: number): Promise<typeof other> {
  const { createClient, RESP_TYPES: _ } = await import('@redis/client')
  const plain = createClient({ socket: { port, host: '127.0.0.1' }, ...{ [Symbol.for('forecache.own')]: true } })
  await plain.connect()
  return { call: (...words) => plain.sendCommand(words), close: () => plain.destroy() }
}
