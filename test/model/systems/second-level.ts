/**
 * A second level for an engine of a simulation: everything of src but the connections.
 */
import type { Cache } from '../../../src/flow/cache.ts'
import { promote } from '../../../src/flow/keep.ts'
import { SecondLevel } from '../../../src/flow/second-level.ts'
import { encodeValue } from '../../../src/flow/value-codec.ts'
import type { SimNode } from '../../../src/sim/node.ts'
import { createRemote } from '../../../src/tier/remote.ts'
import { SimRedis } from '../../support/sim-redis.ts'

const MAX_ENTRY_BYTES = 4096

/** Counts what was found there and believed: a second level that never answers would prove nothing. */
export const SECOND_HITS = { count: 0 }

/** Gives an engine a second level in the world's store. */
export function addSecondLevel({ engine }: Cache, node: SimNode): void {
  const { clock, fence, memory, governor, events, meter, ledger, settings } = engine
  const keeping = {
    fence,
    memory,
    governor,
    clock,
    random: node.random,
    events,
    jitter: 0,
    maxLoadMs: settings.deadlines.maxLoad,
  }
  const redis = new SimRedis(node)
  const remote = createRemote({ redis, clock, prefix: '', hidesKeys: false, maxEntryBytes: MAX_ENTRY_BYTES, maxMs: 86_400_000 })
  const second = new SecondLevel({
    ...{ remote, seal: undefined, clock, fence, meter, ledger, originLagMs: 0 },
    ...{ deadlineMs: 50, maxEntryBytes: MAX_ENTRY_BYTES, maxQueueBytes: 1_000_000 },
    shared: () => engine.shared,
    promote: (entry, softened) => {
      SECOND_HITS.count += 1
      return engine.shared?.isClosedToKeeps === true ? 'fenced' : promote(keeping, entry, { softened, way: 'promotion' })
    },
  })
  second.teach(encodeValue)
  Object.assign(engine, { second })
}
