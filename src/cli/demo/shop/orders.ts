/**
 * `POST /api/orders` and `GET /api/orders/:id`.
 *
 * Floor 6, room cli. An order takes from the fullest warehouse and changes two things that are cached elsewhere: the
 * product's stock and its seller's dashboard.
 */
import { type Answer, problem } from './answer.ts'
import { type Call, parseCount, type Route } from './call.ts'
import type { Query, RowSource } from './database.ts'
import { findSession } from './session.ts'

interface OrderWish {
  readonly product: number
  readonly quantity: number
}

interface Placed {
  readonly order: number
  readonly seller: number
}

/** $1 product, $2 quantity. No row: unknown product, or no warehouse has as many. */
const TAKE: Query<{ readonly warehouse: string }> = {
  name: 'take',
  sql: `UPDATE inventory SET quantity = quantity - $2 WHERE product_id = $1 AND quantity >= $2
    AND warehouse = (SELECT warehouse FROM inventory WHERE product_id = $1 ORDER BY quantity DESC, warehouse LIMIT 1)
    RETURNING warehouse`,
}

/** $1 user, $2 now (epoch ms). */
const PLACE: Query<{ readonly id: number }> = {
  name: 'place',
  sql: `INSERT INTO orders (user_id, placed_at, status) VALUES ($1, to_timestamp($2::float8 / 1000), 'paid') RETURNING id`,
}

/** $1 order, $2 product, $3 quantity. */
const ADD_LINE: Query<{ readonly seller: number }> = {
  name: 'add-line',
  sql: `WITH bought AS (
      SELECT p.id, p.tenant_id, pr.amount FROM products p
      JOIN prices pr ON pr.product_id = p.id AND pr.currency = 'USD' AND pr.tier = 'standard' WHERE p.id = $2),
    added AS (INSERT INTO order_lines SELECT $1::int, 1, id, $3::int, amount * $3::int FROM bought)
    SELECT tenant_id AS seller FROM bought`,
}

/** $1 order, $2 user. */
const ORDER: Query<{ readonly id: number }> = {
  name: 'order',
  sql: `SELECT o.id, o.status, l.product_id AS product, l.quantity, l.amount FROM orders o
    JOIN order_lines l ON l.order_id = o.id WHERE o.id = $1 AND o.user_id = $2 ORDER BY l.line`,
}

async function postOrder(call: Call): Promise<Answer> {
  const session = await findSession(call)
  if (session === undefined) return problem(401, 'send the cookie of a session, such as session=demo')
  const wish = parseOrder(call.body)
  if (wish === undefined) return problem(400, 'body: expected {"product": number, "quantity": 1 to 100}')
  const placed = await call.stages.run('write', () => call.db.transaction((tx) => place(tx, wish, [session.userId, call.nowMs])))
  if (placed === undefined) return problem(409, `product ${wish.product} is not in stock ${wish.quantity} times`)
  return {
    status: 201,
    body: { order: placed.order, ...wish },
    caching: { kind: 'never' },
    changed: [`product:${wish.product}`, `seller:${placed.seller}`],
    location: `/api/orders/${placed.order}`,
  }
}

async function place(tx: RowSource, wish: OrderWish, placing: readonly [number, number]): Promise<Placed | undefined> {
  if ((await tx.rows(TAKE, [wish.product, wish.quantity])).length === 0) return undefined
  const order = (await tx.rows(PLACE, placing))[0]?.id ?? 0
  const seller = (await tx.rows(ADD_LINE, [order, wish.product, wish.quantity]))[0]?.seller ?? 0
  return { order, seller }
}

function parseOrder(body: unknown): OrderWish | undefined {
  if (typeof body !== 'object' || body === null || !('product' in body)) return undefined
  const { product } = body
  const quantity = 'quantity' in body ? body.quantity : 1
  if (typeof product !== 'number' || !Number.isInteger(product) || product < 1 || product > 2 ** 31 - 1) return undefined
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1 || quantity > 100) return undefined
  return { product, quantity }
}

async function getOrder(call: Call): Promise<Answer> {
  const session = await findSession(call)
  if (session === undefined) return problem(401, 'send the cookie of a session, such as session=demo')
  const lines = await call.stages.run('query', () => call.source.rows(ORDER, [parseCount(call.id) ?? 0, session.userId]))
  if (lines.length === 0) return problem(404, `you have no order ${call.id}`)
  return { status: 200, body: { lines }, caching: { kind: 'never' } }
}

/** Routes of orders. */
export const ORDER_ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/api\/orders$/, run: postOrder },
  { method: 'GET', path: /^\/api\/orders\/([^/]+)$/, run: getOrder },
]
