/** Adaptive windows at a gateway before a real origin whose answers change at a known rate, in virtual time. */
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock, settle, type VirtualClock } from '../../src/model/virtual-clock.ts'
import { Changing } from '../support/changing.ts'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'

const KEYS = 4
const STEP_MS = 2000

interface Stand {
  readonly here: GatewayHere
  readonly clock: VirtualClock
  /** What the origin would say now. */
  truth(key: number): string
  asked: number
}

interface Origin {
  readonly everyMs: number
  readonly headers?: Record<string, string>
  /** Answers to conditions with 304. */
  readonly hasTags?: boolean
}

async function start({ everyMs, headers = {}, hasTags = false }: Origin, wish: Wish): Promise<Stand> {
  const clock = createVirtualClock()
  const startedAt = clock.now()
  const random = createRandom(29)
  const values = Array.from({ length: KEYS }, () => new Changing(everyMs, random))
  const truth = (key: number): string => `${key}:${values[key]?.at(clock.now() - startedAt)}`
  const stand: Omit<Stand, 'here'> = { clock, truth, asked: 0 }
  const origin = await originHere(({ url = '/0', headers: asked }, response) => {
    stand.asked += 1
    const body = truth(Number(url.slice(1)) % KEYS)
    const tag = `"${body}"`
    const isKnown = hasTags && asked['if-none-match'] === tag
    response.writeHead(isKnown ? 304 : 200, { ...headers, ...(hasTags && { etag: tag }) }).end(isKnown ? undefined : body)
  })
  return Object.assign(stand, { here: await gatewayBefore(origin, wish, clock) })
}

/** Reads every key at each step. */
async function read({ here, clock, truth }: Stand, steps: number, path = (key: number): string => `/${key}`) {
  const seen = { fresh: 0, changedFresh: 0, stale: 0, maxAge: 0 }
  for (let step = 0; step < steps; step += 1) {
    for (let key = 0; key < KEYS; key += 1) {
      const { body, headers } = await request(here.url + path(key))
      const text = await body.text()
      if (headers['x-cache'] === 'STALE') seen.stale += 1
      else {
        seen.fresh += 1
        if (text !== truth(key)) seen.changedFresh += 1
        seen.maxAge = Math.max(seen.maxAge, Number(headers.age ?? 0))
      }
    }
    while (here.gateway.cache.engine.refreshes.size > 0) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(STEP_MS)
    await settle(8)
  }
  return seen
}

async function ask(here: GatewayHere, path: string): Promise<Record<string, unknown>> {
  const { body } = await request(`http://127.0.0.1:${here.apiPort}${path}`)
  return (await body.json()) as Record<string, unknown>
}

const routes = [{ name: 'all', match: { path: '/*' }, budget: { fresh: '20s', stale: '10m' } }]

describe.each([true, false])('adaptive windows at a gateway, lane %s', (lane) => {
  it('shorten what changes often, and keep the share of changed answers under the bound', async () => {
    const on = await start({ everyMs: 30_000 }, { lane, routes, adaptive: { maxStaleChance: 0.2, min: '1s' } })
    const off = await start({ everyMs: 30_000 }, { lane, routes })
    await read(on, 150)
    await read(off, 150)
    const [kept, flat] = [await read(on, 250), await read(off, 250)]

    expect(flat.changedFresh / flat.fresh).toBeGreaterThan(0.15)
    expect(kept.changedFresh / kept.fresh).toBeLessThan(0.2)
    expect(kept.maxAge).toBeLessThan(20)
    expect(kept.stale).toBeGreaterThan(0) // within what was promised fresh, and refreshed behind
  }, 120_000)

  it('lengthen what never changes, up to the end of the stale window, where the origin says nothing', async () => {
    const stand = await start({ everyMs: Number.POSITIVE_INFINITY, hasTags: true }, { lane, routes, adaptive: true })
    await read(stand, 300)
    const before = stand.asked
    const { maxAge, stale } = await read(stand, 300)

    expect(maxAge).toBeGreaterThan(60)
    expect(maxAge).toBeLessThanOrEqual(600)
    expect(stale).toBeLessThan(20)
    expect(stand.asked - before).toBeLessThan(KEYS * 12) // 20 s apart: 120
  }, 120_000)

  it('never lengthen what the origin says itself', async () => {
    const headers = { 'cache-control': 'max-age=20, stale-while-revalidate=600' }
    const stand = await start({ everyMs: Number.POSITIVE_INFINITY, headers, hasTags: true }, { lane, adaptive: true })
    const { maxAge } = await read(stand, 300)

    expect(maxAge).toBeLessThanOrEqual(20)
  }, 120_000)

  it('say of a request why its window is what it is, and of routes how often they change', async () => {
    const stand = await start({ everyMs: 30_000 }, { lane, routes, adaptive: { maxStaleChance: 0.2, min: '1s' } })
    await read(stand, 200)
    const explained = await ask(stand.here, `/v1/explain?url=/1`)
    const change = explained.change as { everyMs: number; route: { route: string; everyMs: number }; window: object }
    const stats = (await ask(stand.here, '/v1/stats')) as { routes: { route: string; changes: { everyMs: number } }[] }
    const advice = (await ask(stand.here, '/v1/advice')) as { routes: { route: string; changeEveryMs: number }[] }

    expect(change.window).toMatchObject({ promisedMs: 20_000, because: 'chance' })
    expect(change.route.route).toBe('all')
    for (const everyMs of [
      change.route.everyMs,
      stats.routes.find(({ route }) => route === 'all')?.changes.everyMs ?? 0,
      advice.routes.find(({ route }) => route === 'all')?.changeEveryMs ?? 0,
    ]) {
      expect(everyMs).toBeGreaterThan(15_000)
      expect(everyMs).toBeLessThan(60_000)
    }
  }, 120_000)

  it('take a route out of the cache that nobody reads twice, name it, and never keep what was purged', async () => {
    const short = [{ name: 'all', match: { path: '/*' }, budget: '20s' }]
    const stand = await start({ everyMs: 30_000 }, { lane, routes: short, adaptive: { demote: 'cache' } })
    let number = 0
    await read(stand, 350, () => `/${(number += 1)}`)
    const { engine } = stand.here.gateway.cache
    const { findings } = (await ask(stand.here, '/v1/advice')) as { findings: { kind: string; route: string }[] }

    expect(findings).toContainEqual(expect.objectContaining({ kind: 'never-reused', route: 'all' }))
    expect(findings.filter(({ kind }) => kind === 'per-user')).toEqual([])
    expect(engine.meter.read('demotedCache')).toBeGreaterThan(100)
    // What went on trying is invalidated like anything else.
    const kept = [...engine.memory.keys()].find((key) => engine.memory.look(key)?.kind === 'value')
    engine.invalidate({ namespaces: [], keys: [kept ?? ''] })
    expect(engine.memory.look(kept ?? '')).toBeUndefined()
  }, 120_000)
})
