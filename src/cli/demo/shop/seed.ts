/**
 * The demo shop's rows: the same ones at every start, with times counted back from the moment given.
 *
 * Floor 6, room cli. Written by Postgres itself (generate_series), so that 60,000 order lines take about a second.
 * Popularity of products is skewed like a real shop's: a few sell most.
 */
import type { Database } from './database.ts'
import { INDEXES, SCHEMA } from './schema.ts'

/** How much there is of each thing. */
export interface SeedSizes {
  readonly products: number
  readonly orders: number
  readonly linesPerOrder: number
  readonly reviews: number
}

/** 5,000 products, 20,000 orders with 60,000 lines, 40,000 reviews. */
export const FULL_SIZES: SeedSizes = { products: 5000, orders: 20_000, linesPerOrder: 3, reviews: 40_000 }

/** Enough for contract tests: everything exists, a seed takes a fraction of a second. */
export const SMALL_SIZES: SeedSizes = { products: 200, orders: 400, linesPerOrder: 3, reviews: 600 }

/** Sellers; each has 12 users. The token `demo` belongs to the owner of the first, `demo-viewer` to a viewer there. */
export const TENANTS = ['Acme Outdoor', 'Borealis Home', 'Cobalt Audio', 'Dune Kitchen'] as const

const CATEGORIES = [
  'Tents',
  'Backpacks',
  'Lamps',
  'Chairs',
  'Headphones',
  'Speakers',
  'Pans',
  'Knives',
  'Boots',
  'Jackets',
  'Tables',
  'Cups',
]
const HOUR_MS = 3_600_000

/** A product whose promotion ends ten minutes after the start: its quote is never cached past that. */
export const FLASH_PRODUCT = 42

/**
 * Fills an empty database.
 *
 * @param nowMs epoch ms that seeded times are counted from; promotions end 1 to 48 hours after it
 */
export async function seedShop(db: Database, sizes: SeedSizes, nowMs: number): Promise<void> {
  const now = `to_timestamp(${Math.floor(nowMs / HOUR_MS) * (HOUR_MS / 1000)})`
  const rows = `${people(now)}; ${catalogue(sizes, now)}; ${trade(sizes, now)}; ${flashDeal(nowMs)}`
  await db.script(`BEGIN; ${SCHEMA}; ${rows}; COMMIT;`)
  await db.script(INDEXES)
}

function people(now: string): string {
  const users = TENANTS.length * 12
  return `
INSERT INTO tenants VALUES ${TENANTS.map((name, i) => `(${i + 1}, '${name}', '${i % 2 === 0 ? 'business' : 'starter'}')`).join(', ')};
INSERT INTO users SELECT i, 1 + (i - 1) / 12, 'user' || i || '@shop.example', 'User ' || i,
  (ARRAY['owner', 'analyst', 'viewer'])[1 + (i - 1) % 3], (ARRAY['standard', 'gold', 'platinum'])[1 + i % 3],
  (ARRAY['en-GB', 'de-DE', 'fr-FR'])[1 + pick(i, 3)]
  FROM generate_series(1, ${users}) i;
INSERT INTO sessions SELECT 's-' || md5('session' || i), i, ${now} + interval '30 days' FROM generate_series(1, ${users}) i;
INSERT INTO sessions VALUES ('demo', 1, ${now} + interval '30 days'), ('demo-viewer', 3, ${now} + interval '30 days'),
  ('demo-expired', 1, ${now} - interval '1 day');
INSERT INTO permissions VALUES ('owner', 'dashboard:read'), ('owner', 'revenue:read'), ('owner', 'prices:write'),
  ('analyst', 'dashboard:read'), ('analyst', 'revenue:read'), ('viewer', 'dashboard:read');
INSERT INTO feature_flags VALUES ('daily-trend', NULL, true), ('low-stock', NULL, true), ('forecast', 1, true), ('forecast', NULL, false)`
}

