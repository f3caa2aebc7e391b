import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { CacheOptions } from '../../src/flow/options.ts'
import { systemClock } from '../../src/model/clock.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import { RedisLog } from '../../src/tier/redis-log.ts'
import { StreamLink } from '../../src/tier/stream-link.ts'
import { type GatewayHere, gatewayBefore, originHere } from '../support/gateway-here.ts'
import { LogGate } from '../support/log-gate.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

const BLIND_MS = 400

type Bus = NonNullable<CacheOptions['l2']>['bus']

let server: RedisHere
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

let stands = 0

/** Machines on one log, all of them in sight of it. */
async function machines(count: number, bus: Bus = {}): Promise<Cache[]> {
  stands += 1
  const l2 = { url: server.url, prefix: `bus${stands}:`, bus: { blindAfter: BLIND_MS, ...bus } }
  const caches = Array.from({ length: count }, () => createCache({ l2 }))
  onTestFinished(async () => void (await Promise.all(caches.map((cache) => cache.close()))))
  for (const cache of caches) await until(() => cache.engine.shared?.isBlind === false, 'the log to be in sight')
  return caches
}

/** A key's answer as its origin tells it now. */
function origin(): { version: number; load: () => Promise<number>; asked: number } {
  const at = {
    version: 1,
    asked: 0,
    load: async (): Promise<number> => {
      at.asked += 1
      return at.version
    },
  }
  return at
}

/** Memory alone: what is looked at is the log, not the second level. */
const OPTIONS = { tags: ['t'], budget: '1m', tiers: ['memory'] } as const

