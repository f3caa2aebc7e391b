/**
 * Opens the second level: its connections, what stands behind them, and what the engine sees of it.
 *
 * Floor 3, room flow. Returns at once; connections come up behind, and until then everything is a miss.
 */
import { parseRedisUrl } from '../tier/redis-address.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { createRedis } from '../tier/redis.ts'
import { createRemote } from '../tier/remote.ts'
import { createSeal } from '../wire/seal.ts'
import type { L2Settings } from './l2-options.ts'
import type { Settings } from './options.ts'
import { SecondLevel, type SecondParts } from './second-level.ts'
import { encodeReference, encodeValue } from './value-codec.ts'

/** What the engine hands in. */
export type EngineParts = Pick<SecondParts, 'fence' | 'meter' | 'ledger' | 'shared' | 'promote'>

/** @throws FC_OPTION_VALUE for a bad URL or key */
export function openSecondLevel(
  l2: L2Settings,
  { clock, random, originLag, values }: Settings,
  { fence, meter, ledger, shared, promote }: EngineParts,
): { readonly redis: RedisPort; readonly second: SecondLevel } {
  const { prefix, maxEntryBytes, maxAge, encryption, deadline, maxQueueBytes } = l2
  const seal = encryption === undefined ? undefined : createSeal(encryption)
  const redis = createRedis({ target: parseRedisUrl(l2.url), clock, random })
  const remote = createRemote({ redis, clock, prefix, hidesKeys: seal !== undefined, maxEntryBytes, maxMs: maxAge })
  const second = new SecondLevel({
    ...{ remote, seal, clock, fence, meter, ledger, shared, promote, maxEntryBytes, maxQueueBytes },
    deadlineMs: deadline,
    originLagMs: originLag,
  })
  second.teach(values === 'reference' ? encodeReference : encodeValue)
  return { redis, second }
}
