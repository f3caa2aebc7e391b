/**
 * The front and its tracking connection: cut, late, refused; causality in its three forms; other ways to an upstream.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayOptions } from '../../src/entry/gateway.ts'
import { type FrontHere, frontBefore, RawRedis, request, startFront } from '../support/front-here.ts'
import { openWay, type Way } from '../support/hook-clients.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere
let way: Way
beforeAll(async () => {
  redis = await startRedis()
  way = await openWay(redis.port)
})
afterAll(async () => {
  await way.close()
  await redis.stop()
})
beforeEach(() => redis.command('FLUSHALL'))

async function frontOnWay(wish: GatewayOptions['resp'] = {}): Promise<FrontHere> {
  return frontBefore(`redis://127.0.0.1:${way.port}`, wish)
}

function clientOf(front: FrontHere): RawRedis {
  const client = new RawRedis(front.port)
  onTestFinished(() => client.close())
  return client
}

function hits(front: FrontHere): number {
  return front.gateway.cache.engine.meter.read('respHits')
}

/** Asks until memory answers. */
async function warm(front: FrontHere, client: RawRedis, key: string): Promise<void> {
  await until(async () => {
    const before = hits(front)
    await client.ask('GET', key)
    return hits(front) > before
  }, `a hit of ${key}`)
}

describe('front: the tracking connection', () => {
  it('is missed at once: nothing is answered from memory, and what was kept is dropped', async () => {
    const front = await frontOnWay()
    const client = clientOf(front)
    await redis.command('SET', 'k', 'old')
    await warm(front, client, 'k')

    way.cutTracking()
    await redis.command('SET', 'k', 'new')
    await until(async () => (await client.ask('GET', 'k')) === '$3\r\nnew\r\n', 'the new value', 1000)

    await until(() => front.gateway.resp?.isCovered === true, 'another tracking connection')
    await warm(front, client, 'k')
    expect(await client.ask('GET', 'k')).toBe('$3\r\nnew\r\n')
  })

  it('bounds by maxStaleMs what is read when it falls silent', async () => {
    const front = await frontOnWay({ maxStaleMs: 200 })
    const client = clientOf(front)
    await redis.command('SET', 'k', 'old')
    await warm(front, client, 'k')

    way.delayTracking(Number.POSITIVE_INFINITY)
    await redis.command('SET', 'k', 'new')
    const changed = performance.now()
    await until(async () => (await client.ask('GET', 'k')) === '$3\r\nnew\r\n', 'the new value', 2000)
    const lasted = performance.now() - changed
    way.delayTracking(0)

    expect(lasted).toBeLessThan(200 + 60)
  })

  it('is done without where the upstream refuses it', async () => {
    const poor = await startRedis()
    onTestFinished(() => poor.stop())
    await poor.command('ACL', 'SETUSER', 'poor', 'on', '>pw', '~*', '+@all', '-client')
    const front = await startFront(`redis://poor:pw@127.0.0.1:${poor.port}`, {}, false)
    onTestFinished(() => front.stop())
    const client = clientOf(front)

    await client.ask('SET', 'k', 'v')
    for (let i = 0; i < 5; i += 1) expect(await client.ask('GET', 'k')).toBe('$1\r\nv\r\n')

    expect([hits(front), front.gateway.resp?.isCovered]).toEqual([0, false])
  })

  it('hands a message over once memory has followed', async () => {
    const front = await frontOnWay()
    const [reader, listener] = [clientOf(front), clientOf(front)]
    await redis.command('SET', 'goods', 'old')
    await warm(front, reader, 'goods')
    await listener.ask('SUBSCRIBE', 'news')

    way.delayTracking(30)
    await redis.command('SET', 'goods', 'new')
    await redis.command('PUBLISH', 'news', 'look')
    await listener.take(1)
    const got = await reader.ask('GET', 'goods')
    way.delayTracking(0)

    expect(got).toBe('$3\r\nnew\r\n')
  })

  it('hands a job over once memory has followed, whoever then asks', async () => {
    const front = await frontOnWay()
    const [reader, worker] = [clientOf(front), clientOf(front)]
    await redis.command('SET', 'goods', 'old')
    await warm(front, reader, 'goods')
    worker.send(request('BLPOP', 'jobs', '0'))
    await until(async () => String(await redis.command('INFO', 'clients')).includes('blocked_clients:1'), 'the wait')

    way.delayTracking(30)
    await redis.command('SET', 'goods', 'new')
    await redis.command('RPUSH', 'jobs', 'job')
    await worker.take(1)
    const got = await reader.ask('GET', 'goods')
    way.delayTracking(0)

    expect(got).toBe('$3\r\nnew\r\n')
  })

  it.each(['session', 'strict'] as const)('shows nobody the goods from before the flag (%s)', async (causality) => {
    const front = await frontOnWay({ causality })
    const client = clientOf(front)
    await redis.command('SET', 'goods', 'old')
    await warm(front, client, 'goods')

    way.delayTracking(30)
    await redis.command('SET', 'goods', 'new')
    await redis.command('SET', 'flag', 'up')
    expect(await client.ask('GET', 'flag')).toBe('$2\r\nup\r\n')
    const got = await client.ask('GET', 'goods')
    way.delayTracking(0)

    expect(got).toBe('$3\r\nnew\r\n')
  })

  it('holds what teaches for all readers together in strict', async () => {
    const front = await frontOnWay({ causality: 'strict' })
    const [one, other] = [clientOf(front), clientOf(front)]
    await redis.command('SET', 'goods', 'old')
    await warm(front, other, 'goods')

    way.delayTracking(30)
    await redis.command('SET', 'goods', 'new')
    await redis.command('SET', 'flag', 'up')
    await one.ask('GET', 'flag')
    const got = await other.ask('GET', 'goods')
    way.delayTracking(0)

    expect(got).toBe('$3\r\nnew\r\n')
  })

  it('ends a value when its time is over, though Redis itself has not noticed yet', async () => {
    const lazy = await startRedis(['--enable-debug-command', 'local'])
    onTestFinished(() => lazy.stop())
    await lazy.command('DEBUG', 'SET-ACTIVE-EXPIRE', '0')
    const front = await frontBefore(lazy.url)
    const client = clientOf(front)
    const hitsBefore = hits(front)
    await client.ask('SET', 'k', 'v', 'PX', '300')
    const began = performance.now()

    let lastSeen = 0
    while (performance.now() - began < 320) if ((await client.ask('GET', 'k')) !== '$-1\r\n') lastSeen = performance.now() - began

    expect(hits(front) - hitsBefore).toBeGreaterThan(10)
    expect(lastSeen).toBeLessThan(305)
  })
})

describe('front: other ways to an upstream', () => {
  it('goes through a Unix socket', async () => {
    const path = join(redis.directory, 'redis.sock')
    const local = await startRedis(['--unixsocket', path])
    onTestFinished(() => local.stop())
    const front = await frontBefore(`unix://${path}`)
    const client = clientOf(front)
    await client.ask('SET', 'k', 'v')

    await warm(front, client, 'k')

    expect(await client.ask('GET', 'k')).toBe('$1\r\nv\r\n')
  })
})