describe('machines that share a log', () => {
  it('have all followed when an invalidation resolves, and say so', async () => {
    const [a, b, c] = (await machines(3)) as [Cache, Cache, Cache]
    const at = origin()
    for (const cache of [a, b, c]) await cache.fetch('k', OPTIONS, at.load)
    await new Promise((resolve) => setTimeout(resolve, BLIND_MS * 1.5)) // until the list of members is sure

    at.version = 2
    const { nodes, matched } = await a.invalidate({ tags: ['t'] })

    expect(nodes).toEqual({ expected: 3, acknowledged: 3 })
    expect(matched).toBe(3)
    for (const cache of [a, b, c]) expect((await cache.fetch('k', OPTIONS, at.load)).data).toBe(2)
  })

  it('invalidate a tag with very many entries as fast as one with few', async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    await new Promise((resolve) => setTimeout(resolve, BLIND_MS * 1.5))
    for (let i = 0; i < 20_000; i += 1) void b.engine.keep(b.engine.begin(`many:${i}`, { tags: ['many'] }), entry(i))
    const { matched, nodes } = await a.invalidate({ tags: ['many'] })
    expect(matched).toBe(20_000)
    expect(nodes.acknowledged).toBe(2)
    expect(b.peek('many:7')).toBeUndefined()
  })

  it('supersede by a plain write what the others have', async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    await b.fetch('k', { ...OPTIONS }, async () => 'old')
    await a.set('k', 'new', { budget: '1m' })
    await until(() => b.peek('k') === undefined, 'the other to follow')
    await a.engine.second?.idle()
    expect((await b.fetch('k', { budget: '1m' }, async () => 'loaded')).data).toBe('new')
  })

  it('name namespaces that only others have', async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    const space = b.namespace('only-there')
    await space.fetch('k', OPTIONS, async () => 1)
    await a.invalidate({ namespaces: ['only-there'] })
    await until(() => space.peek('k') === undefined, 'the other to follow')
  })

  it('give up nothing of what was invalidated while the server stood still', { timeout: 20_000 }, async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    const at = origin()
    for (const cache of [a, b]) await cache.fetch('k', OPTIONS, at.load)
    server.freeze()
    onTestFinished(() => server.thaw())
    at.version = 2

    const beganAt = performance.now()
    const { token, nodes } = await a.invalidate({ tags: ['t'] })
    expect(performance.now() - beganAt).toBeLessThan(BLIND_MS * 1.25 + 500)
    expect(nodes.acknowledged).toBeLessThan(nodes.expected)
    expect((await a.fetch('k', OPTIONS, at.load)).data).toBe(2)
    expect((await b.fetch('k', OPTIONS, at.load)).data).toBe(1) // within its budget
    expect((await b.fetch('k', { ...OPTIONS, token }, at.load)).data).toBe(2)

    await until(() => b.engine.shared?.isBlind === true, 'the other to be blind')
    server.thaw()
    await until(() => b.engine.shared?.isBlind === false && a.engine.shared?.isBlind === false, 'both to see')
    await until(() => (b.engine.shared?.applied ?? 0) > 0, 'the record') // twice, where an answer was lost
    expect((await b.fetch('k', OPTIONS, at.load)).data).toBe(2)
    expect(b.stats().counts.blindSeconds).toBeGreaterThan(0)
  })

  it('ask the origin, or nobody, while blind, where that is their policy; and then what stood stands', {
    timeout: 20_000,
  }, async () => {
    const [misses] = (await machines(1, { blind: 'miss' })) as [Cache]
    const [fails] = (await machines(1, { blind: 'fail' })) as [Cache]
    const at = origin()
    for (const cache of [misses, fails]) await cache.fetch('k', OPTIONS, at.load)
    server.freeze()
    onTestFinished(() => server.thaw())
    await until(() => [misses, fails].every(({ engine }) => engine.shared?.isBlind === true), 'both to be blind')

    const asked = at.asked
    expect((await misses.fetch('k', OPTIONS, at.load)).cached).toBe(false)
    expect(at.asked).toBe(asked + 1)
    expect(misses.peek('k')).toBeUndefined()
    await expect(fails.fetch('k', OPTIONS, at.load)).rejects.toMatchObject({ code: 'FC_LINK_BLIND', status: 503 })

    server.thaw()
    await until(() => [misses, fails].every(({ engine }) => engine.shared?.isBlind === false), 'both to see')
    expect((await misses.fetch('k', OPTIONS, at.load)).cached).toBe(true)
    expect((await fails.fetch('k', OPTIONS, at.load)).cached).toBe(true)
  })

  it('trust nothing from before a restart of the server without its data', { timeout: 20_000 }, async () => {
    const [a, b] = (await machines(2)) as [Cache, Cache]
    const at = origin()
    for (const cache of [a, b]) await cache.fetch('k', OPTIONS, at.load)
    const { token } = await a.invalidate({ tags: ['other'] })
    await server.kill()
    await server.restart({ withData: false })
    await until(() => [a, b].every(({ engine }) => engine.shared?.isBlind === false && engine.token() !== token), 'a new log')
    await until(() => a.engine.shared?.generation === b.engine.shared?.generation, 'one log')
    expect(token.split('.')[0]).not.toBe(a.engine.shared?.generation)
    expect(b.peek('k')).toBeUndefined()
    at.version = 2
    expect((await b.fetch('k', { ...OPTIONS, token }, at.load)).data).toBe(2)
  })

  it('give the bearer of a token what he wrote, on a machine that hears everything late', async () => {
    const [a] = (await machines(1)) as [Cache]
    const redis = createRedis({ target: parseRedisUrl(server.url), clock: systemClock(), random: Math.random })
    const log = new RedisLog({ redis, prefix: `bus${stands}:`, memberTtlMs: 60_000, maxRecords: 1000 })
    const store = new LogGate(log, () => 5000)
    const link = new StreamLink({ clock: systemClock(), store, blindAfterMs: 40_000, ackMs: 100 })
    const late = createCache()
    late.engine.join(link, 'budget')
    onTestFinished(async () => {
      await link.close(100)
      redis.close()
    })
    await until(() => late.engine.shared?.isBlind === false, 'the log to be in sight')
    const at = origin()
    for (const cache of [a, late]) await cache.fetch('k', OPTIONS, at.load)

    at.version = 2
    const { token } = await a.invalidate({ tags: ['t'] })

    expect((await late.fetch('k', { ...OPTIONS, budget: '1m' }, at.load)).data).toBe(1) // it has not heard, and nobody asks it to
    expect((await late.fetch('k', { ...OPTIONS, token }, at.load)).data).toBe(2)
    expect((await a.fetch('k', { ...OPTIONS, token }, at.load)).data).toBe(2)
    expect((await late.fetch('k', OPTIONS, at.load)).data).toBe(2)
  })
})

