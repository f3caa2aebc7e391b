/**
 * Opens the second level: its connections, what stands behind them, and what the engine sees of it.
 *
 * Floor 3, room flow. Returns at once; connections come up behind, and until then everything is a miss.
 */
import { ACCOUNT } from '../model/ledger.ts'
import { COUNTER, type CounterName } from '../model/metric.ts'
import { type LeaseCount, Leases } from '../tier/leases.ts'
import { RedisLeases } from '../tier/redis-leases.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { createRemote } from '../tier/remote.ts'
import { createSeal } from '../wire/seal.ts'
import type { L2Settings } from './l2-options.ts'
import type { Settings } from './options.ts'
import { FlightLeases } from './flight-lease.ts'
import { openRedis } from './open-redis.ts'
import { SecondLevel, type SecondParts } from './second-level.ts'
import { encodeReference, encodeValue } from './value-codec.ts'

/** What the engine hands in. */
export type EngineParts = Pick<SecondParts, 'fence' | 'meter' | 'ledger' | 'shared' | 'promote'>

/** What was opened. */
export interface OpenSecond {
  readonly redis: RedisPort
  readonly second: SecondLevel
  /** Undefined where everybody loads for himself. */
  readonly leases: FlightLeases | undefined
}

/** @throws FC_OPTION_VALUE for a bad URL or key */
export function openSecondLevel(
  l2: L2Settings,
  settings: Settings,
  { fence, meter, ledger, shared, promote }: EngineParts,
): OpenSecond {
  const { clock, random, originLag, values, deadlines } = settings
  const { prefix, maxEntryBytes, maxAge, encryption, deadline, maxQueueBytes } = l2
  const seal = encryption === undefined ? undefined : createSeal(encryption)
  const redis = openRedis(l2, settings)
  const remote = createRemote({ redis, clock, prefix, hidesKeys: seal !== undefined, maxEntryBytes, maxMs: maxAge })
  const second = new SecondLevel({
    ...{ remote, seal, clock, fence, meter, ledger, shared, promote, maxEntryBytes, maxQueueBytes },
    deadlineMs: deadline,
    originLagMs: originLag,
  })
  second.teach(values === 'reference' ? encodeReference : encodeValue)
  const leases = new Leases({
    store: new RedisLeases({ redis, prefix }),
    ...{
      clock,
      random,
      deadlineMs: l2.lease.deadline,
      leaseMs: l2.lease.time,
      waitMs: l2.lease.wait,
      maxHoldMs: deadlines.maxLoad,
    },
    onCount: (what) => meter.count(COUNTER[COUNTERS[what]]),
    onHeld: (bytes) => ledger.charge(ACCOUNT.streams, bytes),
  })
  return { redis, second, leases: l2.lease.on ? new FlightLeases({ leases, second, fence, seal, shared }) : undefined }
}

const COUNTERS = {
  held: 'leasesHeld',
  awaited: 'leasesAwaited',
  taken: 'leasesTaken',
  lost: 'leasesLost',
  down: 'leasesDown',
  full: 'leasesFull',
} as const satisfies Record<LeaseCount, CounterName>
