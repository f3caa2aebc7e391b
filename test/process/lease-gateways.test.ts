import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { metric, seeOne, spawnFleet } from '../support/fleet-here.ts'
import { originHere } from '../support/gateway-here.ts'
import type { SpawnedGateway } from '../support/gateway-spawn.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const PIECE = 'x'.repeat(4096)
const LENGTH = 10

interface Stand {
  readonly fleet: SpawnedGateway[]
  /** Requests the origin has had, by path. */
  readonly asked: Map<string, number>
}

/** An origin that answers as a test says; its requests are counted. */
async function stand(count: number, listener: (path: string, res: ServerResponse, nth: number) => void): Promise<Stand> {
  const asked = new Map<string, number>()
  const url = await originHere((req, res) => {
    const path = req.url ?? '/'
    const nth = (asked.get(path) ?? 0) + 1
    asked.set(path, nth)
    listener(path, res, nth)
  })
  await redis.command('FLUSHALL')
  const directory = mkdtempSync(join(tmpdir(), 'forecache-lease-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'forecache.yaml')
  // Patient: what is tested is not how fast a busy machine starts five processes.
  const patience = '  deadline: 1s\n  lease: { deadline: 1s }\n'
  writeFileSync(file, `origin:\n  url: ${url}\nl2:\n  url: ${redis.url}\n${patience}`)
  const fleet = await spawnFleet(count, [file])
  return { fleet, asked }
}

/** Ten pieces, 100 ms apart. */
async function drip(res: ServerResponse, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  res.writeHead(200, { 'cache-control': 'max-age=60', 'content-type': 'text/plain', ...headers })
  for (let i = 0; i < LENGTH && !res.destroyed; i += 1) {
    res.write(`${i}${PIECE}`)
    await pause(100)
  }
  res.end()
}

const WHOLE = Array.from({ length: LENGTH }, (_, i) => `${i}${PIECE}`).join('')

function crowd(fleet: readonly SpawnedGateway[], path: string, clients = 20): ReturnType<typeof seeOne>[] {
  return fleet.flatMap(({ port }) => Array.from({ length: clients }, () => seeOne(port, path)))
}

describe('gateways that share a second level, before one cold key', () => {
  it('ask the origin once for 5 processes with 20 clients each, and answer all at once', async () => {
    const { fleet, asked } = await stand(5, (_, res) => {
      setTimeout(() => res.writeHead(200, { 'cache-control': 'max-age=60' }).end('answer'), 300)
    })
    const seen = await Promise.all(crowd(fleet, '/one'))

    expect(asked.get('/one')).toBe(1)
    expect(new Set(seen.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 answer']))
    for (const { port } of fleet) expect((await seeOne(port, '/one')).headers['x-cache']).toBe('HIT')
    expect(asked.get('/one')).toBe(1)
  }, 60_000)

  it('give the first bytes of a slow body to all of them before half of it has come', async () => {
    const { fleet, asked } = await stand(5, (_, res) => void drip(res))
    const begunAt = performance.now()
    const seen = await Promise.all(crowd(fleet, '/slow'))

    expect(asked.get('/slow')).toBe(1)
    expect(seen.every(({ body, isBroken }) => body === WHOLE && !isBroken)).toBe(true)
    const endMs = Math.max(...seen.map(({ endAt }) => endAt)) - begunAt
    const firstMs = Math.max(...seen.map(({ firstAt }) => firstAt)) - begunAt
    expect(firstMs).toBeLessThan(endMs / 2)
    for (const { port } of fleet) expect((await seeOne(port, '/slow')).headers['x-cache']).toBe('HIT')
  }, 60_000)

  it('lose no answer when the one that loads is killed before its answer has begun: two requests at most', async () => {
    const { fleet, asked } = await stand(5, (_, res, nth) => {
      if (nth > 1) void drip(res)
    })
    const leader = fleet[0] as SpawnedGateway
    const lost = crowd([leader], '/killed')
    await until(() => asked.get('/killed') === 1, 'the first request')
    const others = crowd(fleet.slice(1), '/killed')
    await pause(300)
    leader.signal('SIGKILL')

    const seen = await Promise.all(others)
    await Promise.all(lost)

    expect(asked.get('/killed')).toBe(2)
    expect(seen.every(({ body, isBroken }) => body === WHOLE && !isBroken)).toBe(true)
  }, 60_000)

  it('go on with a body whose reader was killed in the middle, where it is the same', async () => {
    const { fleet, asked } = await stand(5, (_, res) => void drip(res, { etag: '"v1"' }))
    const leader = fleet[0] as SpawnedGateway
    const lost = crowd([leader], '/middle')
    await until(() => asked.get('/middle') === 1, 'the first request')
    const others = crowd(fleet.slice(1), '/middle')
    await pause(500)
    leader.signal('SIGKILL')

    const seen = await Promise.all(others)
    await Promise.all(lost)

    expect(asked.get('/middle')).toBe(2)
    expect(seen.map(({ body, isBroken }) => body === WHOLE && !isBroken)).toEqual(seen.map(() => true))
    const resumed = await Promise.all(
      fleet.slice(1).map(({ apiPort }) => metric(apiPort, 'forecache_lease_resumes_total', 'resumed')),
    )
    expect(resumed.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(0)
  }, 60_000)

  it('break a body off that cannot go on as it began, and never make one of two', async () => {
    const { fleet } = await stand(3, (_, res, nth) => {
      void drip(res, { etag: `"v${nth}"` })
    })
    const leader = fleet[0] as SpawnedGateway
    const lost = crowd([leader], '/changed')
    await pause(200)
    const others = crowd(fleet.slice(1), '/changed')
    await pause(300)
    leader.signal('SIGKILL')

    const seen = await Promise.all(others)
    await Promise.all(lost)

    const begun = seen.filter(({ headers }) => headers['etag'] === '"v1"')
    expect(begun.length).toBeGreaterThan(0)
    expect(begun.every(({ isBroken, body }) => isBroken && body.length < WHOLE.length)).toBe(true)
    expect((await seeOne(fleet[1]?.port ?? 0, '/changed')).body).toBe(WHOLE)
  }, 60_000)

  it('do not wait for each other where the answer is for one client alone', async () => {
    const { fleet, asked } = await stand(3, (_, res) => {
      setTimeout(() => res.writeHead(200, { 'cache-control': 'private' }).end('mine'), 200)
    })
    const begunAt = performance.now()
    const seen = await Promise.all(crowd(fleet, '/private', 5))
    const tookMs = Math.max(...seen.map(({ endAt }) => endAt)) - begunAt

    expect(seen.every(({ body }) => body === 'mine')).toBe(true)
    expect(asked.get('/private')).toBe(15)
    expect(tookMs).toBeLessThan(1500)
    await Promise.all(crowd(fleet, '/private', 1))
    expect(asked.get('/private')).toBe(18)
  }, 60_000)

  it('answer everybody when the second level freezes while they wait', async () => {
    const { fleet } = await stand(3, (_, res, nth) => {
      setTimeout(() => res.writeHead(200, { 'cache-control': 'max-age=60' }).end('answer'), nth === 1 ? 3000 : 100)
    })
    onTestFinished(() => redis.thaw())
    const waiting = crowd(fleet, '/frozen', 5)
    await pause(300)
    redis.freeze()

    const seen = await Promise.all(waiting)
    redis.thaw()

    expect(seen.every(({ body, status }) => status === 200 && body === 'answer')).toBe(true)
  }, 60_000)
})
