/**
 * The front and connections that are no longer framed: mass insertion without replies must not turn memory off for others.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type FrontHere, frontBefore, RawRedis, request } from '../support/front-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => redis.stop())
beforeEach(() => redis.command('FLUSHALL'))

const WRITES = 10_000

function clientOf(front: FrontHere): RawRedis {
  const client = new RawRedis(front.port)
  onTestFinished(() => client.close())
  return client
}

function hits(front: FrontHere): number {
  return front.gateway.cache.engine.meter.read('respHits')
}

async function warm(front: FrontHere, client: RawRedis, key: string): Promise<void> {
  await until(async () => {
    const before = hits(front)
    await client.ask('GET', key)
    return hits(front) > before
  }, `a hit of ${key}`)
}

function sets(prefix: string, count: number, value: string): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => request('SET', `${prefix}:${i}`, value)))
}

describe('front: many writes without replies', () => {
  it('leave memory on for others, and what the last ones wrote is read', async () => {
    const front = await frontBefore(redis.url)
    const loader = clientOf(front)
    const reader = clientOf(front)
    await redis.command('SET', 'other', 'v')

    loader.send(request('CLIENT', 'REPLY', 'OFF'))
    loader.send(sets('mass', WRITES, 'new'))
    await until(async () => Number(await redis.command('DBSIZE')) === WRITES + 1, 'all of it to be written')

    await warm(front, reader, 'other')
    await warm(front, reader, 'mass:0')
    expect(await reader.ask('GET', 'mass:0')).toBe('$3\r\nnew\r\n')
    expect(await reader.ask('GET', `mass:${WRITES - 1}`)).toBe('$3\r\nnew\r\n')
  })

  it('that empty everything hold memory up for moments, not until the connection ends', async () => {
    const front = await frontBefore(redis.url)
    const loader = clientOf(front)
    const reader = clientOf(front)

    loader.send(Buffer.concat([request('CLIENT', 'REPLY', 'OFF'), request('FLUSHALL'), request('SET', 'k', 'behind')]))
    await until(async () => (await reader.ask('GET', 'k')) === '$6\r\nbehind\r\n', 'the write behind it')

    await redis.command('SET', 'other', 'v')
    await warm(front, reader, 'other')
    expect(await reader.ask('GET', 'k')).toBe('$6\r\nbehind\r\n')
  })

  it('are confirmed, where replies come again, once memory has followed', async () => {
    const front = await frontBefore(redis.url)
    const loader = clientOf(front)
    const reader = clientOf(front)
    loader.send(Buffer.concat([request('CLIENT', 'REPLY', 'OFF'), sets('mass', WRITES, 'a'), request('CLIENT', 'REPLY', 'ON')]))
    await loader.take(1)
    await warm(front, reader, 'mass:1')

    for (let round = 0; round < 200; round += 1) {
      expect(await loader.ask('SET', 'mass:1', `round ${round}`)).toBe('+OK\r\n')
      const value = `round ${round}`
      expect(await reader.ask('GET', 'mass:1')).toBe(`$${value.length}\r\n${value}\r\n`)
    }
  })
})
