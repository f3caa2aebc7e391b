/**
 * The shop's statements and their rows.
 *
 * Floor 6, room cli. Everything a request reads is here, so that a cache of rows (bench/scenario) can stand between.
 */
import type { Query } from './database.ts'

/** Who a session token belongs to. */
export interface SessionRow {
  readonly userId: number
  readonly name: string
  readonly email: string
  readonly role: string
  readonly tier: string
  readonly locale: string
  readonly tenantId: number
  readonly tenant: string
  readonly plan: string
  readonly expiresAt: number
}

/** A product as lists show it. */
export interface ProductRow {
  readonly id: number
  readonly sku: string
  readonly name: string
  readonly category: string
  readonly price: number
  readonly stock: number
  readonly rating: number | null
  readonly reviews: number
}

/** A product's own page. */
export interface ProductPageRow extends ProductRow {
  readonly description: string
  readonly seller: string
  readonly updatedAt: number
}

/** The price of a product now, and when it will change by itself. */
export interface QuoteRow {
  readonly id: number
  readonly amount: number
  readonly label: string | null
  readonly percent: number | null
  readonly endsAt: number | null
  readonly nextStartsAt: number | null
}

/** A best-selling product of a seller. */
export interface SellerRow {
  readonly id: number
  readonly name: string
  readonly category: string
  readonly orders: number
  readonly units: number
  readonly revenue: number
  readonly rating: number | null
  readonly stock: number
}

/** One day's trade of a seller. */
export interface DayRow {
  readonly day: string
  readonly orders: number
  readonly units: number
  readonly revenue: number
}

/** $1 token, $2 now (epoch ms). */
export const SESSION: Query<SessionRow> = {
  name: 'session',
  sql: `SELECT u.id AS "userId", u.name, u.email, u.role, u.tier, u.locale, t.id AS "tenantId", t.name AS tenant, t.plan,
    extract(epoch FROM s.expires_at)::float8 * 1000 AS "expiresAt"
    FROM sessions s JOIN users u ON u.id = s.user_id JOIN tenants t ON t.id = u.tenant_id
    WHERE s.token = $1 AND s.expires_at > to_timestamp($2::float8 / 1000)`,
}

/** $1 role. */
export const PERMISSIONS: Query<{ readonly permission: string }> = {
  name: 'permissions',
  sql: 'SELECT permission FROM permissions WHERE role = $1 ORDER BY permission',
}

/** $1 tenant: its own setting of a flag wins over everybody's. */
export const FLAGS: Query<{ readonly name: string; readonly enabled: boolean }> = {
  name: 'flags',
  sql: `SELECT DISTINCT ON (name) name, enabled FROM feature_flags
    WHERE tenant_id = $1 OR tenant_id IS NULL ORDER BY name, tenant_id NULLS LAST`,
}

const PRODUCT_COLUMNS = `p.id, p.sku, p.name, c.name AS category, pr.amount AS price,
  (SELECT sum(quantity)::int FROM inventory WHERE product_id = p.id) AS stock,
  (SELECT round(avg(rating), 2)::float8 FROM reviews WHERE product_id = p.id) AS rating,
  (SELECT count(*)::int FROM reviews WHERE product_id = p.id) AS reviews`

const PRODUCT_TABLES = `products p JOIN categories c ON c.id = p.category_id
  JOIN prices pr ON pr.product_id = p.id AND pr.currency = 'USD' AND pr.tier = 'standard'`

/** $1 product. */
export const PRODUCT: Query<ProductPageRow> = {
  name: 'product',
  sql: `SELECT ${PRODUCT_COLUMNS}, p.description, t.name AS seller, extract(epoch FROM p.updated_at)::float8 * 1000 AS "updatedAt"
    FROM ${PRODUCT_TABLES} JOIN tenants t ON t.id = p.tenant_id WHERE p.id = $1`,
}

const LIST_WHERE = `($1::text IS NULL OR c.name = $1) AND ($2::text IS NULL OR p.name ILIKE '%' || $2 || '%')
  AND ($3::int IS NULL OR pr.amount >= $3) AND ($4::int IS NULL OR pr.amount <= $4)`

/** What lists may be sorted by; the product's number breaks ties, so that pages never overlap. */
export const LIST_ORDERS = {
  id: 'id',
  name: 'name, id',
  price: 'price, id',
  '-price': 'price DESC, id',
  '-rating': 'rating DESC NULLS LAST, id',
} as const

