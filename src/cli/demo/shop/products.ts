/**
 * `GET /api/products`, `GET /api/products/:id`, `PUT /api/products/:id`.
 *
 * Floor 6, room cli. A list is tagged with every product it shows. Lists that a price can reorder carry `products:price`
 * as well, so a new price drops the pages it may move between, and no others.
 */
import { type Answer, problem } from './answer.ts'
import { type Call, parseCount, type Route } from './call.ts'
import type { Query } from './database.ts'
import { LIST_COUNT, LIST_ORDERS, type ListOrder, listProducts, PRODUCT } from './queries.ts'
import { findPermissions, findSession } from './session.ts'

const PER_PAGE = 20
const MAX_PER_PAGE = 100

/** $1 product, $2 new USD standard price in cents: the other currencies and tiers keep their proportion. */
const REPRICE: Query<{ readonly amount: number }> = {
  name: 'reprice',
  sql: `WITH old AS (SELECT amount FROM prices WHERE product_id = $1 AND currency = 'USD' AND tier = 'standard')
    UPDATE prices p SET amount = greatest(1, round(p.amount::numeric * $2 / old.amount))::int FROM old WHERE p.product_id = $1
    RETURNING p.amount`,
}

/** $1 product, $2 now (epoch ms). */
const TOUCH: Query<{ readonly id: number }> = {
  name: 'touch',
  sql: 'UPDATE products SET updated_at = to_timestamp($2::float8 / 1000) WHERE id = $1 RETURNING id',
}

async function getProduct(call: Call): Promise<Answer> {
  const id = parseCount(call.id)
  const rows = id === undefined ? [] : await call.stages.run('query', () => call.source.rows(PRODUCT, [id]))
  const product = rows[0]
  if (product === undefined) return problem(404, `there is no product ${call.id}`)
  return {
    status: 200,
    body: { ...product, currency: 'USD', updatedAt: new Date(product.updatedAt).toISOString() },
    caching: { kind: 'shared', freshness: { maxAge: 60, staleFor: 60 } },
    tags: [`product:${product.id}`, 'products'],
  }
}

interface ListWish {
  readonly order: ListOrder
  readonly page: number
  readonly perPage: number
  /** Category, words, least and greatest price. */
  readonly filter: readonly [string | null, string | null, number | null, number | null]
}

async function getProducts(call: Call): Promise<Answer> {
  const wish = parseWish(call.url.searchParams)
  if (typeof wish === 'string') return problem(400, wish)
  const { page, perPage, filter } = wish
  const offset = (page - 1) * perPage
  const [products, counts] = await call.stages.run(
    'query',
    async () =>
      [
        await call.source.rows(listProducts(wish.order), [...filter, perPage, offset]),
        await call.source.rows(LIST_COUNT, filter),
      ] as const,
  )
  const total = counts[0]?.total ?? 0
  const movedByPrice = wish.order.endsWith('price') || filter[2] !== null || filter[3] !== null
  return {
    status: 200,
    body: { page, perPage, total, pages: Math.ceil(total / perPage), currency: 'USD', products },
    caching: { kind: 'shared', freshness: { maxAge: 2, staleFor: 30 } },
    tags: ['products', ...(movedByPrice ? ['products:price'] : []), ...products.map(({ id }) => `product:${id}`)],
  }
}

/** @returns what is wrong with the query, as text, when it cannot be answered */
function parseWish(query: URLSearchParams): ListWish | string {
  const order = query.get('sort') ?? 'id'
  if (!Object.hasOwn(LIST_ORDERS, order)) return `sort: expected one of ${Object.keys(LIST_ORDERS).join(', ')}, given ${order}`
  const page = query.has('page') ? parseCount(query.get('page'), 100_000) : 1
  if (page === undefined || page < 1) return 'page: expected a whole number from 1'
  const perPage = query.has('perPage') ? parseCount(query.get('perPage'), MAX_PER_PAGE) : PER_PAGE
  if (perPage === undefined || perPage < 1) return `perPage: expected a whole number from 1 to ${MAX_PER_PAGE}`
  const least = query.has('minPrice') ? parseCount(query.get('minPrice')) : null
  const greatest = query.has('maxPrice') ? parseCount(query.get('maxPrice')) : null
  if (least === undefined || greatest === undefined) return 'minPrice, maxPrice: expected cents as a whole number'
  const words = query.get('q')?.slice(0, 100) ?? null
  return { order: order as ListOrder, page, perPage, filter: [query.get('category'), words, least, greatest] }
}

async function putProduct(call: Call): Promise<Answer> {
  const session = await findSession(call)
  if (session === undefined) return problem(401, 'send the cookie of a session, such as session=demo')
  if (!(await findPermissions(call, session.role)).has('prices:write'))
    return problem(403, `${session.role} may not write prices`)
  const price = parsePrice(call.body)
  if (price === undefined) return problem(400, 'body: expected {"price": cents}, a whole number from 1 to 10000000')
  const id = parseCount(call.id) ?? 0
  const known = await call.stages.run('write', () =>
    call.db.transaction(async (tx) => {
      await tx.rows(REPRICE, [id, price])
      return (await tx.rows(TOUCH, [id, call.nowMs])).length > 0
    }),
  )
  if (!known) return problem(404, `there is no product ${call.id}`)
  return {
    status: 200,
    body: { id, price, currency: 'USD' },
    caching: { kind: 'never' },
    changed: [`product:${id}`, 'products:price'],
  }
}

function parsePrice(body: unknown): number | undefined {
  if (typeof body !== 'object' || body === null || !('price' in body)) return undefined
  const { price } = body
  return typeof price === 'number' && Number.isInteger(price) && price >= 1 && price <= 10_000_000 ? price : undefined
}

/** Routes of products. */
export const PRODUCT_ROUTES: readonly Route[] = [
  { method: 'GET', path: /^\/api\/products$/, run: getProducts },
  { method: 'GET', path: /^\/api\/products\/([^/]+)$/, run: getProduct },
  { method: 'PUT', path: /^\/api\/products\/([^/]+)$/, run: putProduct },
]
