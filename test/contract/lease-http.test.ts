import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seeOne } from '../support/fleet-here.ts'
import { type GatewayHere, gatewayBefore, originHere } from '../support/gateway-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const SECRET = Buffer.alloc(32, 7).toString('base64')

async function open(count: number, originUrl: string, more: object = {}): Promise<GatewayHere[]> {
  await redis.command('FLUSHALL')
  const l2 = { url: redis.url, deadline: '2s', lease: { deadline: '2s' }, ...more }
  const gateways = await Promise.all(Array.from({ length: count }, () => gatewayBefore(originUrl, { l2 })))
  await until(() => gateways.every(({ gateway }) => gateway.cache.engine.shared?.isBlind === false), 'the log to be seen')
  return gateways
}

const counted = (gateways: readonly GatewayHere[], name: 'leasesStreamed'): number =>
  gateways.reduce((sum, { gateway }) => sum + (gateway.cache.stats().counts[name] ?? 0), 0)

describe('gateways that stream one answer to each other', () => {
  it.each([
    ['small', 1000, {}],
    ['of many pieces', 900_000, {}],
    ['larger than what is stored', 6_000_000, {}],
    ['that is encrypted on its way', 300_000, { encryption: [{ id: 'a', secret: SECRET }] }],
  ])(
    'give all of them a body %s, whole',
    async (_, length, more) => {
      let asked = 0
      const body = Buffer.alloc(length, 'abcdefghij-')
      const originUrl = await originHere((_req, res) => {
        asked += 1
        setTimeout(() => {
          res.writeHead(200, { 'cache-control': 'max-age=60', 'content-type': 'text/plain' })
          res.write(body.subarray(0, length / 2))
          setTimeout(() => res.end(body.subarray(length / 2)), 300)
        }, 300)
      })
      const gateways = await open(3, originUrl, more)

      const first = seeOne(gateways[0]?.port ?? 0, '/b')
      await pause(100)
      const seen = await Promise.all([first, ...gateways.slice(1).map(({ port }) => seeOne(port, '/b'))])

      expect(seen.map((one) => [one.status, one.isBroken, one.body.length])).toEqual(seen.map(() => [200, false, length]))
      expect(seen.every((one) => one.body === body.toString('latin1'))).toBe(true)
      expect(asked).toBe(1)
      expect(counted(gateways, 'leasesStreamed')).toBe(2)
    },
    60_000,
  )

  it('sends who comes too late for a large body to the origin at once', async () => {
    const originUrl = await originHere((_req, res) => {
      res.writeHead(200, { 'cache-control': 'max-age=60' })
      res.write(Buffer.alloc(3_000_000))
      setTimeout(() => res.end(), 1500)
    })
    const gateways = await open(2, originUrl)
    const first = seeOne(gateways[0]?.port ?? 0, '/b')
    await pause(300)
    const begunAt = performance.now()
    const second = await seeOne(gateways[1]?.port ?? 0, '/b')
    await first

    expect(second.body.length).toBe(3_000_000)
    expect(second.firstAt - begunAt).toBeLessThan(900)
  }, 60_000)

  it('breaks off at all of them what the origin breaks off, and stores none of it', async () => {
    let asked = 0
    const originUrl = await originHere((_req, res) => {
      asked += 1
      if (asked > 1) return void res.writeHead(200, { 'cache-control': 'max-age=60' }).end('whole')
      res.writeHead(200, { 'cache-control': 'max-age=60' })
      res.write('half')
      setTimeout(() => res.destroy(), 300)
    })
    const gateways = await open(3, originUrl)
    const first = seeOne(gateways[0]?.port ?? 0, '/b')
    await pause(100)
    const seen = await Promise.all([first, ...gateways.slice(1).map(({ port }) => seeOne(port, '/b'))])

    expect(seen.map(({ isBroken }) => isBroken)).toEqual([true, true, true])
    for (const { port } of gateways) expect((await seeOne(port, '/b')).body).toBe('whole')
  }, 60_000)

  it('gives nobody who comes after an invalidation what was read before it', async () => {
    let asked = 0
    const originUrl = await originHere((_req, res) => {
      const nth = (asked += 1)
      res.writeHead(200, { 'cache-control': 'max-age=60', 'surrogate-key': 'thing' })
      res.write(`answer ${nth} `)
      setTimeout(() => res.end('end'), 400)
    })
    const gateways = await open(2, originUrl)
    const [a, b] = gateways as [GatewayHere, GatewayHere]
    const first = seeOne(a.port, '/b')
    await until(() => asked === 1, 'the reading to begin')
    await a.gateway.cache.invalidate({ tags: ['thing'] })
    const later = await seeOne(b.port, '/b')
    await first

    expect(later.body).toBe('answer 2 end')
    expect((await seeOne(a.port, '/b')).body).not.toContain('answer 1')
    expect((await seeOne(b.port, '/b')).body).not.toContain('answer 1')
  }, 60_000)

  it('keeps the variants of one URL apart', async () => {
    const originUrl = await originHere((req, res) => {
      const language = String(req.headers['accept-language'])
      res.writeHead(200, { 'cache-control': 'max-age=60', vary: 'accept-language' })
      setTimeout(() => res.end(language), 200)
    })
    const gateways = await open(3, originUrl)
    const wishes = gateways.flatMap(({ port }) => ['de', 'fr', 'de'].map((language) => ({ port, language })))

    const seen = await Promise.all(wishes.map(({ port, language }) => seeOne(port, '/v', { 'accept-language': language })))

    expect(seen.map(({ body }) => body)).toEqual(wishes.map(({ language }) => language))
  }, 60_000)
})
