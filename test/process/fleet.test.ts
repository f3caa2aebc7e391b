import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { originHere } from '../support/gateway-here.ts'
import { type SpawnedGateway, spawnGateway } from '../support/gateway-spawn.ts'
import { type HttpHere, httpHere } from '../support/http-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

/** What the tests read of `/v1/instances`. */
interface Seen {
  readonly complete: boolean
  readonly instances: readonly {
    readonly id: string
    readonly self: boolean
    readonly state: string
    readonly pid: number
    readonly address: string
    readonly requestsPerSecond: number
    readonly processes: number
    readonly rssBytes: number
  }[]
}
interface ScalerSeen {
  readonly leader: string
  readonly self: boolean
  readonly term: number
  readonly log: readonly { readonly outcome: string; readonly term: number }[]
}

const FAST = { registry: { heartbeat: '100ms', ttl: '600ms', hotEvery: '1s', warm: '2s' } }
const AWS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'eu-central-1' }

let server: RedisHere
let directory: string
let origin: string
let asked = 0
let round = 0
let files = 0
const servers: HttpHere[] = []

beforeAll(async () => {
  Object.assign(process.env, AWS)
  server = await startRedis()
}, 30_000)
afterAll(() => server.stop())
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-fleet-'))
  asked = 0
  round += 1
  origin = await originHere((request, response) => {
    asked += 1
    response.setHeader('cache-control', 'max-age=600')
    response.end(`answer to ${request.url}`)
  })
})
afterEach(async () => {
  for (const one of servers.splice(0)) await one.close()
  rmSync(directory, { recursive: true, force: true })
})

/** JSON is YAML. */
function start(config: object = {}, args: readonly string[] = []): Promise<SpawnedGateway> {
  files += 1
  const file = join(directory, `${files}.yaml`)
  writeFileSync(
    file,
    JSON.stringify({ origin: { url: origin }, l2: { url: server.url, prefix: `f${round}:` }, ...FAST, ...config }),
  )
  return spawnGateway([file, ...args])
}
const api = async <T>({ apiPort }: SpawnedGateway, path: string): Promise<T> =>
  (await (await fetch(`http://127.0.0.1:${apiPort}${path}`)).json()) as T
const statesOf = async (gateway: SpawnedGateway): Promise<string[]> =>
  (await api<Seen>(gateway, '/v1/instances')).instances.map(({ state }) => state)
/** All of one host, whatever the port: so one instance's keys are another's. */
const get = async ({ port }: SpawnedGateway, path: string): Promise<string> => {
  const { headers, body } = await request(`http://127.0.0.1:${port}${path}`, { headers: { host: 'shop.test' } })
  await body.dump()
  return String(headers['x-cache'])
}

describe('instances as processes', () => {
  it('are seen when they join, when they drain, when they leave and when they are killed', async () => {
    const [a, b] = [await start(), await start()]
    const c = await start({}, ['--workers', '2'])
    await until(async () => (await statesOf(a)).join() === 'ready,ready,ready', 'all three')
    const seen = await api<Seen>(a, '/v1/instances')
    expect(seen.complete).toBe(true)
    expect(seen.instances.map(({ self }) => self)).toEqual([true, false, false])
    expect(seen.instances.map(({ address }) => address)).toEqual([a, b, c].map(({ port }) => `127.0.0.1:${port}`))
    expect(seen.instances.map(({ processes }) => processes)).toEqual([1, 1, 2])
    expect(seen.instances.every(({ rssBytes }) => rssBytes > 1e7)).toBe(true)

    b.signal('SIGTERM')
    await b.ended
    expect(await statesOf(a)).toEqual(['ready', 'ready'])

    const killedAt = performance.now()
    c.signal('SIGKILL')
    await until(async () => (await statesOf(a)).length === 1, 'the heartbeat to end', 3000)
    expect(performance.now() - killedAt).toBeLessThan(2000)
  }, 60_000)

  it('say that they cannot see the others while the store is silent, and go on serving', async () => {
    const [a, b] = [await start(), await start()]
    await until(async () => (await statesOf(a)).length === 2, 'both')
    await get(a, '/x')
    server.freeze()
    try {
      const seen = await api<Seen>(a, '/v1/instances')
      expect(seen).toMatchObject({ complete: false, instances: [{ self: true }] })
      expect(await get(a, '/x')).toBe('HIT')
    } finally {
      server.thaw()
    }
    await until(async () => (await statesOf(b)).length === 2, 'both again')
  }, 60_000)

  it('are restarted without a miss storm: the hot set is there before the first request', async () => {
    const [a, b] = [await start(), await start()]
    const paths = Array.from({ length: 50 }, (_, at) => `/p${at}`)
    for (let again = 0; again < 3; again += 1) for (const path of paths) await get(a, path)
    await until(
      async () => Number(await server.command('EXISTS', `{f${round}:instances}:hot:${await idOf(a)}`)) === 1,
      'hot keys',
    )
    const before = asked
    b.signal('SIGKILL')
    await b.ended

    const c = await start()

    const stats = await api<{ entries: number }>(c, '/v1/stats')
    expect(stats.entries).toBeGreaterThanOrEqual(50)
    expect(await metric(c, 'warmed_entries_total{from="instances"}')).toBeGreaterThanOrEqual(50)
    expect(await Promise.all(paths.map((path) => get(c, path)))).toEqual(paths.map(() => 'HIT'))
    expect(asked).toBe(before)
  }, 60_000)

  it('have their hit ratio back with the first request when they are restarted under load', async () => {
    const random = createRandom(3)
    /** Shares fall with the square of the place: a hot head and a long tail. */
    const drive = async (gateway: SpawnedGateway, requests: number): Promise<number> => {
      let hits = 0
      for (let left = requests; left > 0; left -= 20) {
        const paths = Array.from({ length: 20 }, () => `/z${Math.floor(random() ** 3 * 2000)}`)
        const seen = await Promise.all(paths.map((path) => get(gateway, path)))
        hits += seen.filter((one) => one === 'HIT').length
      }
      return hits / requests
    }
    const config = { snapshot: { file: join(directory, 'hot') } }
    const first = await start(config)
    await drive(first, 2000)
    const former = await drive(first, 1000)
    first.signal('SIGTERM')
    await first.ended

    const second = await start(config)

    expect(await drive(second, 1000)).toBeGreaterThanOrEqual(former * 0.95)
  }, 60_000)
})

