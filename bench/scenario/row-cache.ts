/**
 * Data-level caching as most services do it: rows in Redis, cache-aside. Every request still parses rows, runs the
 * handler and serializes the answer; every statement is a round trip.
 */
import type { Query, RowSource } from '../../src/cli/demo/shop/database.ts'
import type { RedisClient } from './redis.ts'

/** Seconds a statement's rows are kept, and how many of its parameters name them (the last is often the time). */
const RULES: Readonly<Record<string, { readonly ttl: number; readonly params: number }>> = {
  session: { ttl: 10, params: 1 },
  permissions: { ttl: 10, params: 1 },
  flags: { ttl: 10, params: 1 },
  product: { ttl: 60, params: 1 },
  quote: { ttl: 60, params: 3 },
  'list-count': { ttl: 2, params: 4 },
  'best-sellers': { ttl: 10, params: 1 },
  days: { ttl: 10, params: 1 },
}
const LIST_RULE = { ttl: 2, params: 6 }

/** Rows from Redis, else from the source and then into Redis. */
export function createRowCache(source: RowSource, redis: RedisClient): RowSource {
  return {
    async rows<R>(query: Query<R>, params: readonly unknown[]): Promise<R[]> {
      const rule = RULES[query.name] ?? (query.name.startsWith('list:') ? LIST_RULE : undefined)
      if (rule === undefined) return source.rows(query, params)
      const key = `rows:${query.name}:${JSON.stringify(params.slice(0, rule.params))}`
      const kept = await redis.get(key)
      if (kept !== null) return JSON.parse(kept) as R[]
      const rows = await source.rows(query, params)
      await redis.set(key, JSON.stringify(rows), { expiration: { type: 'EX', value: rule.ttl } })
      return rows
    },
  }
}
