import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { seeOne, type Seen, spawnFleet } from '../support/fleet-here.ts'
import { originHere } from '../support/gateway-here.ts'
import type { SpawnedGateway } from '../support/gateway-spawn.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const FRESH_MS = 1000
const LEASE_MS = 600
const FIELDS = { 'cache-control': 'max-age=1, stale-while-revalidate=600', 'content-type': 'text/plain', etag: '"e"' }

interface Stand {
  readonly fleet: SpawnedGateway[]
  asked(): number
}

/** Gateways that hold one answer, which is stale by now. */
async function stale(count: number, refresh: (res: ServerResponse, nth: number) => void): Promise<Stand> {
  let asked = 0
  const url = await originHere((_req, res) => {
    asked += 1
    if (asked === 1) res.writeHead(200, FIELDS).end('old')
    else refresh(res, asked)
  })
  await redis.command('FLUSHALL')
  const directory = mkdtempSync(join(tmpdir(), 'forecache-refresh-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'forecache.yaml')
  const l2 = { url: redis.url, deadline: '1s', lease: { deadline: '1s', time: `${LEASE_MS}ms` } }
  writeFileSync(file, JSON.stringify({ origin: { url }, l2 }))
  const fleet = await spawnFleet(count, [file])
  for (const { port } of fleet) expect((await seeOne(port, '/page')).body).toBe('old')
  expect(asked).toBe(1)
  await pause(FRESH_MS + 200)
  return { fleet, asked: () => asked }
}

function askAll(fleet: readonly SpawnedGateway[], clients: number): Promise<Seen[]> {
  return Promise.all(fleet.flatMap(({ port }) => Array.from({ length: clients }, () => seeOne(port, '/page'))))
}

async function untilNew(fleet: readonly SpawnedGateway[]): Promise<void> {
  await until(async () => (await askAll(fleet, 1)).every(({ body }) => body === 'new'), 'the new answer everywhere')
}

describe('gateways that all hold one stale answer', () => {
  it('refresh it by one request, while their clients are answered at once', async () => {
    const { fleet, asked } = await stale(4, (res) => {
      setTimeout(() => res.writeHead(200, FIELDS).end('new'), 500)
    })

    const begunAt = performance.now()
    const seen = await askAll(fleet, 10)
    const tookMs = performance.now() - begunAt

    expect(seen.map(({ status, body }) => `${status} ${body}`)).toEqual(seen.map(() => '200 old'))
    expect(tookMs).toBeLessThan(450)
    await pause(700)
    const after = await askAll(fleet, 5)
    expect(new Set(after.map(({ body }) => body))).toEqual(new Set(['new']))
    expect(asked()).toBe(2)
  }, 60_000)

  it('validate it by one request where nothing has changed', async () => {
    const { fleet, asked } = await stale(3, (res) => {
      setTimeout(() => res.writeHead(304, FIELDS).end(), 200)
    })
    const isFresh = async (): Promise<boolean> => (await askAll(fleet, 2)).every(({ headers }) => headers['x-cache'] === 'HIT')
    await until(isFresh, 'the same answer to be fresh everywhere')

    expect(asked()).toBe(2)
  }, 60_000)

  it('refresh it by one request more when the one that asks is killed, and nobody waits for that', async () => {
    const { fleet, asked } = await stale(4, (res, nth) => {
      if (nth > 2) res.writeHead(200, FIELDS).end('new')
    })
    const [leader, ...others] = fleet as [SpawnedGateway, ...SpawnedGateway[]]
    await seeOne(leader.port, '/page')
    await until(() => asked() === 2, 'the refresh')
    await askAll(others, 3)
    await pause(200)
    leader.signal('SIGKILL')

    const begunAt = performance.now()
    const seen = await askAll(others, 5)
    expect(performance.now() - begunAt).toBeLessThan(300)
    expect(seen.every(({ status, body }) => status === 200 && body === 'old')).toBe(true)
    await untilNew(others)
    expect(performance.now() - begunAt).toBeLessThan(LEASE_MS + 2000)
    expect(asked()).toBe(3)
  }, 60_000)

  it('do not all ask an origin that fails', async () => {
    const { fleet, asked } = await stale(4, (res) => {
      setTimeout(() => res.writeHead(500).end('no'), 200)
    })
    const seen = await askAll(fleet, 5)
    await pause(500)

    expect(seen.every(({ body }) => body === 'old')).toBe(true)
    expect(asked()).toBe(2)
  }, 60_000)

  it('refresh it each for itself when the second level stands still, and keep no client waiting', async () => {
    const { fleet, asked } = await stale(2, (res) => res.writeHead(200, FIELDS).end('new'))
    onTestFinished(() => redis.thaw())
    redis.freeze()

    const begunAt = performance.now()
    const seen = await askAll(fleet, 5)
    expect(performance.now() - begunAt).toBeLessThan(600)
    expect(seen.every(({ status }) => status === 200)).toBe(true)
    await untilNew(fleet)
    expect(asked()).toBeLessThanOrEqual(3)
    redis.thaw()
  }, 60_000)
})
