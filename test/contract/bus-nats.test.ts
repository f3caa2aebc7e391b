import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import { type NatsHere, startNats, startNatsCluster } from '../support/nats-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

const BLIND_MS = 400
const LONG = { timeout: 30_000 }
const OPTIONS = { tags: ['t'], budget: '1m' } as const
/** What is looked at is the log, not the second level. */
const MEMORY = { ...OPTIONS, tiers: ['memory'] } as const

let redis: RedisHere
let nats: NatsHere
beforeAll(async () => {
  redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
  nats = await startNats()
})
afterAll(async () => {
  await Promise.all([redis.stop(), nats.stop()])
})

let stands = 0
let prefix = ''
beforeEach(() => {
  stands += 1
  prefix = `nats${stands}:`
})

/** Machines whose log stands in NATS and whose second level stands in Redis, all of them in sight of both. */
async function machines(count: number, bus: object = {}): Promise<Cache[]> {
  const l2 = { url: redis.url, prefix, deadline: '1s', bus: { url: nats.url, blindAfter: BLIND_MS, ...bus } }
  const caches = Array.from({ length: count }, () => createCache({ l2 }))
  onTestFinished(async () => void (await Promise.all(caches.map((cache) => cache.close()))))
  for (const cache of caches) await until(() => cache.engine.shared?.isBlind === false, 'the log to be in sight')
  for (const cache of caches) await until(() => cache.engine.second?.isUp === true, 'the second level')
  return caches
}

async function inSight(caches: readonly Cache[]): Promise<void> {
  await until(() => {
    const names = new Set(caches.map(({ engine }) => engine.shared?.generation))
    return names.size === 1 && caches.every(({ engine }) => engine.shared?.isBlind === false)
  }, 'one log that all of them see')
}

/** A key's answer as its origin tells it now. */
function origin(): { version: number; load: () => Promise<number> } {
  const at = { version: 1, load: async (): Promise<number> => at.version }
  return at
}

async function sure(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, BLIND_MS * 1.5)) // until the list of members is
}

