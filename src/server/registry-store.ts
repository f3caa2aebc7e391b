/**
 * Where an instance is registered: connections and names, by the configuration.
 *
 * Floor 5, room server.
 */
import type { Engine } from '../flow/engine.ts'
import { type RegistryKeys, registryKeys } from '../ops/registry-keys.ts'
import { parseRedisUrl } from '../tier/redis-address.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { createRedis } from '../tier/redis.ts'
import type { Config } from './config-schema.ts'

/** See the module's header. */
export interface RegistryStore {
  readonly redis: RedisPort
  readonly keys: RegistryKeys
  /** Ends connections of its own. */
  close(): void
}

const DEFAULT_PREFIX = 'forecache:'

/** @returns undefined where there is none, or none is wanted @throws FC_OPTION_VALUE for a bad URL */
export function openRegistryStore({ registry, l2 }: Pick<Config, 'registry' | 'l2'>, engine: Engine): RegistryStore | undefined {
  if (!registry.enabled) return undefined
  const keys = registryKeys(registry.prefix ?? l2?.prefix ?? DEFAULT_PREFIX)
  if (registry.url !== undefined) {
    const { clock, settings } = engine
    const redis = createRedis({ target: parseRedisUrl(registry.url, 'registry.url'), clock, random: settings.random })
    return { redis, keys, close: () => redis.close() }
  }
  return engine.redis === undefined ? undefined : { redis: engine.redis, keys, close: () => undefined }
}
