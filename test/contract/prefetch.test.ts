/** Prefetching before a real origin: what comes next is there at its first request, and nothing else is ever asked for. */
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { createVirtualClock, settle, type VirtualClock } from '../../src/model/virtual-clock.ts'
import { parseConfig } from '../../src/server/config.ts'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'

interface Asked {
  readonly method: string
  readonly url: string
  readonly purpose: string | undefined
  readonly cookie: string | undefined
}

type Answer = (asked: Asked) => { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string }

interface Stand {
  readonly here: GatewayHere
  readonly asked: Asked[]
  readonly clock: VirtualClock
  readonly url: string
}

const FRESH = { 'cache-control': 'max-age=600', 'content-type': 'application/json' }
const ROUTES = [{ name: 'all', match: { path: '/*' } }]

async function start(wish: Wish, answer: Answer): Promise<Stand> {
  const asked: Asked[] = []
  const clock = createVirtualClock()
  const origin = await originHere(({ method = '', url = '', headers }, response) => {
    const one = { method, url, purpose: headers['sec-purpose']?.toString(), cookie: headers.cookie }
    asked.push(one)
    const { status = 200, headers: fields = FRESH, body = `{"url":"${url}"}` } = answer(one)
    response.writeHead(status, fields).end(body)
  })
  return { asked, clock, url: origin, here: await gatewayBefore(origin, { routes: ROUTES, ...wish }, clock) }
}

/** One request of a client, and time for what follows from it. @returns X-Cache and the body */
async function ask({ here, clock }: Stand, client: string, path: string, headers: Record<string, string> = {}) {
  const answered = await request(`${here.url}${path}`, { headers: { 'x-client': client, ...headers } })
  const body = await answered.body.text()
  clock.advance(100)
  await idle(here)
  return { cache: answered.headers['x-cache'], status: answered.statusCode, body }
}

