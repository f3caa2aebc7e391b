/** Warming before a real origin in days of virtual time: off-peak, and persisted queries by their hashes. */
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../../src/model/virtual-clock.ts'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const QUERIES = 6
const hashOf = (at: number): string => `/graphql?extensions=%7B%22sha256Hash%22%3A%22${String(at).padStart(64, '0')}%22%7D`

interface Stand {
  readonly here: GatewayHere
  readonly asked: { readonly url: string; readonly atMs: number; readonly ifNoneMatch: string | undefined }[]
  readonly clock: VirtualClock
  /** The origin answers this only when told to. */
  readonly held: { isBusy: boolean; release: (() => void)[] }
}

async function start(wish: Wish, vary?: string): Promise<Stand> {
  const clock = createVirtualClock(Date.UTC(2026, 0, 5))
  const asked: Stand['asked'] = []
  const held: Stand['held'] = { isBusy: false, release: [] }
  const origin = await originHere(({ url = '', headers }, response) => {
    asked.push({ url, atMs: clock.now(), ifNoneMatch: headers['if-none-match'] })
    const answer = (): void => {
      const isKnown = headers['if-none-match'] === '"1"'
      const fields = { 'cache-control': 'max-age=3600', etag: '"1"', ...(vary === undefined ? {} : { vary }) }
      response.writeHead(isKnown ? 304 : 200, fields).end(isKnown ? undefined : `answer to ${url} `.repeat(100))
    }
    if (held.isBusy && url.startsWith('/busy')) held.release.push(answer)
    else answer()
  })
  return { asked, clock, held, here: await gatewayBefore(origin, wish, clock) }
}

async function read({ here }: Stand, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { body, headers: fields } = await request(here.url + path, { headers })
  await body.dump()
  return String(fields['x-cache'])
}

/** Time goes by, in steps between which what was asked for is answered. */
async function pass({ clock, here }: Stand, ms: number, stepMs = 1000): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(stepMs, left))
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    while (here.gateway.cache.engine.refreshes.size > 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Each query is asked for every five minutes. */
async function live(stand: Stand, minutes: number): Promise<string[]> {
  const seen: string[] = []
  for (let minute = 0; minute < minutes; minute += 5) {
    for (let at = 0; at < QUERIES; at += 1) seen.push(await read(stand, hashOf(at)))
    await pass(stand, 5 * MINUTE, 5000)
  }
  return seen
}

describe('warming off-peak', () => {
  it('renews persisted queries that are asked for often while the origin is idle, with a condition, and not while it is busy', async () => {
    const stand = await start({ warming: { extra: 1, timeZone: 'UTC' }, origin: { headTimeout: '1h' } })
    stand.held.isBusy = true
    const busy = Array.from({ length: 6 }, (_, at) => read(stand, `/busy${at}`))
    while (stand.held.release.length < busy.length) await new Promise((resolve) => setImmediate(resolve))
    await live(stand, 55)
    expect(stand.asked.filter(({ url }) => url.startsWith('/graphql'))).toHaveLength(QUERIES) // the first of each

    stand.held.isBusy = false
    for (const release of stand.held.release) release()
    await Promise.all(busy)
    const seen = await live(stand, 55)
    const again = stand.asked.filter(({ ifNoneMatch }) => ifNoneMatch === '"1"')

    expect(again.length).toBeGreaterThanOrEqual(QUERIES)
    expect(seen.filter((one) => one !== 'HIT')).toEqual([])
    expect(stand.here.gateway.cache.stats().counts.warmQuiet).toBeGreaterThanOrEqual(QUERIES)
  }, 60_000)

  it('is off on a route that says so, and on where it alone does', async () => {
    const off = await start({ warming: true, routes: [{ name: 'all', match: { path: '/*' }, warming: false }] })
    await read(off, '/a')
    expect(off.here.gateway.cache.engine.warming.size).toBe(0)
    const on = await start({ routes: [{ name: 'one', match: { path: '/a' }, warming: true }] })
    await read(on, '/a')
    await read(on, '/b')
    expect(on.here.gateway.cache.engine.warming.size).toBe(1)
  })
})

describe('warming after an invalidation at a gateway', () => {
  it.each([undefined, 'accept-language', 'x-flavour'])(
    'asks for the same variant again, vary %s',
    async (vary) => {
      const stand = await start({ warming: true }, vary)
      const own = { 'accept-language': 'de', 'x-flavour': 'mint' }
      for (let at = 0; at < 30; at += 1) {
        await read(stand, '/menu', own)
        await pass(stand, 10_000)
      }
      const before = stand.asked.length
      await stand.here.gateway.cache.invalidate({ prefixes: ['http'] })
      await pass(stand, 3000, 50)

      expect(stand.asked.length - before).toBe(1)
      expect(await read(stand, '/menu', own)).toBe('HIT')
      await pass(stand, 3000)
      expect(stand.here.gateway.cache.stats().counts).toMatchObject({ warmBump: 1, warmRead: 1 })
    },
    30_000,
  )

  it('does not count its own work as a read', async () => {
    const stand = await start({ warming: true, compress: true })
    for (let at = 0; at < 30; at += 1) {
      await read(stand, '/page')
      await pass(stand, 10_000)
    }
    await stand.here.gateway.cache.invalidate({ prefixes: ['http'] })
    await pass(stand, HOUR + MINUTE, 5000)

    const { warmBump, warmRead = 0, warmWasted = 0 } = stand.here.gateway.cache.stats().counts
    expect(warmBump).toBe(1)
    expect([warmRead, warmWasted > 0]).toEqual([0, true])
  }, 30_000)
})
