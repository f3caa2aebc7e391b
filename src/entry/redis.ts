/**
 * `forecache/redis`: the hook by hand, for applications whose clients are bundled, and its counters.
 *
 * Floor 6, room entry. Options in FORECACHE_*: docs/guide/redis-hook.md.
 */
import { ForecacheError } from '../model/errors.ts'
import { statsHere, wrapClient } from '../register/register.ts'
import type { HookStats } from '../register/tally.ts'

export { ForecacheError } from '../model/errors.ts'
export type { HookStats, UpstreamStats } from '../register/tally.ts'

/**
 * Has a client's reads answered from this process's memory, kept as fresh as the server tells of changes.
 *
 * @param client of ioredis 5 or 6, or of node-redis 5 or 6 before it connects; wrapping it twice does nothing
 * @returns the same client
 * @throws FC_REGISTER_CLIENT where it is none of these
 * @example const redis = wrap(new Redis())
 */
export function wrap<T extends object>(client: T): T {
  const why = wrapClient(client)
  if (why !== undefined) throw new ForecacheError('FC_REGISTER_CLIENT', { reason: why })
  return client
}

/** What the hook has done in this thread: hits, misses, memory, servers; undefined where no client was wrapped yet. */
export function stats(): HookStats | undefined {
  return statsHere()
}