async function idle({ gateway }: GatewayHere): Promise<void> {
  const { engine } = gateway.cache
  await settle(8)
  for (let turn = 0; turn < 2000 && engine.flights.size > 0; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  await settle(8)
}

const SECTION = { client: { header: 'x-client' }, minChance: 0.4 }
const counts = ({ here }: Stand): Partial<Record<string, number>> => here.gateway.cache.stats().counts

/** Clients who walk from a list to one detail each, so that there is something to learn from. */
async function walk(stand: Stand, ids: readonly number[], path: (id: number) => readonly string[]): Promise<void> {
  for (const id of ids) {
    for (const one of path(id)) await ask(stand, `walker-${id}`, one)
    stand.clock.advance(20_000)
  }
}

const IDS = Array.from({ length: 20 }, (_, at) => at + 1)
const TO_ORDERS = (id: number): string[] => [`/users/${id}`, `/users/${id}/orders`]

describe.each([true, false])('prefetching at a gateway, lane %s', (lane) => {
  it('has the details there at their first request ever, by the shape of the URL', async () => {
    const stand = await start({ lane, prefetch: SECTION }, () => ({}))
    await walk(stand, IDS, TO_ORDERS)
    await ask(stand, 'new', '/users/999')
    const before = stand.asked.filter(({ url }) => url === '/users/999/orders')
    const { cache, body } = await ask(stand, 'new', '/users/999/orders')

    expect(before).toEqual([{ method: 'GET', url: '/users/999/orders', purpose: 'prefetch', cookie: undefined }])
    expect(cache).toBe('HIT')
    expect(body).toBe('{"url":"/users/999/orders"}')
    expect(counts(stand).prefetchUsed).toBeGreaterThan(10)
  })

  it('has the first of a list there, by what the list shows', async () => {
    let top = 0
    const list = (): string => JSON.stringify({ items: [{ id: `item-${top}` }, { id: `other-${top}` }] })
    const stand = await start({ lane, prefetch: { ...SECTION, bodies: true } }, ({ url }) =>
      url === '/items/' ? { body: list(), headers: { ...FRESH, 'cache-control': 'max-age=10' } } : {},
    )
    for (top = 1; top < 20; top += 1) await walk(stand, [top], () => ['/items/', `/items/item-${top}`])
    await ask(stand, 'new', '/items/')
    expect((await ask(stand, 'new', '/items/item-20')).cache).toBe('HIT')
    expect(stand.asked.filter(({ url }) => url.startsWith('/items/other'))).toEqual([])
  })

  it('learns from hits, too', async () => {
    const stand = await start({ lane, prefetch: { ...SECTION, patience: '10m' } }, ({ url }) =>
      url === '/page' ? {} : { headers: { ...FRESH, 'cache-control': 'max-age=15' } },
    )
    await walk(stand, IDS, () => ['/page', '/part'])
    await ask(stand, 'last', '/page')
    expect((await ask(stand, 'last', '/part')).cache).toBe('HIT')
  })

  it('is off without being asked for, and on a route that says so', async () => {
    const off = await start({ lane }, () => ({}))
    const apart = [{ name: 'all', match: { path: '/*' }, prefetch: false }]
    const alone = await start({ lane, prefetch: SECTION, routes: apart }, () => ({}))
    for (const stand of [off, alone]) {
      await walk(stand, IDS, TO_ORDERS)
      expect(stand.asked.filter(({ purpose }) => purpose !== undefined)).toEqual([])
    }
  })
})

describe('what is never prefetched', () => {
  it('is anything but a GET whose answers are stored', async () => {
    const stand = await start({ prefetch: SECTION }, ({ url }) =>
      url.startsWith('/logout') ? { headers: { 'cache-control': 'no-store' } } : {},
    )
    for (const id of IDS) {
      await ask(stand, `c${id}`, `/users/${id}`)
      await ask(stand, `c${id}`, `/logout/${id}`)
      await request(`${stand.here.url}/users/${id}/like`, { method: 'POST', headers: { 'x-client': `c${id}` } })
      stand.clock.advance(20_000)
    }
    expect(stand.asked.filter(({ purpose }) => purpose !== undefined)).toEqual([])
  })

  it('is asked for in the name of somebody who showed who he is, unless the route says so', async () => {
    const stand = await start({ prefetch: SECTION }, () => ({}))
    for (const id of IDS) for (const path of TO_ORDERS(id)) await ask(stand, `c${id}`, path, { cookie: `session=${id}` })
    const beforehand = stand.asked.filter(({ purpose }) => purpose !== undefined)
    expect(beforehand.length).toBeGreaterThan(5)
    expect(beforehand.filter(({ cookie }) => cookie !== undefined)).toEqual([])
    const sending = await start({ prefetch: { ...SECTION, credentials: 'send' } }, () => ({}))
    for (const id of IDS) for (const path of TO_ORDERS(id)) await ask(sending, `c${id}`, path, { cookie: `session=${id}` })
    const sent = sending.asked.filter(({ purpose }) => purpose !== undefined)
    expect(sent.length).toBeGreaterThan(5)
    for (const { url, cookie } of sent) expect(`session=${url.split('/')[2]}`).toBe(cookie)
  })

  it.each(['omit', 'send'] as const)('gives one client what is meant for another, credentials %s', async (credentials) => {
    // A careless origin: what it answers to nobody may be shared, what it answers to somebody is his own.
    const stand = await start({ prefetch: { ...SECTION, credentials } }, ({ url, cookie }) =>
      url.endsWith('/mine') && cookie !== undefined
        ? { headers: { 'cache-control': 'private, max-age=600' }, body: `secret of ${cookie}` }
        : { body: `public ${url}` },
    )
    for (const id of IDS) {
      await ask(stand, `n${id}`, `/users/${id}`)
      await ask(stand, `n${id}`, `/users/${id}/mine`)
      stand.clock.advance(20_000)
    }
    for (const id of IDS) {
      await ask(stand, `a${id}`, `/users/${id}00`, { cookie: `session=A${id}` })
      const b = await ask(stand, `b${id}`, `/users/${id}00/mine`, { cookie: `session=B${id}` })
      expect(b.body).not.toContain('session=A')
      const nobody = await ask(stand, `d${id}`, `/users/${id}00/mine`)
      expect(nobody.body).not.toContain('secret')
    }
  })

  it('fills the place of a variant or a key that credentials decide', async () => {
    const vary = { ...FRESH, vary: 'cookie' }
    const stand = await start({ prefetch: SECTION }, ({ url, cookie }) => ({ headers: vary, body: `${url} for ${cookie}` }))
    for (const id of IDS) for (const path of TO_ORDERS(id)) await ask(stand, `c${id}`, path, { cookie: `session=${id}` })
    const { body } = await ask(stand, 'x', '/users/1/orders', { cookie: 'session=1' })
    expect(body).toBe('/users/1/orders for session=1')
    const { body: other } = await ask(stand, 'x', '/users/1/orders', { cookie: 'session=2' })
    expect(other).toBe('/users/1/orders for session=2')
  })

  it('fills the place of clients, where the origin answers prefetches otherwise', async () => {
    const stand = await start({ prefetch: SECTION }, ({ url, purpose }) =>
      url.endsWith('/orders') ? { headers: { ...FRESH, vary: 'sec-purpose' }, body: purpose ?? 'whole' } : {},
    )
    await walk(stand, IDS, TO_ORDERS)
    await ask(stand, 'new', '/users/999')
    expect((await ask(stand, 'new', '/users/999/orders')).body).toBe('whole')
  })

  it('is stored where the origin refuses prefetches, whatever it says of the freshness of its refusal', async () => {
    const stand = await start({ prefetch: SECTION }, ({ url, purpose }) =>
      purpose === undefined ? {} : { status: 503, headers: FRESH, body: `no ${url}` },
    )
    await walk(stand, IDS, TO_ORDERS)
    await ask(stand, 'new', '/users/999')
    expect(await ask(stand, 'new', '/users/999/orders')).toMatchObject({ cache: 'MISS', status: 200 })
    expect(counts(stand).prefetchUsed ?? 0).toBe(0)
  })
})

describe('hints of the origin', () => {
  const link =
    '</hinted>; rel=prefetch, <https://elsewhere.example/x>; rel="prefetch", <//elsewhere.example/y>; rel=prefetch, </a/%2e%2e/admin>; rel=prefetch, </logout>; rel=prefetch, <http://u:p@host/>; rel=prefetch, </other>; rel=next'
  const short = { ...FRESH, 'cache-control': 'max-age=15' }
  const answer: Answer = ({ url }) => ({ headers: url === '/page' ? { ...short, link } : short })
  const routes = [...ROUTES, { name: 'out', match: { path: '/logout' }, prefetch: false }]

  it('are followed where that is asked for: same site, routes that prefetch, without credentials', async () => {
    const stand = await start({ routes, prefetch: { ...SECTION, hints: true, credentials: 'send', routes: 'all' } }, answer)
    for (let turn = 0; turn < 12; turn += 1) {
      await ask(stand, 'reader', '/page', { cookie: 'session=1' })
      await ask(stand, 'reader', '/hinted', { cookie: 'session=1' })
      stand.clock.advance(20_000)
    }
    const beforehand = stand.asked.filter(({ purpose }) => purpose !== undefined)
    expect(new Set(beforehand.map(({ url }) => url))).toEqual(new Set(['/hinted']))
  })

  it('are nobody’s business else', async () => {
    const stand = await start({ routes, prefetch: SECTION }, answer)
    for (let turn = 0; turn < 12; turn += 1) {
      await ask(stand, `reader${turn}`, '/page')
      stand.clock.advance(20_000)
    }
    expect(stand.asked.filter(({ purpose }) => purpose !== undefined)).toEqual([])
  })

  it('are followed from 103 Early Hints, while the answer is still being made', async () => {
    const order: string[] = []
    const origin = await originHere(({ url = '', headers }, response) => {
      order.push(`${headers['sec-purpose'] ?? 'client'} ${url}`)
      const finish = (): void => void response.writeHead(200, { ...FRESH, 'cache-control': 'max-age=15' }).end(url)
      if (url !== '/slow') return finish()
      response.writeEarlyHints({ link: '</part.js>; rel=preload; as=script' }, () => setTimeout(finish, 30))
    })
    const clock = createVirtualClock()
    const stand = {
      asked: [],
      clock,
      url: origin,
      here: await gatewayBefore(origin, { routes: ROUTES, prefetch: { ...SECTION, hints: true } }, clock),
    }
    for (let turn = 0; turn < 12; turn += 1) {
      await ask(stand, 'reader', '/slow')
      await ask(stand, 'reader', '/part.js')
      clock.advance(20_000)
    }
    expect(order.filter((one) => one === 'prefetch /part.js').length).toBeGreaterThan(3)
    expect(counts(stand).prefetchUsed).toBeGreaterThan(3)
  })
})

describe('a configuration that changes', () => {
  it('turns prefetching on and off without a restart', async () => {
    const stand = await start({}, () => ({}))
    const { gateway } = stand.here
    await walk(stand, IDS, TO_ORDERS)
    expect(stand.asked.some(({ purpose }) => purpose !== undefined)).toBe(false)
    const config = (prefetch: unknown) =>
      parseConfig({
        values: { origin: { url: stand.url }, listen: '127.0.0.1:0', api: { listen: '127.0.0.1:0' }, routes: ROUTES, prefetch },
      })
    expect(await gateway.reload(config(SECTION))).toMatchObject({ applied: ['prefetch'], restart: [] })
    await walk(
      stand,
      IDS.map((id) => id + 100),
      TO_ORDERS,
    )
    const beforehand = stand.asked.filter(({ purpose }) => purpose !== undefined).length
    expect(beforehand).toBeGreaterThan(5)
    expect(gateway.cache.stats().memory?.ledger.prefetch).toBeGreaterThan(0)
    await gateway.reload(config(false))
    await walk(
      stand,
      IDS.map((id) => id + 200),
      TO_ORDERS,
    )
    expect(stand.asked.filter(({ purpose }) => purpose !== undefined).length).toBe(beforehand)
    expect(gateway.cache.stats().memory?.ledger.prefetch).toBe(0)
  })
})
