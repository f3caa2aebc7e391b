/**
 * Opens the connections to the second level's server, as the options say.
 *
 * Floor 3, room flow. Returns at once; connections come up behind.
 */
import { ForecacheError } from '../model/errors.ts'
import { parseRedisUrl } from '../tier/redis-address.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { createRedis } from '../tier/redis.ts'
import { readTlsMaterial } from '../tier/tls-material.ts'
import type { L2Settings } from './l2-options.ts'
import type { Settings } from './options.ts'

const NO_TLS = 'nothing is spoken over TLS, because l2.url is no rediss:// URL; write rediss://, or leave l2.tls out'

/** @throws FC_OPTION_VALUE, FC_TLS_* */
export function openRedis({ url, tls }: L2Settings, { clock, random }: Settings): RedisPort {
  const target = parseRedisUrl(url)
  if (tls === undefined) return createRedis({ target, clock, random })
  if (!target.tls) throw new ForecacheError('FC_OPTION_VALUE', { name: 'l2.tls', reason: NO_TLS })
  return createRedis({ target: { ...target, secure: readTlsMaterial(tls, 'l2.tls') }, clock, random })
}
