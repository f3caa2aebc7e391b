/** Prefetching by one of several gateways: one question to the origin for all of them, whoever comes meanwhile. */
import { request } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type GatewayHere, gatewayBefore, originHere } from '../support/gateway-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

const USERS = Array.from({ length: 20 }, (_, at) => at + 1)

async function open(originUrl: string): Promise<[GatewayHere, GatewayHere]> {
  await redis.command('FLUSHALL')
  const wish = {
    l2: { url: redis.url, deadline: '2s', lease: { deadline: '2s' } },
    prefetch: { client: { header: 'x-client' }, minChance: 0.4 },
    routes: [{ name: 'all', match: { path: '/*' } }],
  }
  const [first, second] = [await gatewayBefore(originUrl, wish), await gatewayBefore(originUrl, wish)]
  const all = [first, second]
  await until(() => all.every(({ gateway }) => gateway.cache.engine.shared?.isBlind === false), 'the log to be seen')
  return [first, second]
}

async function ask({ url }: GatewayHere, client: string, path: string) {
  const { headers, body } = await request(`${url}${path}`, { headers: { 'x-client': client, host: 'shop' } })
  return { cache: headers['x-cache'], body: await body.text() }
}

const written = ({ gateway }: GatewayHere): number => gateway.cache.stats().counts.l2Writes

it('gives all of them what one has fetched, also who comes while it is on its way', async () => {
  const asked: string[] = []
  let delayMs = 150
  const originUrl = await originHere(({ url = '', headers }, response) => {
    asked.push(`${headers['sec-purpose'] ?? 'client'} ${url}`)
    setTimeout(() => response.writeHead(200, { 'cache-control': 'max-age=600' }).end(url), delayMs)
  })
  const [first, second] = await open(originUrl)
  for (const user of USERS) for (const path of [`/users/${user}`, `/users/${user}/orders`]) await ask(first, `c${user}`, path)

  await until(() => written(first) >= asked.length, 'all of it to be in the second level')
  const before = written(first) + 1 // the page itself
  await ask(first, 'x', '/users/800')
  const beforehand = 'prefetch /users/800/orders'
  await until(() => asked.includes(beforehand), 'the prefetch')
  await until(() => first.gateway.cache.engine.flights.size === 0, 'its end')
  await until(() => written(first) > before, 'it to be in the second level')
  expect(await ask(second, 'y', '/users/800/orders')).toEqual({ cache: 'HIT', body: '/users/800/orders' })

  delayMs = 400 // long enough to come meanwhile, and not so much longer that the origin counts as slow
  await ask(first, 'z', '/users/900')
  await until(() => asked.includes('prefetch /users/900/orders'), 'the prefetch')
  const [here, there] = await Promise.all([ask(first, 'z', '/users/900/orders'), ask(second, 'w', '/users/900/orders')])

  expect([here.body, there.body]).toEqual(['/users/900/orders', '/users/900/orders'])
  expect(asked.filter((one) => one.endsWith('00/orders'))).toEqual([beforehand, 'prefetch /users/900/orders'])
}, 60_000)
