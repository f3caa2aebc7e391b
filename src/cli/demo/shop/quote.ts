/**
 * `GET /api/quote/:product?currency=&tier=`: what a product costs now.
 *
 * Floor 6, room cli. USD and standard are the same as leaving them out. The body does not name the tier: seven products
 * of ten cost the same in every tier, and equal bodies are stored once. A quote is fresh no longer than the promotion
 * that made it, and no longer than until the next one starts.
 */
import { type Answer, problem } from './answer.ts'
import { type Call, parseCount, type Route } from './call.ts'
import { QUOTE, type QuoteRow } from './queries.ts'

const CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY']
const TIERS = ['standard', 'gold', 'platinum']
const FRESH_S = 60
const STALE_S = 60

async function getQuote(call: Call): Promise<Answer> {
  const currency = call.url.searchParams.get('currency') ?? 'USD'
  const tier = call.url.searchParams.get('tier') ?? 'standard'
  if (!CURRENCIES.includes(currency)) return problem(400, `currency: expected one of ${CURRENCIES.join(', ')}, given ${currency}`)
  if (!TIERS.includes(tier)) return problem(400, `tier: expected one of ${TIERS.join(', ')}, given ${tier}`)
  const id = parseCount(call.id) ?? 0
  const [row] = await call.stages.run('query', () => call.source.rows(QUOTE, [id, currency, tier, call.nowMs]))
  if (row === undefined) return problem(404, `there is no product ${call.id}`)
  return {
    status: 200,
    body: describeQuote(row, currency),
    caching: { kind: 'shared', freshness: quoteFreshness(row, call.nowMs) },
    tags: [`product:${id}`, 'quotes'],
  }
}

function describeQuote(row: QuoteRow, currency: string): object {
  const promotion =
    row.percent === null || row.endsAt === null
      ? null
      : { label: row.label, percent: row.percent, endsAt: new Date(row.endsAt).toISOString() }
  const price = row.percent === null ? row.amount : Math.round((row.amount * (100 - row.percent)) / 100)
  return { product: row.id, currency, listPrice: row.amount, price, promotion }
}

/** Both windows end with the price itself. */
export function quoteFreshness(row: QuoteRow, nowMs: number): { maxAge: number; staleFor: number } {
  const changesAt = Math.min(row.endsAt ?? Number.POSITIVE_INFINITY, row.nextStartsAt ?? Number.POSITIVE_INFINITY)
  const leftS = Math.max(0, Math.floor((changesAt - nowMs) / 1000))
  const maxAge = Math.min(FRESH_S, leftS)
  return { maxAge, staleFor: Math.min(STALE_S, leftS - maxAge) }
}

/** Routes of quotes. */
export const QUOTE_ROUTES: readonly Route[] = [{ method: 'GET', path: /^\/api\/quote\/([^/]+)$/, run: getQuote }]
