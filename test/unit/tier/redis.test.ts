import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/model/clock.ts'
import { createRandom } from '../../../src/model/random.ts'
import { parseRedisUrl } from '../../../src/tier/redis-address.ts'
import { slotOf } from '../../../src/tier/redis-slots.ts'
import { createRedis, defineScript, isReply } from '../../../src/tier/redis.ts'
import type { RedisPort } from '../../../src/tier/redis-port.ts'
import {
  type RedisHere,
  type RedisSet,
  type SentinelSet,
  startCluster,
  startRedis,
  startSentinel,
  until,
} from '../../support/redis-here.ts'

const READY_MS = 5000
const OPTIONS = { deadlineMs: 1000 }

function open(url: string): RedisPort {
  return createRedis({ target: parseRedisUrl(url), clock: systemClock(), random: createRandom(1) })
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: { code: string }) => error.code,
  )
}

describe('the Redis port: one server', () => {
  let server: RedisHere
  let redis: RedisPort

  beforeAll(async () => {
    server = await startRedis()
    redis = open(server.url)
    expect(await redis.ready(READY_MS)).toBe(true)
  })

  afterAll(async () => {
    redis.close()
    await server.stop()
  })

  it('gives bulk strings as bytes, numbers as numbers, and nothing as null', async () => {
    await redis.call(['SET', 'a', Buffer.from([0, 255, 10, 13])], OPTIONS)

    expect(await redis.call(['GET', 'a'], OPTIONS)).toEqual(Buffer.from([0, 255, 10, 13]))
    expect(await redis.call(['STRLEN', 'a'], OPTIONS)).toBe(4)
    expect(await redis.call(['GET', 'none'], OPTIONS)).toBe(null)
    expect(redis.kind).toBe('single')
    expect(redis.runId()).toMatch(/^[0-9a-f]{40}$/)
  })

  it('runs a script by its digest, sending it where it is not known', async () => {
    const script = defineScript('return {KEYS[1], ARGV[1]}')
    await redis.call(['SCRIPT', 'FLUSH'], OPTIONS)

    for (let i = 0; i < 2; i += 1) {
      const reply = await redis.run(script, ['k'], { args: ['v'], ...OPTIONS })
      expect(reply).toEqual([Buffer.from('k'), Buffer.from('v')])
    }
  })

  it('gives an error reply as FC_L2_REPLY and stays up', async () => {
    const failure = await redis.call(['NOSUCH'], OPTIONS).catch((error: unknown) => error)

    expect(isReply(failure, 'ERR')).toBe(true)
    expect(redis.isUp()).toBe(true)
  })

  it('gives a session whose blocking read does not stand in the way of calls', async () => {
    const session = await redis.session()
    const waiting = session.call(['BLPOP', 'queue', '5'], 6000)

    await redis.call(['RPUSH', 'queue', 'x'], OPTIONS)

    expect(await waiting).toEqual([Buffer.from('queue'), Buffer.from('x')])
    session.close()
    expect(session.ended.aborted).toBe(true)
  })

  it('ends a session whose call has no reply in time', async () => {
    const session = await redis.session()

    expect(await codeOf(session.call(['BLPOP', 'empty', '0'], 30))).toBe('FC_L2_TIMEOUT')
    expect(session.ended.aborted).toBe(true)
  })

  it('hears the messages of a channel on a session', async () => {
    const session = await redis.session()
    const heard: string[] = []
    await session.subscribe('news', (message) => heard.push(String(message)))

    await redis.call(['PUBLISH', 'news', 'one'], OPTIONS)
    await until(() => heard.length === 1, 'the message')

    expect(heard).toEqual(['one'])
    session.close()
  })

  it('refuses calls at once while the server is frozen, and takes them again when it answers', async () => {
    const states: string[] = []
    const stop = redis.onState(({ isUp }) => states.push(isUp ? 'up' : 'down'))
    server.freeze()
    const startedAt = performance.now()
    const codes = new Set<string>()
    for (let i = 0; i < 20; i += 1) codes.add(await codeOf(redis.call(['GET', 'a'], { deadlineMs: 50 })))
    const tookMs = performance.now() - startedAt
    server.thaw()
    await until(() => redis.isUp(), 'the server to be up again')

    expect(codes).toEqual(new Set(['FC_L2_TIMEOUT', 'FC_L2_DOWN']))
    expect(tookMs).toBeLessThan(1000)
    expect(states).toEqual(['down', 'up'])
    expect(await redis.call(['PING'], OPTIONS)).toBe('PONG')
    stop()
  })

  it('stays down without hanging where nothing listens, and comes up when something does', async () => {
    const late = await startRedis()
    await late.kill()
    const port = open(late.url)
    expect(await port.ready(100)).toBe(false)
    expect(await codeOf(port.call(['PING'], OPTIONS))).toBe('FC_L2_DOWN')

    await late.restart({ withData: true })

    expect(await port.ready(READY_MS)).toBe(true)
    port.close()
    await late.stop()
  })

  it('keeps as many connections under load as it opened', async () => {
    const count = async (): Promise<number> =>
      String(await server.command('CLIENT', 'LIST'))
        .split('\n')
        .filter((row) => row.includes('name=forecache')).length - 1
    const before = await count()
    await Promise.all(Array.from({ length: 2000 }, (_, i) => redis.call(['SET', `n${i}`, 'x'], { ...OPTIONS, lane: 'behind' })))

    expect(before).toBe(2)
    expect(await count()).toBe(2)
  })

  it('logs in with the password of the URL', async () => {
    const guarded = await startRedis(['--user', 'app', 'on', '>p@ss', '~*', '&*', '+@all'])
    const port = open(guarded.url.replace('redis://', 'redis://app:p%40ss@'))

    expect(await port.ready(READY_MS)).toBe(true)
    expect(String(await port.call(['ACL', 'WHOAMI'], OPTIONS))).toBe('app')
    port.close()
    await guarded.stop()
  })
})

