import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from 'undici'
import { beforeEach, describe, expect, it } from 'vitest'
import type { GatewayOptions } from '../../src/entry/gateway.ts'
import type { Explanation } from '../../src/ops/explain.ts'
import { type GatewayHere, gatewayBefore, originHere } from '../support/gateway-here.ts'

const ROUTES: GatewayOptions['routes'] = [
  { name: 'products', match: { path: '/products/:id' }, budget: '30s', key: {}, tags: ['product:{id}'] },
  { name: 'checkout', match: { path: '/checkout' }, strict: true },
  {
    name: 'prices',
    match: { path: '/prices' },
    key: { tier: { header: 'x-tier', tiers: ['free', 'premium'] }, query: { drop: ['session'], defaults: { currency: 'USD' } } },
  },
]

let answer: (request: IncomingMessage, response: ServerResponse) => void
let here: GatewayHere

beforeEach(async () => {
  const origin = await originHere((incoming, response) => answer(incoming, response))
  here = await gatewayBefore(origin, { routes: ROUTES, profile: 'safe' })
  answers({ 'cache-control': 'max-age=60' })
})

/** The origin answers like this from now on. */
function answers(fields: Record<string, string | string[]>, status = 200): void {
  answer = (_, response) => {
    response.writeHead(status, fields).end('body')
  }
}

async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<void> {
  const { body } = await request(here.url + path, { method: method as 'GET', headers })
  await body.dump()
}

async function why(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Explanation> {
  const query = new URLSearchParams({ url: path, method })
  for (const [name, value] of Object.entries(headers)) query.append('header', `${name}: ${value}`)
  const { body } = await request(`http://127.0.0.1:${here.apiPort}/v1/explain?${query}`)
  return (await body.json()) as Explanation
}

describe('explain through the gateway: what was refused, and why', () => {
  it.each([
    ['no-store', { 'cache-control': 'no-store' }],
    ['private', { 'cache-control': 'private, max-age=60' }],
    ['set-cookie', { 'cache-control': 'max-age=60', 'set-cookie': 'id=1' }],
    ['vary-star', { 'cache-control': 'max-age=60', vary: '*' }],
    ['no-freshness', { 'cache-control': 'max-age=0' }],
  ] as const)('says pass because of %s', async (because, fields) => {
    answers(fields)
    await ask('/x')

    expect(await why('/x')).toMatchObject({ reason: 'pass', because, cached: false, route: 'default' })
  })

  it('says pass because of authorization, unless something shared stands there', async () => {
    await ask('/x', { authorization: 'Bearer t' })

    expect(await why('/x', { authorization: 'Bearer t' })).toMatchObject({ reason: 'pass', because: 'authorization' })
  })

  it('says error or status for an answer that is none', async () => {
    answers({ 'cache-control': 'max-age=60' }, 429)
    await ask('/x')

    expect((await why('/x')).because).toBe('status')
  })
})

describe('explain through the gateway: what stands', () => {
  it('says fresh with route, tags, budget and the key part by part', async () => {
    await ask('/products/7?utm_source=mail&b=2&a=1')

    const answered = await why('/products/7?a=1&b=2&utm_source=other')
    expect(answered).toMatchObject({
      reason: 'fresh',
      cached: true,
      route: 'products',
      entry: { kind: 'value' },
      response: { status: 200, lifetimeMs: 30_000 },
    })
    expect(answered.entry?.tags).toContain('product:7')
    expect(answered.parts?.map((part) => part.name)).toContain('authority')
  })

  it('says fresh only for the variant that was stored', async () => {
    answers({ 'cache-control': 'max-age=60', vary: 'accept-language' })
    await ask('/x', { 'accept-language': 'de' })

    expect(await why('/x', { 'accept-language': 'de' })).toMatchObject({
      reason: 'fresh',
      response: { vary: ['accept-language'] },
    })
    expect(await why('/x', { 'accept-language': 'fr' })).toMatchObject({ reason: 'unknown', cached: false })
  })

  it('says outdated for what is validated at each use', async () => {
    answers({ 'cache-control': 'no-cache', etag: '"1"' })
    await ask('/x')

    expect(await why('/x')).toMatchObject({ reason: 'outdated', cached: false, response: { alwaysValidate: true } })
  })

  it('says outdated where this very request asks for something newer', async () => {
    await ask('/x')

    expect((await why('/x', { 'cache-control': 'no-cache' })).reason).not.toBe('fresh')
    expect((await why('/x')).reason).toBe('fresh')
  })

  it('says stale, then who softened it', async () => {
    answers({ 'cache-control': 'max-age=60, stale-while-revalidate=60', 'surrogate-key': 'shelf' })
    await ask('/x')
    await here.gateway.cache.invalidate({ tags: ['shelf'], soft: true, source: 'test' })

    expect(await why('/x')).toMatchObject({
      reason: 'softened',
      cached: true,
      lastInvalidation: { by: 'test', targets: ['tag shelf'] },
    })
  })

  it('says invalidated, by whom and when, after a purge by URL', async () => {
    await ask('/x')
    const body = JSON.stringify({ urls: ['/x'] })
    const purge = await request(`http://127.0.0.1:${here.apiPort}/v1/invalidate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })

    expect(await purge.body.json()).toMatchObject({ matched: 1 })
    expect(await why('/x')).toMatchObject({ reason: 'invalidated', lastInvalidation: { by: 'api' } })
  })

  it('says invalidated after an unsafe request', async () => {
    await ask('/x')
    await ask('/x', {}, 'POST')

    expect((await why('/x')).reason).toBe('invalidated')
  })

  it('says origin-failed after the origin broke off', async () => {
    answer = (_, response) => response.destroy()
    await ask('/x')

    expect(await why('/x')).toMatchObject({
      reason: 'origin-failed',
      lastFailure: { text: expect.stringContaining('FC_ORIGIN') },
    })
  })
})

describe('explain through the gateway: what does not look', () => {
  it('says bypass-strict for a strict route', async () => {
    expect(await why('/checkout')).toMatchObject({ reason: 'bypass-strict', route: 'checkout' })
  })

  it('says bypass-method for a write', async () => {
    expect((await why('/x', {}, 'DELETE')).reason).toBe('bypass-method')
  })

  it('says bypass-request for a client that said no-store', async () => {
    expect((await why('/x', { 'cache-control': 'no-store' })).reason).toBe('bypass-request')
  })

  it('says bypass-key, and which part, for a tier that nobody declared', async () => {
    const answered = await why('/prices', { 'x-tier': 'gold' })

    expect(answered).toMatchObject({ reason: 'bypass-key', key: null, route: 'prices' })
    expect(answered.detail).not.toBe('')
  })

  it('shows defaults and dropped parameters in the key', async () => {
    const plain = await why('/prices', { 'x-tier': 'free' })
    const spelled = await why('/prices?session=9&currency=USD', { 'x-tier': 'free' })

    expect(spelled.key).toBe(plain.key)
    expect(spelled.parts?.find((part) => part.name === 'query')).toMatchObject({
      value: '',
      note: expect.stringContaining('session=9'),
    })
    expect(spelled.parts).toContainEqual({ name: 'tier', value: 'free' })
  })
})
