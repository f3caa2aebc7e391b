/**
 * One value, one entry: through the Redis door and through the native cache API; one invalidation for both.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createGateway, type Gateway } from '../../src/entry/gateway.ts'
import { RawRedis } from '../support/front-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

interface Stand {
  readonly gateway: Gateway
  readonly client: RawRedis
  readonly api: string
}

async function stand(upstream: string | undefined): Promise<Stand> {
  const resp = { listen: '127.0.0.1:0', ...(upstream !== undefined && { upstream }) }
  const gateway = createGateway({ api: { listen: '127.0.0.1:0' }, resp })
  const at = await gateway.listen()
  const client = new RawRedis(at.resp?.port as number)
  onTestFinished(async () => {
    client.close()
    await gateway.close(0)
  })
  await until(() => gateway.resp?.isCovered === true, 'the tracking connection')
  return { gateway, client, api: `http://127.0.0.1:${at.api.port}` }
}

describe.each([
  ['before a Redis', () => redis.url],
  ['with data of its own', () => undefined],
])('shared entries %s', (_, upstream) => {
  it('reads over HTTP what was written in the protocol of Redis, and the other way round', async () => {
    const { client, api } = await stand(upstream())
    const url = `${api}/cache/shared%20key?namespace=redis`

    await client.ask('SET', 'shared key', 'from redis')
    for (let i = 0; i < 3; i += 1) expect(await (await fetch(url)).text()).toBe('from redis')
    const put = await fetch(`${url}&ttl=60s`, { method: 'PUT', body: 'from http' })
    expect(put.status).toBe(200)
    for (let i = 0; i < 3; i += 1) expect(await client.ask('GET', 'shared key')).toBe('$9\r\nfrom http\r\n')
    expect(Number((await client.ask('PTTL', 'shared key')).slice(1))).toBeGreaterThan(50_000)
    const { headers } = await fetch(url)
    const known = await fetch(url, { headers: { 'if-none-match': headers.get('etag') as string } })
    expect([headers.get('content-type'), known.status]).toEqual(['application/octet-stream', 304])

    expect(await (await fetch(url, { method: 'DELETE' })).json()).toEqual({ deleted: true })
    expect(await client.ask('GET', 'shared key')).toBe('$-1\r\n')
    expect((await fetch(url)).status).toBe(404)
  })

  it('refuses what Redis cannot say of a value', async () => {
    const { client, api } = await stand(upstream())
    const url = `${api}/cache/key?namespace=redis`
    await client.ask('DEL', 'list')
    await client.ask('RPUSH', 'list', 'a')

    const answers = await Promise.all([
      fetch(`${url}&tags=a`, { method: 'PUT', body: 'x' }),
      fetch(`${url}&ttl=1s&stale=5s`, { method: 'PUT', body: 'x' }),
      fetch(url, { method: 'PUT', body: 'x', headers: { 'if-match': '*' } }),
      fetch(`${api}/cache`, { method: 'POST', body: JSON.stringify({ namespace: 'redis', get: ['key'] }) }),
      fetch(`${api}/cache/list?namespace=redis`),
    ])

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, upstream() === undefined ? 404 : 502])
  })

  it('lets one invalidation reach what memory keeps', async () => {
    const { gateway, client, api } = await stand(upstream())
    await client.ask('SET', 'a', 'kept')
    for (let i = 0; i < 3; i += 1) await client.ask('GET', 'a')
    const count = (): number => gateway.cache.engine.meter.read('respMisses')
    const before = count()

    const body = JSON.stringify({ keys: ['redis:v1:a'] })
    const answer = await fetch(`${api}/v1/invalidate`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    expect(answer.status).toBe(200)

    // Before a Redis it is read again from there; data of our own is gone.
    expect(await client.ask('GET', 'a')).toBe(upstream() === undefined ? '$-1\r\n' : '$4\r\nkept\r\n')
    expect(count() - before).toBe(upstream() === undefined ? 0 : 1)
  })
})
