import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { originHere } from '../support/gateway-here.ts'
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let server: RedisHere
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

interface Got {
  readonly text: string
  readonly cache: string
  readonly tookMs: number
}

async function get({ port }: GatewayProcess, path: string): Promise<Got> {
  const startedAt = performance.now()
  const { headers, body } = await request(`http://127.0.0.1:${port}${path}`, { headers: { host: 'shop' } })
  return { text: await body.text(), cache: String(headers['x-cache']), tookMs: performance.now() - startedAt }
}

async function metric({ apiPort }: GatewayProcess, name: string): Promise<number> {
  const { body } = await request(`http://127.0.0.1:${apiPort}/metrics`)
  const row = (await body.text()).split('\n').find((line) => line.startsWith(name))
  return Number(row?.split(' ').at(-1))
}

async function start(origin: string): Promise<GatewayProcess> {
  const gateway = await startGateway(origin, ['--l2', server.url])
  onTestFinished(async () => void (await gateway.stop()))
  await until(async () => (await metric(gateway, 'forecache_l2_up')) === 1, 'the second level')
  return gateway
}

describe('serve --l2', () => {
  it('lets a second instance, and one that was started anew, answer without asking the origin', async () => {
    let asked = 0
    const origin = await originHere((req, res) => {
      asked += 1
      res.writeHead(200, { 'cache-control': 'max-age=600' }).end(`${req.url}`)
    })
    const [a, b] = [await start(origin), await start(origin)]
    const paths = Array.from({ length: 20 }, (_, i) => `/p/${i}`)
    for (const path of paths) await get(a, path)
    await until(async () => (await metric(a, 'forecache_l2_writes_total{outcome="written"}')) >= paths.length, 'the writes')

    for (const path of paths) expect(await get(b, path)).toMatchObject({ text: path, cache: 'HIT' })
    await a.stop()
    const c = await start(origin)
    await until(async () => (await get(c, '/p/0')).cache === 'HIT', 'the log')
    for (const path of paths) expect(await get(c, path)).toMatchObject({ text: path, cache: 'HIT' })

    expect(asked).toBeLessThanOrEqual(paths.length + 1)
    expect([...b.errors(), ...c.errors()]).toEqual([])
  })

  it('answers hits as ever and misses from the origin while Redis is frozen, and nothing old comes back', async () => {
    let version = 1
    const origin = await originHere((_, res) => {
      res.writeHead(200, { 'cache-control': 'max-age=600' }).end(`v${version}`)
    })
    const [a, b] = [await start(origin), await start(origin)]
    await get(a, '/hit')
    await get(a, '/old')
    await until(async () => (await get(b, '/old')).cache === 'HIT', 'the other instance')
    server.freeze()
    const misses: number[] = []
    for (let i = 0; i < 20; i += 1) {
      misses.push((await get(b, `/cold/${i}`)).tookMs)
      expect((await get(a, '/hit')).cache).toBe('HIT')
    }
    version = 2
    const invalidated = a.invalidate({ prefixes: ['http://shop/'] })
    await until(async () => (await get(a, '/old')).text === 'v2', 'the purge here')
    server.thaw()
    await invalidated
    await until(async () => (await get(b, '/old')).text === 'v2', 'the purge there', 5000)

    expect(Math.max(...misses)).toBeLessThan(2000)
    expect(misses.toSorted((x, y) => x - y)[10]).toBeLessThan(200)
    for (const path of ['/hit', '/old', '/cold/1']) expect((await get(b, path)).text).toBe('v2')
    expect([...a.errors(), ...b.errors()]).toEqual([])
  })

  it('refuses a URL that is none with a clear error', async () => {
    await expect(startGateway('http://127.0.0.1:9', ['--l2', 'http://nowhere'])).rejects.toThrow(/l2\.url: expected redis:/)
  })
})
