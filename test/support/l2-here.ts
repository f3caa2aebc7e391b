/**
 * Caches of several machines over one real Redis: a second level and the log between them, each as a process of its own
 * would have them.
 */
import { createCache, type Cache } from '../../src/flow/cache.ts'
import type { CacheOptions } from '../../src/flow/options.ts'
import { systemClock } from '../../src/model/clock.ts'
import { RedisLog } from '../../src/tier/redis-log.ts'
import type { RedisPort } from '../../src/tier/redis-port.ts'
import { StreamLink } from '../../src/tier/stream-link.ts'
import { until } from './redis-here.ts'

const BLIND_AFTER_MS = 1000

/** One machine. */
export interface Machine {
  readonly cache: Cache
  /** Resolves when everything stored so far stands in the second level, or was shed. */
  written(): Promise<void>
  count(outcome: string): number
  close(): Promise<void>
}

/** @param url of the Redis; `l2` in the options may say more */
export async function openMachine(url: string, options: Omit<CacheOptions, 'l2'> & { l2?: object } = {}): Promise<Machine> {
  const { l2, ...rest } = options
  return joinMachine(createCache({ ...rest, l2: { url, deadline: '2s', ...l2 } }))
}

/** A machine made of a cache that has a second level. */
export async function joinMachine(cache: Cache): Promise<Machine> {
  const { engine } = cache
  const link = engine.shared === undefined ? joinLog(cache) : undefined
  await until(() => engine.second?.isUp === true && engine.shared?.isBlind === false, 'the machine to see the log')
  return {
    cache,
    written: async () => engine.second?.idle(),
    count: (outcome) => cache.stats().counts[outcome as 'l2Hits'],
    close: async () => {
      await link?.close(500)
      await cache.close()
    },
  }
}

function joinLog({ engine }: Cache): StreamLink {
  const redis = engine.redis as RedisPort
  const store = new RedisLog({ redis, prefix: 'test', memberTtlMs: 5000, maxRecords: 10_000 })
  const link = new StreamLink({ clock: systemClock(), store, blindAfterMs: BLIND_AFTER_MS, ackMs: 2000 })
  engine.join(link, 'budget')
  return link
}
