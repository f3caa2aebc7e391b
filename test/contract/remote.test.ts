import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import type { RedisPort } from '../../src/tier/redis-port.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { createRemote } from '../../src/tier/remote.ts'
import type { RemotePort } from '../../src/tier/remote-port.ts'
import { type RedisHere, startCluster, startRedis, until } from '../support/redis-here.ts'
import { RemoteModel, RemoteStore } from '../support/remote-model.ts'
import { remoteContract } from './remote.ts'

const DEADLINE_MS = 1000
const closers: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})

async function openRedis(url: string): Promise<RedisPort> {
  const redis = createRedis({ target: parseRedisUrl(url), clock: systemClock(), random: createRandom(1) })
  closers.push(() => redis.close())
  expect(await redis.ready(10_000)).toBe(true)
  return redis
}

function remoteOn(redis: RedisPort): RemotePort {
  const limits = { maxEntryBytes: 1024 * 1024, maxMs: 86_400_000 }
  return createRemote({ redis, clock: systemClock(), prefix: 'test:', hidesKeys: false, ...limits })
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

remoteContract('memory, as it is meant', async () => {
  const clock = createVirtualClock()
  const store = new RemoteStore(() => clock.now() + 5_000_000)
  return { remote: new RemoteModel(store, clock), clock, slackMs: 0, wait: async (ms) => clock.advance(ms) }
})

remoteContract('one Redis', async () => {
  const server = await startRedis()
  closers.push(() => server.stop())
  return { remote: remoteOn(await openRedis(server.url)), clock: systemClock(), slackMs: 100, wait }
})

remoteContract('a cluster of three masters', async () => {
  const cluster = await startCluster()
  closers.push(() => cluster.stop())
  return { remote: remoteOn(await openRedis(cluster.url)), clock: systemClock(), slackMs: 100, wait }
})

describe('a second level in Redis, when things go wrong', () => {
  async function stand(args: readonly string[] = []): Promise<{ server: RedisHere; remote: RemotePort }> {
    const server = await startRedis(args)
    closers.push(() => server.stop())
    return { server, remote: remoteOn(await openRedis(server.url)) }
  }

  function entry(key: string, envelope = Buffer.from('x')): Parameters<RemotePort['write']>[0] {
    const now = systemClock().now()
    return { key, generation: 'log', asOf: 1, storedAt: now, endsAt: now + 60_000, envelope }
  }

  it('gives an entry its whole age though its writing hung in a frozen server', async () => {
    const { server, remote } = await stand()
    await remote.write(entry('warm'), DEADLINE_MS)
    const item = entry('late')
    server.freeze()
    await wait(50) // until it really stands still
    const writing = remote.write(item, 50).catch((error: { code: string }) => error.code)
    await wait(600)
    server.thaw()
    expect(await writing).toBe('FC_L2_TIMEOUT')
    await until(() => remote.isUp, 'the server')

    await until(async () => (await remote.readMany(['late'], DEADLINE_MS))[0] !== undefined, 'the late write', 5000)
    const [found] = await remote.readMany(['late'], DEADLINE_MS)

    expect(found?.storedAt).toBeLessThanOrEqual(item.storedAt)
  })

  it('evicts and goes on where memory is full, and refuses only writes where nothing may be evicted', async () => {
    const evicting = await stand(['--maxmemory', '4mb', '--maxmemory-policy', 'allkeys-lru'])
    const full = await stand(['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'])
    const body = Buffer.alloc(100_000)
    const codes = new Set<string>()
    for (let i = 0; i < 60; i += 1) {
      expect(await evicting.remote.write(entry(`e${i}`, body), DEADLINE_MS)).toBe('written')
      await full.remote.write(entry(`f${i}`, body), DEADLINE_MS).catch((error: { code: string }) => codes.add(error.code))
    }

    const left = Number(await evicting.server.command('DBSIZE'))
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(60)
    expect(codes).toEqual(new Set(['FC_L2_REPLY']))
    expect((await full.remote.readMany(['f0'], DEADLINE_MS))[0]?.envelope.byteLength).toBe(100_000)
  })

  it('takes what is no text for nothing, on one server and in a cluster', async () => {
    const { server, remote } = await stand()
    const cluster = await startCluster()
    closers.push(() => cluster.stop())
    const redis = await openRedis(cluster.url)
    await server.command('HSET', 'test:k:odd', 'a', 'b')
    await redis.call(['HSET', 'test:k:odd', 'a', 'b'], { deadlineMs: DEADLINE_MS, key: 'test:k:odd' })

    expect(await remote.readMany(['odd', 'none'], DEADLINE_MS)).toEqual([undefined, undefined])
    expect(await remoteOn(redis).readMany(['odd', 'none'], DEADLINE_MS)).toEqual([undefined, undefined])
  }, 60_000)

  it('refuses a write that finds the clock set back since it was sent: nobody could say how long it was under way', async () => {
    const server = await startRedis()
    closers.push(() => server.stop())
    // Seen from the store, a writer whose clock leaps ahead is what a store set back is, seen from the writer.
    let aheadMs = 0
    const clock = { ...systemClock(), now: () => systemClock().now() + aheadMs }
    const limits = { maxEntryBytes: 1024, maxMs: 86_400_000 }
    const remote = createRemote({ redis: await openRedis(server.url), clock, prefix: 'test:', hidesKeys: false, ...limits })
    const write = (): Promise<string> => {
      const storedAt = clock.now()
      const item = { key: 'k', generation: 'log-a', asOf: 1, storedAt, endsAt: storedAt + 60_000, envelope: Buffer.from('v') }
      return remote.write(item, DEADLINE_MS)
    }
    expect(await write()).toBe('written')
    aheadMs = 10_000

    const refused = await write()

    expect(refused).toBe('unsure')
    expect(await write()).toBe('written') // it has learned the new clock
  })

  it('believes nothing of a former run of the server, whose clock was another', async () => {
    const { server, remote } = await stand(['--appendonly', 'yes', '--appendfsync', 'always'])
    await remote.write(entry('kept'), DEADLINE_MS)
    expect((await remote.readMany(['kept'], DEADLINE_MS))[0]).toBeDefined()

    await server.restart({ withData: true })
    await until(() => remote.isUp, 'the server')

    expect(await server.command('EXISTS', 'test:k:kept')).toBe(1)
    expect((await remote.readMany(['kept'], DEADLINE_MS))[0]).toBeUndefined()
    await remote.write({ ...entry('kept'), asOf: 0 }, DEADLINE_MS)
    expect((await remote.readMany(['kept'], DEADLINE_MS))[0]).toBeDefined()
  })

  it('shows neither KEYS nor SCAN nor FLUSH to who watches', async () => {
    const { server, remote } = await stand()
    await server.command('CONFIG', 'RESETSTAT')
    for (let i = 0; i < 200; i += 1) await remote.write(entry(`k${i}`), DEADLINE_MS)
    await remote.readMany(['k1', 'k2', 'none'], DEADLINE_MS)
    await remote.delete(['k1'], DEADLINE_MS)

    const used = String(await server.command('INFO', 'commandstats'))
    const names = [...used.matchAll(/cmdstat_([\w|-]+):/g)].map((match) => match[1])
    expect(new Set(names)).toEqual(
      new Set(
        [
          'info',
          'config|resetstat',
          'client|setname',
          'evalsha',
          'eval',
          'time',
          'get',
          'getrange',
          'set',
          'strlen',
          'unlink',
        ].filter((name) => names.includes(name)),
      ),
    )
    expect(names).toContain('evalsha')
  })
})