function catalogue(sizes: SeedSizes, now: string): string {
  const names = CATEGORIES.map((name, i) => `(${i + 1}, '${name}')`).join(', ')
  return `
INSERT INTO categories VALUES ${names};
INSERT INTO products SELECT i, 1 + i % ${TENANTS.length}, 1 + pick(i + 11, ${CATEGORIES.length}), 'SKU-' || lpad(i::text, 6, '0'),
  (ARRAY['Light', 'Sturdy', 'Folding', 'Classic', 'Compact', 'Quiet'])[1 + pick(i + 23, 6)] || ' '
    || (SELECT trim(trailing 's' from name) FROM categories WHERE id = 1 + pick(i + 11, ${CATEGORIES.length})) || ' ' || i,
  repeat('Made to last, tested outdoors and indoors, repaired for ten years. ', 2 + pick(i + 37, 3)),
  ${now} - make_interval(hours => pick(i + 41, 2000))
  FROM generate_series(1, ${sizes.products}) i;
-- Seven products of ten cost the same in every tier.
INSERT INTO prices SELECT p.id, c.code, t.name,
  greatest(1, round((500 + pick(p.id + 53, 19500)) * c.rate * CASE WHEN pick(p.id + 59, 10) < 7 THEN 1 ELSE t.factor END))::int
  FROM products p
  CROSS JOIN (VALUES ('USD', 1.0), ('EUR', 0.92), ('GBP', 0.79), ('JPY', 1.5)) AS c (code, rate)
  CROSS JOIN (VALUES ('standard', 1.0), ('gold', 0.95), ('platinum', 0.9)) AS t (name, factor);
INSERT INTO inventory SELECT p.id, w.name, pick(p.id * 3 + w.spread, 400)
  FROM products p CROSS JOIN (VALUES ('north', 1), ('south', 2), ('harbour', 3)) AS w (name, spread);
INSERT INTO promotions SELECT i, 1 + (i * 7) % ${sizes.products}, 'Week deal ' || i, 5 + 5 * pick(i + 61, 8),
  ${now} - interval '3 days', ${now} + make_interval(hours => 2 + pick(i + 67, 47))
  FROM generate_series(1, ${Math.ceil(sizes.products / 10)}) i`
}

function trade(sizes: SeedSizes, now: string): string {
  const users = TENANTS.length * 12
  const lines = sizes.orders * sizes.linesPerOrder
  const popular = (seed: string): string => `1 + floor(${sizes.products} * power(pick(${seed}, 100000) / 100000.0, 2.5))::int`
  return `
INSERT INTO reviews SELECT i, ${popular('i + 71')}, 1 + pick(i + 73, ${users}), 1 + greatest(pick(i + 79, 5), pick(i + 83, 5)),
  'Bought it ' || pick(i + 89, 24) || ' months ago and would buy it again.', ${now} - make_interval(hours => pick(i + 97, 9000))
  FROM generate_series(1, ${sizes.reviews}) i;
INSERT INTO orders (id, user_id, placed_at, status) SELECT i, 1 + pick(i + 101, ${users}),
  ${now} - make_interval(mins => pick(i + 103, 90 * 24 * 60)), (ARRAY['paid', 'shipped', 'shipped', 'returned'])[1 + pick(i + 107, 4)]
  FROM generate_series(1, ${sizes.orders}) i;
INSERT INTO order_lines SELECT 1 + (i - 1) / ${sizes.linesPerOrder}, 1 + (i - 1) % ${sizes.linesPerOrder}, l.product, l.quantity,
  l.quantity * (SELECT amount FROM prices WHERE product_id = l.product AND currency = 'USD' AND tier = 'standard')
  FROM (SELECT i, ${popular('i + 109')} AS product, 1 + pick(i + 113, 4) AS quantity FROM generate_series(1, ${lines}) i) l;
SELECT setval(pg_get_serial_sequence('orders', 'id'), ${sizes.orders})`
}

function flashDeal(nowMs: number): string {
  const now = `to_timestamp(${nowMs / 1000})`
  return `INSERT INTO promotions VALUES (0, ${FLASH_PRODUCT}, 'Flash deal', 50, ${now} - interval '1 hour', ${now} + interval '10 minutes')`
}
