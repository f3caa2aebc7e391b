/** The audit before a real origin: what it asks, what it tells, and the trace of a promise that was broken on purpose. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from 'undici'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AuditView } from '../../src/ops/audit-endpoint.ts'
import type { Explanation } from '../../src/ops/explain.ts'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'

const ROUTES: Wish['routes'] = [
  { name: 'products', match: { path: '/products/:id' }, budget: '30s', tags: ['product:{id}'] },
  { name: 'checkout', match: { path: '/checkout' }, strict: true },
]
const ALL = { share: 1, perSecond: 1000 }

type Handler = (request: IncomingMessage, response: ServerResponse) => void

let asked: string[]
let audits: number
let handle: Handler

beforeEach(() => {
  asked = []
  audits = 0
  handle = plainly('{"price":1}')
})

/** Answers so, and 304 to whoever has it. */
function plainly(body: string, fields: Record<string, string> = {}): Handler {
  const etag = fields.etag ?? ''
  return (incoming, response) => {
    const isKnown = etag !== '' && incoming.headers['if-none-match'] === etag
    response.writeHead(isKnown ? 304 : 200, { 'cache-control': 'max-age=60', ...fields }).end(isKnown ? undefined : body)
  }
}

async function start(wish: Wish = {}): Promise<GatewayHere> {
  const origin = await originHere((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    if (incoming.headers['forecache-audit'] === '1') audits += 1
    handle(incoming, response)
  })
  return gatewayBefore(origin, { routes: ROUTES, audit: ALL, ...wish })
}

async function get(here: GatewayHere, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { body, headers: fields } = await request(here.url + path, { headers })
  return `${String(fields['x-cache'])} ${await body.text()}`
}

async function json<T>(here: GatewayHere, path: string): Promise<T> {
  const { body } = await request(`http://127.0.0.1:${here.apiPort}${path}`)
  return (await body.json()) as T
}

/** What the audit tells once it has looked at so many answers. */
async function audited(here: GatewayHere, count: number): Promise<AuditView> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const view = await json<AuditView>(here, '/v1/audit')
    const { skipped: _, ...checks } = view.checks
    if (Object.values(checks).reduce((sum, one) => sum + one, 0) >= count) return view
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`the audit did not look at ${count} answers`)
}

describe.each([true, false])('audit of a gateway, lane %s', (lane) => {
  it('asks by a marked conditional request, and tells that what was served is what the origin has', async () => {
    handle = plainly('{"price":1}', { etag: '"1"' })
    const here = await start({ lane })
    expect(await get(here, '/products/7')).toBe('MISS {"price":1}')
    expect(await get(here, '/products/7')).toBe('HIT {"price":1}')

    const view = await audited(here, 1)
    expect(view).toMatchObject({ checks: { current: 1, violating: 0 }, violations: 0, last: [] })
    expect(view.realStaleness).toEqual([{ route: 'products', stale: false, count: 1, p50Seconds: 0, p99Seconds: 0 }])
    expect(asked).toEqual(['GET /products/7', 'GET /products/7'])
    expect(audits).toBe(1)
  })

  it('compares bodies where there is no validator', async () => {
    const here = await start({ lane })
    await get(here, '/products/7')
    await get(here, '/products/7', { 'accept-encoding': 'gzip' })
    expect((await audited(here, 1)).checks).toMatchObject({ current: 1 })
    handle = plainly('{"price":2}')
    expect(await get(here, '/products/7')).toBe('HIT {"price":1}')

    expect((await audited(here, 2)).checks).toMatchObject({ current: 1, outdated: 1, violating: 0 })
    expect(await get(here, '/products/7')).toBe('HIT {"price":1}')
  })

  it('takes the origin at its word when it says when it changed', async () => {
    handle = plainly('{"price":1}', { etag: '"1"' })
    const here = await start({ lane })
    await get(here, '/products/7')
    handle = plainly('{"price":2}', { etag: '"2"', 'last-modified': new Date(Date.now() + 2000).toUTCString() })
    await get(here, '/products/7')

    expect(await audited(here, 1)).toMatchObject({ checks: { current: 1 }, realStaleness: [{ count: 1, p99Seconds: 0 }] })
  })

  it('finds, counts and explains what slipped past a fence that was taken away', async () => {
    let letGo = (): void => {}
    handle = (_, response) => {
      letGo = () => response.writeHead(200, { 'cache-control': 'max-age=60' }).end('{"price":1}')
    }
    const here = await start({ lane })
    const { engine } = here.gateway.cache
    engine.fence.admits = () => true
    const first = get(here, '/products/7')
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    engine.invalidate({ tags: ['product:7'], source: 'api' })
    handle = plainly('{"price":2}')
    letGo()
    await first
    expect(await get(here, '/products/7')).toBe('HIT {"price":1}')

    const { last, violations } = await audited(here, 1)
    expect(violations).toBe(1)
    expect(last).toMatchObject([
      {
        breach: 'invalidated',
        route: 'products',
        instance: engine.generation,
        way: 'load',
        asOf: 0,
        origin: 'changed',
        records: [{ position: 1, by: 'api', targets: ['tag product:7'] }],
        tags: ['product:7'],
      },
    ])
    expect(last[0]?.key).toContain('/products/7')
    const explained = await json<Explanation>(here, '/v1/explain?url=/products/7')
    expect(explained.violations).toEqual(last)
    const { body } = await request(`http://127.0.0.1:${here.apiPort}/metrics`)
    const metrics = await body.text()
    expect(metrics).toContain('forecache_cache_staleness_violations_total{route="products"} 1')
    expect(metrics).toContain('forecache_audit_checks_total{outcome="violating",route="products"} 1')
    expect(metrics).toContain('forecache_audit_real_staleness_seconds_count{cached="true",stale="false",route="products"} 1')
  })

  it('raises no alarm when the origin is down, nor asks about what is unsafe, strict or uncacheable', async () => {
    const here = await start({ lane })
    await get(here, '/products/7')
    handle = (_, response) => response.destroy()
    expect(await get(here, '/products/7')).toBe('HIT {"price":1}')
    await audited(here, 1)
    handle = plainly('x')
    await get(here, '/checkout')
    await get(here, '/checkout')
    await request(`${here.url}/products/7`, { method: 'POST', body: 'x' }).then(({ body }) => body.dump())

    const view = await audited(here, 1)
    expect(view).toMatchObject({ checks: { inconclusive: 1, current: 0, outdated: 0 }, violations: 0 })
    expect(audits).toBeGreaterThan(0)
    expect(asked.filter((line) => line.includes('checkout'))).toHaveLength(2)
  })

  it('does nothing where it is not asked for', async () => {
    const here = await start({ lane, audit: undefined })
    for (let at = 0; at < 20; at += 1) await get(here, '/products/7')

    expect(await json<AuditView>(here, '/v1/audit')).toMatchObject({ settings: null, checks: { current: 0, skipped: 0 } })
    expect(asked).toEqual(['GET /products/7'])
  })
})