describe('the Redis port: a cluster', () => {
  let cluster: RedisSet
  let redis: RedisPort

  beforeAll(async () => {
    cluster = await startCluster()
    redis = open(cluster.url)
    expect(await redis.ready(READY_MS)).toBe(true)
  }, 60_000)

  afterAll(async () => {
    redis.close()
    await cluster.stop()
  })

  it('is found out from the URL alone and routed by slot', async () => {
    const keys = Array.from({ length: 60 }, (_, i) => `key:${i}`)

    await Promise.all(keys.map((key) => redis.call(['SET', key, key], { ...OPTIONS, key })))

    const read = await Promise.all(keys.map((key) => redis.call(['GET', key], { ...OPTIONS, key })))
    expect(read.map(String)).toEqual(keys)
    expect(redis.kind).toBe('cluster')
    expect(redis.list()).toHaveLength(3)
    expect(new Set(keys.map((key) => redis.runId(key))).size).toBe(3)
  })

  it('follows a slot that has moved', async () => {
    const key = 'moving'
    const slot = String(slotOf(key))
    const to = cluster.servers[0] as RedisHere
    const from = cluster.servers[2] as RedisHere
    expect(await to.command('CLUSTER', 'KEYSLOT', key)).toBe(slotOf(key))
    const [toId, fromId] = await Promise.all([to, from].map((server) => server.command('CLUSTER', 'MYID').then(String)))
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId as string)
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId as string)
    expect(await codeOf(redis.call(['GET', key], { ...OPTIONS, key }))).toBe('none') // the target is asked for it
    for (const server of [to, from]) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId as string)

    await redis.call(['SET', key, 'there'], { ...OPTIONS, key })

    expect(String(await redis.call(['GET', key], { ...OPTIONS, key }))).toBe('there')
  })

  it('refuses only what a frozen master has', async () => {
    const frozen = cluster.servers[2] as RedisHere
    const keyOf = (low: number, high: number): string => {
      for (let i = 0; ; i += 1) if (slotOf(`k${i}`) >= low && slotOf(`k${i}`) <= high) return `k${i}`
    }
    const [there, here] = [keyOf(10_923, 16_383), keyOf(0, 5000)]
    frozen.freeze()
    await until(
      async () => (await codeOf(redis.call(['GET', there], { deadlineMs: 50, key: there }))) === 'FC_L2_DOWN',
      'the breaker',
    )

    expect(await redis.call(['GET', here], { ...OPTIONS, key: here })).toBe(null)
    frozen.thaw()
    await until(() => redis.isUp(there), 'the master to be up again')
    expect(await redis.call(['GET', there], { ...OPTIONS, key: there })).toBe(null)
  })
})

describe('the Redis port: Sentinels', () => {
  let set: SentinelSet
  let redis: RedisPort

  beforeAll(async () => {
    set = await startSentinel()
    redis = open(set.url)
    expect(await redis.ready(READY_MS)).toBe(true)
  }, 60_000)

  afterAll(async () => {
    redis.close()
    await set.stop()
  })

  it('finds the master they name, and the one they name after it has died', async () => {
    const first = await set.master()
    await redis.call(['SET', 'a', '1'], OPTIONS)
    expect(redis.list()[0]?.address).toBe(`127.0.0.1:${first.port}`)
    const formerRun = redis.runId()

    await first.kill()
    await until(async () => (await codeOf(redis.call(['SET', 'a', '2'], OPTIONS))) === 'none', 'the new master', 15_000)

    expect(redis.runId()).not.toBe(formerRun)
    expect(String(await redis.call(['GET', 'a'], OPTIONS))).toBe('2')
  }, 30_000)
})