describe('workers', () => {
  it('keep a snapshot each, and begin with it', async () => {
    const wish = { workers: 2, snapshot: { file: join(directory, 'hot') }, routes: [MEMORY_ONLY] }
    const first = await start(wish)
    for (let at = 0; at < 60; at += 1) await get(first, `/w${at % 20}`)
    const before = (await api<{ entries: number }>(first, '/v1/stats')).entries
    first.signal('SIGTERM')
    expect((await first.ended).code).toBe(0)

    const second = await start(wish)

    expect((await api<{ entries: number }>(second, '/v1/stats')).entries).toBe(before)
    expect(await metric(second, 'warmed_entries_total{from="snapshot"}')).toBe(before)
  }, 60_000)
})

/** The second level is not for it: what stands after a restart came from the disk. */
const MEMORY_ONLY = { name: 'all', match: { path: '/*' }, tiers: ['memory'] }

/** @param series name and labels, without the prefix */
async function metric({ apiPort }: SpawnedGateway, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${apiPort}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`forecache_${series} `))
  return Number(line?.split(' ').at(-1))
}

async function idOf(gateway: SpawnedGateway): Promise<string> {
  return (await api<Seen>(gateway, '/v1/instances')).instances.find(({ self }) => self)?.id ?? ''
}

describe('the scaler, from load to the ECS endpoint', () => {
  it('is the leader’s: adds instances under load, with a term; the next leader has a higher one', async () => {
    const state = { desiredCount: 2 }
    const ecs = await httpHere(({ headers, body }) => {
      const input = JSON.parse(body) as { desiredCount?: number }
      if (String(headers['x-amz-target']).endsWith('DescribeServices')) return { status: 200, body: { services: [state] } }
      state.desiredCount = input.desiredCount ?? state.desiredCount
      return { status: 200, body: { service: state } }
    })
    servers.push(ecs)
    const audit = join(directory, 'audit.log')
    const scaler = {
      ecs: { cluster: 'main', service: 'cache', endpoint: ecs.url },
      ...{ min: 1, max: 6, targets: { requestsPerSecond: 20 }, every: '1s', lease: '1s', cooldownOut: '1s', audit },
    }
    const [a, b] = [await start({ scaler }), await start({ scaler })]
    const led = await api<ScalerSeen>(a, '/v1/scaler')
    expect(led).toMatchObject({ self: true, log: [] })
    expect(await api<ScalerSeen>(b, '/v1/scaler')).toMatchObject({ self: false, term: led.term, leader: led.leader })

    let isLoading = true
    const load = (async () => {
      while (isLoading) {
        await Promise.all(Array.from({ length: 20 }, () => get(b, '/hot')))
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    await until(() => state.desiredCount > 2, 'an order', 15_000)
    isLoading = false
    await load
    await until(async () => (await api<ScalerSeen>(b, '/v1/scaler')).log[0]?.outcome === 'done', 'the log')
    expect(ecs.asked.some(({ headers }) => String(headers['x-amz-target']).endsWith('UpdateService'))).toBe(true)
    expect(await metric(a, 'scaler_orders_total{outcome="done"}')).toBeGreaterThan(0)
    expect(await metric(a, 'scaler_desired_instances')).toBeGreaterThan(2)
    expect([await metric(a, 'scaler_leader'), await metric(b, 'scaler_leader')]).toEqual([1, 0])
    expect(await metric(b, 'registry_beats_total{outcome="taken"}')).toBeGreaterThan(0)

    a.signal('SIGKILL')
    await until(async () => (await api<ScalerSeen>(b, '/v1/scaler')).self, 'b to lead', 10_000)
    expect((await api<ScalerSeen>(b, '/v1/scaler')).term).toBeGreaterThan(led.term)
  }, 60_000)
})