describe('machines whose log stands in NATS', () => {
  it('have all followed when an invalidation resolves, and say so', async () => {
    const [a, b, c] = (await machines(3)) as [Cache, Cache, Cache]
    const at = origin()
    for (const cache of [a, b, c]) await cache.fetch('k', MEMORY, at.load)
    await sure()

    at.version = 2
    const { nodes, matched } = await a.invalidate({ tags: ['t'] })

    expect(nodes).toEqual({ expected: 3, acknowledged: 3 })
    expect(matched).toBe(3)
    for (const cache of [a, b, c]) expect((await cache.fetch('k', MEMORY, at.load)).data).toBe(2)
  })

  it('share what the second level holds, and believe none of it that was invalidated', async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    await a.fetch('k', OPTIONS, async () => 'old')
    await a.engine.second?.idle()
    expect((await b.fetch('k', OPTIONS, async () => 'loaded')).data).toBe('old')

    const { token } = await a.invalidate({ tags: ['t'] })

    expect((await b.fetch('k', { ...OPTIONS, token }, async () => 'new')).data).toBe('new')
  })

  it('keep their order and lose nothing when many speak at once', LONG, async () => {
    const caches = await machines(3)
    const all = caches.flatMap((cache, i) => Array.from({ length: 100 }, (_, n) => cache.invalidate({ tags: [`own:${i}:${n}`] })))
    const told = await Promise.all(all)
    const places = told.map(({ token }) => Number(token.split('.')[1]))
    expect(new Set(places).size).toBe(300)
    await until(() => caches.every(({ engine }) => engine.shared?.applied === 300), 'all of them everywhere')
  })

  it('give up nothing of what was invalidated while the server stood still', LONG, async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    const at = origin()
    for (const cache of [a, b]) await cache.fetch('k', MEMORY, at.load)
    nats.freeze()
    onTestFinished(() => nats.thaw())
    at.version = 2

    const beganAt = performance.now()
    const { token, nodes } = await a.invalidate({ tags: ['t'] })
    expect(performance.now() - beganAt).toBeLessThan(BLIND_MS * 1.25 + 500)
    expect(nodes.acknowledged).toBeLessThan(nodes.expected)
    expect((await a.fetch('k', MEMORY, at.load)).data).toBe(2)
    expect((await b.fetch('k', { ...MEMORY, token }, at.load)).data).toBe(2)

    await until(() => b.engine.shared?.isBlind === true, 'the other to be blind')
    nats.thaw()
    await inSight([a, b])
    await until(() => (b.engine.shared?.applied ?? 0) >= 1, 'the record')
    expect((await b.fetch('k', MEMORY, at.load)).data).toBe(2)
  })

  it.each([
    ['killed and started again with its data', async () => nats.restart({ withData: true })],
    ['killed and started again without its data', async () => nats.restart({ withData: false })],
    ['emptied', async () => nats.purge(prefix)],
    ['robbed of the stream', async () => nats.drop(prefix)],
  ])('trust nothing from before the server was %s', LONG, async (_, breakIt) => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    const at = origin()
    for (const cache of [a, b]) await cache.fetch('k', OPTIONS, at.load)
    const { token } = await a.invalidate({ tags: ['other'] })
    await b.engine.second?.idle()
    const former = a.engine.shared?.generation

    await breakIt()
    await until(() => [a, b].every(({ engine }) => engine.shared?.generation !== former), 'another log')
    await inSight([a, b])

    expect(b.peek('k')).toBeUndefined()
    at.version = 2
    expect((await b.fetch('k', { ...OPTIONS, token }, at.load)).data).toBe(2)
    const settled = await a.invalidate({ tags: ['t'] })
    expect(b.peek('k')).toBeUndefined()
    expect(settled.token.split('.')[0]).not.toBe(former)
  })

  it('answer within their budget while the server is away, and say everything afterwards', LONG, async () => {
    const [a, b] = (await machines(2, { blind: 'budget' })) as [Cache, Cache]
    const at = origin()
    for (const cache of [a, b]) await cache.fetch('k', MEMORY, at.load)
    await nats.kill()
    await until(() => [a, b].every(({ engine }) => engine.shared?.isBlind === true), 'both to be blind')
    expect((await b.fetch('k', MEMORY, at.load)).data).toBe(1)

    at.version = 2
    await a.invalidate({ tags: ['t'] })
    await nats.restart({ withData: true })
    await inSight([a, b])

    await until(async () => (await b.fetch('k', MEMORY, at.load)).data === 2, 'the other to follow')
  })

  it('believe nothing of a second level whose server was another, though the log goes on', LONG, async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    await a.fetch('k', OPTIONS, async () => 'old')
    await a.engine.second?.idle()
    const { generation } = a.engine.shared as { generation: string }

    await redis.restart({ withData: true })
    await until(() => [a, b].every(({ engine }) => engine.second?.isUp === true), 'the second level')

    expect(b.engine.shared?.generation).toBe(generation)
    expect(a.peek('k')).toBe('old')
    expect((await b.fetch('k', OPTIONS, async () => 'loaded')).data).toBe('loaded')
  })
})

describe('machines whose log stands in a cluster of NATS', () => {
  it('go on where the server that holds it is another than they speak to, and are blind while it is away', {
    timeout: 60_000,
  }, async () => {
    const cluster = await startNatsCluster()
    onTestFinished(() => cluster.stop())
    const [a, b] = (await machines(2, { url: cluster.url, blindAfter: 1000 })) as [Cache, Cache]
    const at = origin()
    for (const cache of [a, b]) await cache.fetch('k', MEMORY, at.load)
    const former = a.engine.shared?.generation

    for (const server of cluster.servers) {
      await server.kill()
      await server.restart({ withData: true })
    }
    await until(() => [a, b].every(({ engine }) => engine.shared?.generation !== former), 'another log', 30_000)
    await inSight([a, b])

    at.version = 2
    await a.invalidate({ tags: ['t'] })
    await until(async () => (await b.fetch('k', MEMORY, at.load)).data === 2, 'the other to follow')
  })
})

describe('a log over NATS that cannot be had', () => {
  it('refuses a URL that is none, without showing what is secret in it', () => {
    const url = 'nats://user:s3cret@host:99999'
    expect(() => createCache({ l2: { url: redis.url, bus: { url } } })).toThrow(/FC_OPTION.*l2\.bus\.url.*nats:\/\//s)
    expect(() => createCache({ l2: { url: redis.url, bus: { url } } })).not.toThrow(/s3cret/)
  })
})
