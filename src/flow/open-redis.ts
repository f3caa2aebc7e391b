/**
 * Opens the connections to the second level's server, as the options say.
 *
 * Floor 3, room flow. Returns at once; connections come up behind. What becomes of them is told to the logger.
 */
import { ForecacheError } from '../model/errors.ts'
import { parseRedisUrl, type RedisTarget } from '../tier/redis-address.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { createRedis } from '../tier/redis.ts'
import { readTlsMaterial } from '../tier/tls-material.ts'
import type { L2Settings } from './l2-options.ts'
import type { Settings } from './options.ts'

const NO_TLS = 'nothing is spoken over TLS, because l2.url is no rediss:// URL; write rediss://, or leave l2.tls out'

/** What is not in reach by then is told of, with the reason, ms. */
export const REACHED_WITHIN_MS = 5000

/** @throws FC_OPTION_VALUE, FC_TLS_* */
export function openRedis(l2: L2Settings, { clock, random, logger }: Settings): RedisPort {
  const redis = createRedis({ target: targetOf(l2), clock, random })
  redis.onState(({ address, isUp, reason }) => {
    if (reason === 'closed') return
    if (isUp) logger.info({ address }, 'the second level answers')
    else logger.warn({ address, reason }, 'the second level does not answer')
  })
  clock.after(REACHED_WITHIN_MS, () => {
    if (redis.isUp()) return
    redis
      .call(['PING'], { deadlineMs: REACHED_WITHIN_MS })
      .catch((err: unknown) => logger.warn({ err }, 'the second level is out of reach'))
  })
  return redis
}

function targetOf({ url, tls }: L2Settings): RedisTarget {
  const target = parseRedisUrl(url)
  if (tls === undefined) return target
  if (!target.tls) throw new ForecacheError('FC_OPTION_VALUE', { name: 'l2.tls', reason: NO_TLS })
  return { ...target, secure: readTlsMaterial(tls, 'l2.tls') }
}