/** A name of LIST_ORDERS. */
export type ListOrder = keyof typeof LIST_ORDERS

/** $1 category, $2 words, $3 least and $4 greatest price in cents (each may be null), $5 limit, $6 offset. */
export function listProducts(order: ListOrder): Query<ProductRow> {
  // Ratings are computed for the page alone, unless it is sorted by them.
  const byRating = order === '-rating'
  const page = `SELECT p.id, pr.amount AS price, p.name${byRating ? ', (SELECT avg(rating) FROM reviews WHERE product_id = p.id) AS rating' : ''}
    FROM ${PRODUCT_TABLES} WHERE ${LIST_WHERE} ORDER BY ${LIST_ORDERS[order]} LIMIT $5 OFFSET $6`
  return {
    name: `list:${order}`,
    sql: `SELECT ${PRODUCT_COLUMNS} FROM ${PRODUCT_TABLES} WHERE p.id IN (SELECT id FROM (${page}) page) ORDER BY ${LIST_ORDERS[order]}`,
  }
}

/** $1 to $4 as in `listProducts`. */
export const LIST_COUNT: Query<{ readonly total: number }> = {
  name: 'list-count',
  sql: `SELECT count(*)::int AS total FROM ${PRODUCT_TABLES} WHERE ${LIST_WHERE}`,
}

/** $1 product, $2 currency, $3 tier, $4 now (epoch ms). The best running promotion counts. */
export const QUOTE: Query<QuoteRow> = {
  name: 'quote',
  sql: `SELECT pr.product_id AS id, pr.amount, d.label, d.percent, d.ends_at AS "endsAt",
    (SELECT extract(epoch FROM min(starts_at))::float8 * 1000 FROM promotions
      WHERE product_id = $1 AND starts_at > to_timestamp($4::float8 / 1000)) AS "nextStartsAt"
    FROM prices pr LEFT JOIN LATERAL (
      SELECT label, percent, extract(epoch FROM ends_at)::float8 * 1000 AS ends_at FROM promotions
      WHERE product_id = $1 AND to_timestamp($4::float8 / 1000) BETWEEN starts_at AND ends_at
      ORDER BY percent DESC, ends_at LIMIT 1) d ON true
    WHERE pr.product_id = $1 AND pr.currency = $2 AND pr.tier = $3`,
}

const SOLD = `orders o JOIN order_lines l ON l.order_id = o.id JOIN products p ON p.id = l.product_id
  WHERE p.tenant_id = $1 AND o.status <> 'returned' AND o.placed_at >= to_timestamp($2::float8 / 1000) - interval '30 days'`

/** $1 tenant, $2 now (epoch ms): the ten products that sold best within 30 days, with rating and stock. The slow one. */
export const BEST_SELLERS: Query<SellerRow> = {
  name: 'best-sellers',
  sql: `WITH sold AS (
      SELECT p.id, count(DISTINCT o.id)::int AS orders, sum(l.quantity)::int AS units, sum(l.amount)::float8 AS revenue
      FROM ${SOLD} GROUP BY p.id),
    rated AS (
      SELECT r.product_id, round(avg(r.rating), 2)::float8 AS rating FROM reviews r JOIN products p ON p.id = r.product_id
      WHERE p.tenant_id = $1 GROUP BY r.product_id),
    stocked AS (
      SELECT i.product_id, sum(i.quantity)::int AS stock FROM inventory i JOIN products p ON p.id = i.product_id
      WHERE p.tenant_id = $1 GROUP BY i.product_id)
    SELECT p.id, p.name, c.name AS category, s.orders, s.units, s.revenue, r.rating, k.stock
    FROM sold s JOIN products p ON p.id = s.id JOIN categories c ON c.id = p.category_id
    LEFT JOIN rated r ON r.product_id = s.id JOIN stocked k ON k.product_id = s.id
    ORDER BY s.revenue DESC, p.id LIMIT 10`,
}

/** $1 tenant, $2 now (epoch ms): trade by day within 30 days. */
export const DAYS: Query<DayRow> = {
  name: 'days',
  sql: `SELECT to_char(o.placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(DISTINCT o.id)::int AS orders,
    sum(l.quantity)::int AS units, sum(l.amount)::float8 AS revenue FROM ${SOLD} GROUP BY 1 ORDER BY 1`,
}
