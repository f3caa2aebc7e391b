/**
 * The demo shop over real HTTP and a real Postgres (PGlite): what it answers, how it may be stored, what writes say.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../src/cli/demo/shop/database.ts'
import { FLASH_PRODUCT, SMALL_SIZES, seedShop } from '../../src/cli/demo/shop/seed.ts'
import { createShop } from '../../src/cli/demo/shop/shop.ts'
import { parseServerTiming } from '../../src/cli/demo/shop/stages.ts'

const START_MS = Date.UTC(2026, 2, 4, 5, 6, 7)
const OWNER = { cookie: 'session=demo' }

let db: Database
let server: Server
let base: string
let nowMs = START_MS
let announced: string[][] = []
let errors: unknown[] = []
let announceFails = false

beforeAll(async () => {
  db = await openDatabase()
  await seedShop(db, SMALL_SIZES, START_MS)
  const announce = async (changed: readonly string[]): Promise<void> => {
    announced.push([...changed])
    if (announceFails) throw new Error('nobody there')
  }
  server = createServer(createShop({ db, announce, wall: () => nowMs, onError: (error) => errors.push(error) }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}, 60_000)

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await db.close()
})

beforeEach(() => {
  nowMs = START_MS
  announced = []
  errors = []
  announceFails = false
})

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(base + path, { headers })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}

async function send(method: string, path: string, body: unknown, headers: Record<string, string> = OWNER) {
  const answer = await fetch(base + path, { method, headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
  return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) }
}

describe('shop: products', () => {
  it('answers a product with its tags, an ETag and a freshness for shared caches', async () => {
    const answer = await get('/api/products/8')

    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ id: 8, currency: 'USD', price: expect.any(Number), stock: expect.any(Number) })
    expect(answer.headers.get('cache-control')).toContain('public, max-age=60, stale-while-revalidate=60')
    expect(answer.headers.get('surrogate-key')).toBe('product:8 products')
    expect(answer.headers.get('cache-groups')).toBe('"product:8", "products"')
    expect(answer.headers.get('etag')).toMatch(/^"[\w-]{27}"$/)
  })

  it('answers the same bytes for the same rows, and 304 to their ETag', async () => {
    const first = await get('/api/products/8')
    const again = await get('/api/products/8', { 'if-none-match': `"other", ${first.headers.get('etag')}` })

    expect(again.status).toBe(304)
    expect(again.body).toBeUndefined()
    expect(again.headers.get('cache-control')).toBe(first.headers.get('cache-control'))
  })

  it('answers HEAD with the head of GET and no body', async () => {
    const got = await get('/api/products/8')
    const head = await fetch(`${base}/api/products/8`, { method: 'HEAD' })

    expect(head.headers.get('etag')).toBe(got.headers.get('etag'))
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(100)
    expect(await head.text()).toBe('')
  })

  it('pages through all products once, in every order', async () => {
    for (const sort of ['id', 'name', 'price', '-price', '-rating']) {
      const seen: number[] = []
      for (let page = 1; page <= 4; page += 1) {
        const { body } = await get(`/api/products?sort=${sort}&perPage=50&page=${page}`)
        seen.push(...body.products.map((product: { id: number }) => product.id))
      }
      expect([sort, new Set(seen).size]).toEqual([sort, SMALL_SIZES.products])
    }
  })

  it('filters by category, words and price', async () => {
    const { body } = await get('/api/products?category=Tents&minPrice=1000&maxPrice=15000&perPage=100&q=tent')

    expect(body.total).toBe(body.products.length)
    expect(body.products.length).toBeGreaterThan(0)
    for (const product of body.products) {
      expect(product.category).toBe('Tents')
      expect(product.price).toBeGreaterThanOrEqual(1000)
      expect(product.price).toBeLessThanOrEqual(15000)
    }
  })

  it('tags a list with each product it shows, and with products:price where a price decides what it shows', async () => {
    const byId = await get('/api/products?perPage=3')
    const byPrice = await get('/api/products?perPage=3&sort=price')
    const ranged = await get('/api/products?perPage=3&minPrice=1')

    expect(byId.headers.get('surrogate-key')).toBe('products product:1 product:2 product:3')
    expect(byPrice.headers.get('surrogate-key')?.split(' ')).toContain('products:price')
    expect(ranged.headers.get('surrogate-key')?.split(' ')).toContain('products:price')
  })

  it.each([
    ['/api/products?sort=shoe', 400],
    ['/api/products?page=0', 400],
    ['/api/products?perPage=1000', 400],
    ['/api/products?minPrice=-1', 400],
    ['/api/products/0', 404],
    ['/api/products/x', 404],
    ['/api/products/99999999999', 404],
    ['/api/nothing', 404],
    ['/api/quote/8?currency=XYZ', 400],
    ['/api/quote/8?tier=iron', 400],
    ['/api/quote/99999', 404],
  ])('refuses %s with %i, never stored', async (path, status) => {
    const answer = await get(path)

    expect(answer.status).toBe(status)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.body.detail).toEqual(expect.any(String))
  })

  it('takes hostile values as values, not as SQL', async () => {
    const { status, body } = await get(`/api/products?q=${encodeURIComponent("'; DROP TABLE products; --")}`)

    expect(status).toBe(200)
    expect(body.total).toBe(0)
    expect((await get('/api/products/1')).status).toBe(200)
  })
})

describe('shop: quotes', () => {
  it('says the same for USD and standard as for leaving them out', async () => {
    const plain = await get('/api/quote/9')
    const spelled = await get('/api/quote/9?tier=standard&currency=USD')

    expect(spelled.body).toEqual(plain.body)
    expect(spelled.headers.get('etag')).toBe(plain.headers.get('etag'))
  })

  it('costs the same in every tier for about seven products of ten', async () => {
    let equal = 0
    for (let id = 1; id <= 100; id += 1) {
      const [standard, gold] = await Promise.all([get(`/api/quote/${id}`), get(`/api/quote/${id}?tier=gold`)])
      if (standard.headers.get('etag') === gold.headers.get('etag')) equal += 1
    }
    expect(equal).toBeGreaterThanOrEqual(60)
    expect(equal).toBeLessThanOrEqual(85)
  })

  it('is fresh no longer than the promotion that made it', async () => {
    nowMs = START_MS + 10 * 60_000 - 20_000
    const near = await get(`/api/quote/${FLASH_PRODUCT}`)
    nowMs = START_MS + 10 * 60_000 - 300
    const last = await get(`/api/quote/${FLASH_PRODUCT}`)
    nowMs = START_MS + 10 * 60_000 + 1
    const after = await get(`/api/quote/${FLASH_PRODUCT}`)

    expect(near.body.promotion.label).toBe('Flash deal')
    expect(near.headers.get('cache-control')).toMatch(/^public, max-age=20, no-cache="server-timing"$/)
    expect(last.headers.get('cache-control')).toMatch(/^public, no-cache,/)
    expect(after.body.promotion?.label).not.toBe('Flash deal')
    expect(after.body.price).toBeGreaterThan(near.body.price)
  })
})

describe('shop: what belongs to a session', () => {
  it('refuses the dashboard and the profile without a good session', async () => {
    for (const headers of [{}, { cookie: 'session=wrong' }, { cookie: 'session=demo-expired' }, { cookie: 'other=demo' }]) {
      expect((await get('/api/v1/dashboard', headers)).status).toBe(401)
      expect((await get('/api/profile', headers)).status).toBe(401)
    }
  })

  it('answers the dashboard for caches that key by the session alone, and says its stages', async () => {
    const answer = await get('/api/v1/dashboard', OWNER)
    const stages = parseServerTiming(answer.headers.get('server-timing') ?? '').map((stage) => stage.name)

    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    expect(answer.headers.get('forecache-cache-control')).toContain('max-age=10, stale-while-revalidate=50')
    expect(answer.headers.get('vary')).toBe('cookie')
    expect(answer.headers.get('surrogate-key')).toBe('seller:1 user:1 role:owner flags')
    expect(stages).toEqual(['session', 'permissions', 'flags', 'query', 'serialize'])
    expect(answer.body.bestSellers).toHaveLength(10)
    expect(answer.body.days.length).toBeGreaterThan(10)
  })

  it('shows no revenue to a role that may not read it', async () => {
    const viewer = await get('/api/v1/dashboard', { cookie: 'a=b; session=demo-viewer' })

    expect(viewer.status).toBe(200)
    expect(JSON.stringify(viewer.body)).not.toContain('revenue')
  })

  it('lets no shared cache keep a profile', async () => {
    const answer = await get('/api/profile', OWNER)

    expect(answer.body).toMatchObject({ userId: 1, role: 'owner' })
    expect(answer.headers.get('cache-control')).toBe('private, max-age=30')
  })
})

describe('shop: writes', () => {
  it('changes a price in every currency and tier, and says what it changed before it answers', async () => {
    const before = await get('/api/quote/11?currency=EUR&tier=gold')
    const old = (await get('/api/products/11')).body.price

    const answer = await send('PUT', '/api/products/11', { price: old * 2 })

    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-group-invalidation')).toBe('"product:11", "products:price"')
    expect(answer.headers.get('etag')).toBeNull()
    expect(announced).toEqual([['product:11', 'products:price']])
    expect((await get('/api/products/11')).body.price).toBe(old * 2)
    const after = await get('/api/quote/11?currency=EUR&tier=gold')
    expect(after.body.listPrice).toBe(before.body.listPrice * 2)
  })

  it("takes an order from stock and adds it to the seller's dashboard", async () => {
    const before = (await get('/api/products/12')).body

    const answer = await send('POST', '/api/orders', { product: 12, quantity: 3 })
    const order = await get(answer.headers.get('location') ?? '', OWNER)

    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-group-invalidation')).toBe('"product:12", "seller:1"')
    expect((await get('/api/products/12')).body.stock).toBe(before.stock - 3)
    expect(order.body.lines).toEqual([
      { id: answer.body.order, status: 'paid', product: 12, quantity: 3, amount: before.price * 3 },
    ])
    expect((await get(answer.headers.get('location') ?? '', { cookie: 'session=demo-viewer' })).status).toBe(404)
  })

  it('keeps the write when forecache cannot be told, and logs why', async () => {
    announceFails = true
    const answer = await send('PUT', '/api/products/13', { price: 777 })

    expect(answer.status).toBe(200)
    expect((await get('/api/products/13')).body.price).toBe(777)
    expect(errors).toHaveLength(1)
  })

  it.each([
    ['PUT', '/api/products/8', { price: 100 }, {}, 401],
    ['PUT', '/api/products/8', { price: 100 }, { cookie: 'session=demo-viewer' }, 403],
    ['PUT', '/api/products/8', { price: 1.5 }, OWNER, 400],
    ['PUT', '/api/products/8', '{"price":', OWNER, 400],
    ['PUT', '/api/products/8', 'x'.repeat(20_000), OWNER, 413],
    ['PUT', '/api/products/99999', { price: 100 }, OWNER, 404],
    ['POST', '/api/orders', { product: 8, quantity: 0 }, OWNER, 400],
    ['POST', '/api/orders', [], OWNER, 400],
    ['POST', '/api/orders', { product: 99_999 }, OWNER, 409],
    ['DELETE', '/api/products/8', {}, OWNER, 405],
  ])('refuses %s %s %j with %j: %i, and announces nothing', async (method, path, body, headers, status) => {
    const answer = await send(method, path, body, headers as Record<string, string>)

    expect(answer.status).toBe(status)
    expect(announced).toEqual([])
    expect(errors).toEqual([])
  })

  it('names the allowed methods with a 405', async () => {
    expect((await send('DELETE', '/api/products/8', {})).headers.get('allow')).toBe('GET, HEAD, PUT')
  })
})