describe('gateways that share a log', () => {
  it('let a browser read what it wrote, whichever of them it asks', async () => {
    stands += 1
    let version = 1
    const url = await originHere((req, res) => {
      if (req.method === 'POST') version += 1
      res.writeHead(200, { 'cache-control': 'max-age=60' }).end(`v${version}`)
    })
    const routes = [{ name: 'own', match: { path: '/own', methods: ['GET', 'POST'] }, readYourWrites: 'cookie' as const }]
    const l2 = { url: server.url, prefix: `bus${stands}:`, bus: { blindAfter: BLIND_MS } }
    const nodes = [await gatewayBefore(url, { routes, l2 }), await gatewayBefore(url, { routes, l2 })] as [
      GatewayHere,
      GatewayHere,
    ]
    for (const { gateway } of nodes) await until(() => gateway.cache.engine.shared?.isBlind === false, 'the log to be in sight')
    const ask = async (node: GatewayHere, method: 'GET' | 'POST', cookie?: string): Promise<{ text: string; cookie: string }> => {
      const headers = { host: 'shop', ...(cookie === undefined ? {} : { cookie }) }
      const { headers: fields, body } = await request(`${node.url}/own`, { method, headers })
      return { text: await body.text(), cookie: String(fields['set-cookie'] ?? '').split(';')[0] as string }
    }
    const [a, b] = nodes
    expect([(await ask(a, 'GET')).text, (await ask(b, 'GET')).text]).toEqual(['v1', 'v1'])

    const { cookie } = await ask(a, 'POST')

    expect(cookie).toMatch(/^forecache-token=[\w-]+\.\d+$/)
    expect((await ask(b, 'GET', cookie)).text).toBe('v2')
    expect((await ask(a, 'GET', cookie)).text).toBe('v2')
    expect((await ask(b, 'GET', 'forecache-token=elsewhere.7')).text).toBe('v2')
  })
})

describe('a gateway that has lost sight of the log', () => {
  it('does what each route says', { timeout: 20_000 }, async () => {
    stands += 1
    let asked = 0
    const url = await originHere((_, res) => {
      asked += 1
      res.writeHead(200, { 'cache-control': 'max-age=60' }).end(`v${asked}`)
    })
    const routes = [
      { name: 'miss', match: { path: '/miss' }, blind: 'miss' as const },
      { name: 'fail', match: { path: '/fail' }, blind: 'fail' as const },
    ]
    const l2 = { url: server.url, prefix: `bus${stands}:`, bus: { blindAfter: BLIND_MS } }
    const { gateway, url: at } = await gatewayBefore(url, { routes, l2 })
    const shared = gateway.cache.engine.shared
    await until(() => shared?.isBlind === false, 'the log to be in sight')
    const get = async (path: string): Promise<string> => {
      const { statusCode, headers, body } = await request(at + path, { headers: { host: 'shop' } })
      await body.dump()
      return `${statusCode} ${headers['x-cache'] ?? ''}`
    }
    for (const path of ['/budget', '/miss', '/fail'])
      for (const cache of ['MISS', 'HIT']) expect(await get(path)).toBe(`200 ${cache}`)

    server.freeze()
    onTestFinished(() => server.thaw())
    await until(() => shared?.isBlind === true, 'the gateway to be blind')

    expect(await get('/budget')).toBe('200 HIT')
    expect(await get('/miss')).not.toBe('200 HIT')
    expect(await get('/fail')).toMatch(/^503/)
    server.thaw()
    await until(() => shared?.isBlind === false, 'the log to be in sight')
    for (const path of ['/budget', '/miss', '/fail']) expect(await get(path)).toBe('200 HIT')
  })
})

function entry(value: number): { value: number; bytes: number; budget: { freshMs: number; staleMs: number; onErrorMs: number } } {
  return { value, bytes: 8, budget: { freshMs: 60_000, staleMs: 60_000, onErrorMs: 60_000 } }
}
