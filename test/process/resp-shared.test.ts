/**
 * One value, one entry: through the Redis door, the native cache API, its batches and the library of the same process; one invalidation for
 * all. Before a real Redis, and with data of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/entry/gateway.ts'
import type { Cache } from '../../src/entry/index.ts'
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
  readonly library: Cache
  readonly api: string
  /** The API's door to one key. */
  at(key: string, query?: string): string
  post(path: string, body: object): Promise<Response>
}

async function stand(upstream: string | undefined, wish: GatewayOptions['resp'] = {}): Promise<Stand> {
  const resp = { listen: '127.0.0.1:0', ...(upstream !== undefined && { upstream }), ...wish }
  const gateway = createGateway({ api: { listen: '127.0.0.1:0' }, resp })
  const at = await gateway.listen()
  const client = new RawRedis(at.resp?.port as number)
  onTestFinished(async () => {
    client.close()
    await gateway.close(0)
  })
  await until(() => gateway.resp?.isCovered === true, 'the tracking connection')
  if (upstream !== undefined) await client.ask('FLUSHALL')
  const api = `http://127.0.0.1:${at.api.port}`
  return {
    ...{ gateway, client, api, library: gateway.cache.namespace('redis') },
    at: (key, query = '') => `${api}/cache/${encodeURIComponent(key)}?namespace=redis${query}`,
    post: (path, body) =>
      fetch(`${api}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  }
}

type Write = (stand: Stand, key: string, value: string) => Promise<unknown>
type Read = (stand: Stand, key: string) => Promise<string | undefined>
type Erase = (stand: Stand, key: string) => Promise<unknown>

const WRITES: Readonly<Record<string, Write>> = {
  resp: ({ client }, key, value) => client.ask('SET', key, value),
  http: ({ at }, key, value) => fetch(at(key, '&ttl=60s'), { method: 'PUT', body: value }),
  batch: ({ post }, key, value) => post('/cache', { namespace: 'redis', set: [{ key, text: value, ttl: '60s' }] }),
  library: ({ library }, key, value) => library.set(key, value),
}
const READS: Readonly<Record<string, Read>> = {
  resp: async ({ client }, key) => /^\$\d+\r\n(.*)\r\n$/s.exec(await client.ask('GET', key))?.[1],
  http: async ({ at }, key) => {
    const answer = await fetch(at(key))
    return answer.status === 404 ? undefined : answer.text()
  },
  batch: async ({ post }, key) => {
    const { get } = (await (await post('/cache', { namespace: 'redis', get: [key] })).json()) as {
      get: { text?: string; base64?: string }[]
    }
    const [one] = get
    return one?.text ?? (one?.base64 === undefined ? undefined : Buffer.from(one.base64, 'base64').toString())
  },
  library: async ({ library }, key) => (await library.get<Buffer>(key))?.data.toString(),
  many: async ({ library }, key) => (await library.getMany<Buffer>(['nothing', key])).get(key)?.data.toString(),
}
const ERASES: Readonly<Record<string, Erase>> = {
  resp: ({ client }, key) => client.ask('DEL', key),
  http: ({ at }, key) => fetch(at(key), { method: 'DELETE' }),
  batch: ({ post }, key) => post('/cache', { namespace: 'redis', delete: [key] }),
  library: ({ library }, key) => library.delete(key),
}
const INVALIDATIONS: Readonly<Record<string, Erase>> = {
  http: ({ post }, key) => post('/v1/invalidate', { keys: [`redis:v1:${key}`] }),
  library: ({ library }, key) => library.invalidate({ keys: [key] }),
  prefix: ({ library }, key) => library.invalidate({ prefixes: [key.slice(0, 2)] }),
  namespace: ({ gateway }) => gateway.cache.invalidate({ namespaces: ['redis'] }),
  all: ({ gateway }) => gateway.cache.invalidate({ all: true }),
}

const KINDS = [
  ['before a Redis', () => redis.url],
  ['with data of its own', () => undefined],
] as const

describe.each(KINDS)('shared entries %s', (_, upstream) => {
  it('read the same through every door, whichever it was written through, at once and again', async () => {
    const doors = await stand(upstream())
    for (const [written, write] of Object.entries(WRITES)) {
      for (const [read, ask] of Object.entries(READS)) {
        const key = `a key ${written} ${read} ü`
        for (const value of ['first', 'second', 'third ü']) {
          await write(doors, key, value)
          const got = [await ask(doors, key), await ask(doors, key), await ask(doors, key)]
          expect(got, `${written} then ${read}`).toEqual(
            READS['resp'] === ask ? Array(3).fill(Buffer.from(value).toString('latin1')) : Array(3).fill(value),
          )
        }
      }
    }
  })

  it('are gone for all once they are deleted through any', async () => {
    const doors = await stand(upstream())
    for (const [erased, erase] of Object.entries(ERASES)) {
      await doors.client.ask('SET', erased, 'x')
      for (const ask of Object.values(READS)) expect(await ask(doors, erased), erased).toBe('x')
      await erase(doors, erased)
      for (const [read, ask] of Object.entries(READS)) expect(await ask(doors, erased), `${erased}, ${read}`).toBeUndefined()
    }
  })

  it('are not believed behind an invalidation through any: read again from Redis, or gone where they stood here', async () => {
    const doors = await stand(upstream())
    const misses = (): number => doors.gateway.cache.engine.meter.read('respMisses')
    for (const [how, invalidate] of Object.entries(INVALIDATIONS)) {
      const key = `k-${how}`
      await doors.client.ask('SET', key, 'kept')
      for (let i = 0; i < 3; i += 1) await doors.client.ask('GET', key)
      const before = misses()
      await invalidate(doors, key)

      const reply = await doors.client.ask('GET', key)
      if (upstream() === undefined) expect([reply, await doors.library.get(key)], how).toEqual(['$-1\r\n', undefined])
      else expect([reply, misses() - before], how).toEqual(['$4\r\nkept\r\n', 1])
    }
  })

  it('obey tags that any door gave, whoever reads', async () => {
    const doors = await stand(upstream())
    const { client, library, at, post, gateway } = doors
    const misses = (): number => gateway.cache.engine.meter.read('respMisses')
    await fetch(at('t1', '&ttl=60s&tags=user:1,other'), { method: 'PUT', body: 'a' })
    await library.set('t2', 'b', { tags: ['user:1'] })
    await post('/cache', { namespace: 'redis', set: [{ key: 't3', text: 'c', tags: ['user:1'] }] })
    await library.set('t4', 'd', { tags: ['user:2'] })
    for (const key of ['t1', 't2', 't3', 't4']) for (let i = 0; i < 3; i += 1) await client.ask('GET', key)
    const before = misses()

    await gateway.cache.invalidate({ tags: ['user:1'] })
    const replies: string[] = []
    for (const key of ['t1', 't2', 't3', 't4']) replies.push(await client.ask('GET', key))
    const values = ['$1\r\na\r\n', '$1\r\nb\r\n', '$1\r\nc\r\n']
    if (upstream() === undefined) expect(replies).toEqual(['$-1\r\n', '$-1\r\n', '$-1\r\n', '$1\r\nd\r\n'])
    else expect([...replies, misses() - before]).toEqual([...values, '$1\r\nd\r\n', 3])
  })

  it('live as long for all: times to live are seen and changed through every door', async () => {
    const { client, at, library, post } = await stand(upstream())
    const pttl = async (key: string): Promise<number> => Number((await client.ask('PTTL', key)).slice(1))
    const status = async (key: string): Promise<(string | null)[]> => {
      const { headers } = await fetch(at(key))
      return [headers.get('x-cache'), headers.get('cache-status'), headers.get('age')]
    }
    await fetch(at('http', '&ttl=30s'), { method: 'PUT', body: 'x' })
    await library.set('library', 'x', { budget: '40s' })
    await client.ask('SET', 'resp', 'x', 'PX', '50000')
    await client.ask('SET', 'lasting', 'x')
    for (const [key, ms] of Object.entries({ http: 30_000, library: 40_000, resp: 50_000 })) {
      expect(await pttl(key)).toBeGreaterThan(ms - 5000)
      expect(await pttl(key)).toBeLessThanOrEqual(ms)
      const left = Number(/^forecache; hit; ttl=(\d+)$/.exec(String((await status(key))[1]))?.[1])
      expect(left).toBeGreaterThan(ms / 1000 - 6)
      expect(left).toBeLessThanOrEqual(ms / 1000)
    }
    expect(await status('lasting')).toEqual(['HIT', 'forecache; hit', '0'])

    await client.ask('PEXPIRE', 'http', '90000')
    expect((await status('http'))[1]).toMatch(/ttl=(?:8\d|90)$/)
    // The stale window: everybody is given the value as long as anybody may be; who can be told is told.
    await fetch(at('windows', '&ttl=1ms&stale=30s'), { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } })
    await until(async () => (await status('windows'))[0] === 'STALE', 'the end of the fresh window')
    expect((await library.get<Buffer>('windows'))?.stale).toBe(true)
    expect(library.peek('windows')).toBeUndefined()
    expect(
      ((await (await post('/cache', { namespace: 'redis', get: ['windows'] })).json()) as { get: object[] }).get[0],
    ).toMatchObject({ stale: true, text: 'x' })
    expect(await client.ask('GET', 'windows')).toBe('$1\r\nx\r\n')
    expect(await pttl('windows')).toBeGreaterThan(20_000)
    await client.ask('PEXPIRE', 'windows', '60000')
    expect((await status('windows'))[0]).toBe('HIT')
  })

  it('keep their type, ETag and codings as long as their bytes are those that were written', async () => {
    const { client, at } = await stand(upstream())
    const body = JSON.stringify(Array.from({ length: 300 }, (_row, id) => ({ id, name: 'a name' })))
    const put = await fetch(at('j', '&ttl=60s'), { method: 'PUT', body, headers: { 'content-type': 'application/json' } })
    expect(put.status).toBe(201)
    const coded = async (): Promise<Response> => fetch(at('j'), { headers: { 'accept-encoding': 'br' } })
    await until(async () => (await coded()).headers.get('content-encoding') === 'br', 'the codings')
    const answer = await coded()
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['application/json', body])
    const known = await fetch(at('j'), { headers: { 'if-none-match': put.headers.get('etag') as string } })
    expect(known.status).toBe(304)

    await client.ask('APPEND', 'j', ' ')
    const changed = await coded()
    expect([changed.headers.get('content-type'), changed.headers.get('content-encoding')]).toEqual([
      'application/octet-stream',
      null,
    ])
    expect(changed.headers.get('etag')).not.toBe(put.headers.get('etag'))
    const again = await fetch(at('j'), { headers: { 'if-none-match': changed.headers.get('etag') as string } })
    expect(again.status).toBe(304)
    await client.ask('DEL', 'j')
    expect((await coded()).status).toBe(404)
  })

  it('obey conditions, which are judged with nobody between', async () => {
    const { client, at, post } = await stand(upstream())
    const creates = Array.from({ length: 8 }, (_one, i) =>
      fetch(at('lock', '&ttl=60s'), { method: 'PUT', body: String(i), headers: { 'if-none-match': '*' } }),
    )
    const statuses = (await Promise.all(creates)).map(({ status }) => status)
    expect(statuses.sort()).toEqual([201, 412, 412, 412, 412, 412, 412, 412])
    await client.ask('SET', 'lock', 'of redis')
    const etag = (await fetch(at('lock'))).headers.get('etag') as string
    const wrong = await fetch(at('lock'), { method: 'DELETE', headers: { 'if-match': '"other"' } })
    const right = await fetch(at('lock', '&ttl=60s'), { method: 'PUT', body: 'new', headers: { 'if-match': etag } })
    expect([wrong.status, right.status, await client.ask('GET', 'lock')]).toEqual([412, 200, '$3\r\nnew\r\n'])
    const batch = await post('/cache', { namespace: 'redis', set: [{ key: 'lock', text: 'x', ifNoneMatch: '*' }], get: ['lock'] })
    const told = (await batch.json()) as { set: { status: number }[]; get: { status: number }[] }
    expect([told.set[0]?.status, told.get[0]?.status]).toEqual([412, 200])
  })

  it('say clearly what they cannot be', async () => {
    const { client, at, post, library, api, gateway } = await stand(upstream())
    await client.ask('RPUSH', 'list', 'a')
    const codeOf = async (answer: Promise<Response>): Promise<unknown> =>
      ((await (await answer).json()) as { error: { code: string } }).error.code
    expect([await codeOf(fetch(at('list'))), (await fetch(at('list'))).status]).toEqual(['FC_MOUNT_TYPE', 409])
    expect(await codeOf(fetch(at('k', '&ttl=1s&onError=5s'), { method: 'PUT', body: 'x' }))).toBe('FC_API_QUERY')
    const batch = (await (await post('/cache', { namespace: 'redis', get: ['list'] })).json()) as { get: object[] }
    expect(batch.get[0]).toMatchObject({ status: 409, error: { code: 'FC_MOUNT_TYPE' } })
    await expect(library.get('list')).rejects.toMatchObject({ code: 'FC_MOUNT_TYPE' })
    await expect(library.set('k', { a: 1 })).rejects.toMatchObject({ code: 'FC_MOUNT_VALUE' })
    await expect(library.fetch('k', () => 'x')).rejects.toMatchObject({ code: 'FC_MOUNT_LOAD' })
    expect(() => library.begin('k')).toThrow(/nothing is loaded/)
    // A full name written out is nobody's to write beside, and nothing stands under it here.
    const full = `${api}/cache/redis:v1:list`
    expect(await codeOf(fetch(full, { method: 'PUT', body: 'x' }))).toBe('FC_MOUNT_KEY')
    for (let i = 0; i < 2; i += 1) expect((await fetch(full)).status).toBe(404)
    await expect(gateway.cache.set('redis:v1:k', 'x')).rejects.toMatchObject({ code: 'FC_MOUNT_KEY' })
    const named = await fetch(`${api}/cache/k%20l`, { headers: { 'forecache-namespace': 'redis' } })
    expect(named.status).toBe(404)
    await client.ask('SET', 'k l', 'v')
    expect(await (await fetch(`${api}/cache/k%20l`, { headers: { 'forecache-namespace': 'redis' } })).text()).toBe('v')
  })
})

describe('the library before a Redis', () => {
  it('peeks at what memory holds, and never past what it knows', async () => {
    const { client, library } = await stand(redis.url)
    await client.ask('SET', 'p', 'one')
    await until(async () => (await client.ask('GET', 'p')) !== '' && library.peek<Buffer>('p')?.toString() === 'one', 'memory')
    await redis.command('SET', 'p', 'two')
    await until(() => library.peek('p') === undefined, 'the push')
    await library.set('p', 'three')
    expect([undefined, 'three']).toContain(library.peek<Buffer>('p')?.toString())
    await until(
      async () => (await client.ask('GET', 'p')) === '$5\r\nthree\r\n' && library.peek<Buffer>('p')?.toString() === 'three',
      'memory',
    )
  })
})

describe('values with tags where the data stands here', () => {
  it('are not there after a restart, since nobody could invalidate them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'forecache-shared-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const wish = { snapshot: { file: join(directory, 'data'), interval: '1h' } } as const
    const first = await stand(undefined, wish)
    await first.library.set('tagged', 'x', { tags: ['t'] })
    await first.library.set('windows', 'x', { budget: { fresh: '10s', stale: '1m' } })
    await first.library.set('plain', 'x')
    await first.library.set('freed', 'x', { tags: ['t'] })
    await first.client.ask('DEL', 'freed')
    await first.client.ask('SET', 'freed', 'y')
    expect(await first.client.ask('SAVE')).toBe('+OK\r\n')
    await first.gateway.close(1000)

    const second = await stand(undefined, wish)
    const values: (string | undefined)[] = []
    for (const key of ['tagged', 'windows', 'plain', 'freed']) values.push(await (READS['library'] as Read)(second, key))
    expect(values).toEqual([undefined, undefined, 'x', 'y'])
  })
})

describe('another instance on the same log', () => {
  it('forgets what is invalidated here, and follows what is written', async () => {
    const open = async (): Promise<{ gateway: Gateway; client: RawRedis }> => {
      const resp = { listen: '127.0.0.1:0', upstream: redis.url }
      const gateway = createGateway({ api: { listen: '127.0.0.1:0' }, resp, l2: { url: redis.url } })
      const at = await gateway.listen()
      const client = new RawRedis(at.resp?.port as number)
      onTestFinished(async () => {
        client.close()
        await gateway.close(0)
      })
      await until(() => gateway.resp?.isCovered === true, 'the tracking connection')
      return { gateway, client }
    }
    const [here, there] = [await open(), await open()]
    await here.client.ask('SET', 'k', 'value')
    const misses = (): number => there.gateway.cache.engine.meter.read('respMisses')
    const isHit = async (): Promise<boolean> => {
      const before = misses()
      await there.client.ask('GET', 'k')
      return misses() === before
    }
    await until(async () => (await isHit()) && (await isHit()), 'memory')
    const { nodes } = await here.gateway.cache.namespace('redis').invalidate({ keys: ['k'] })

    expect(nodes).toEqual({ expected: 2, acknowledged: 2 })
    expect(await isHit()).toBe(false)
    await here.gateway.cache.namespace('redis').set('k', 'another')
    await until(async () => (await there.client.ask('GET', 'k')) === '$7\r\nanother\r\n', 'the push')
  })
})
