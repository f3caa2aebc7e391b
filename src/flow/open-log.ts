/**
 * Opens an engine; one with a second level becomes one of several on the log that stands there.
 *
 * Floor 3, room flow. Returns at once; until the log was reached for the first time the engine is blind, and what it stored by
 * then is dropped. The log stands in the second level's server, or in a NATS beside it; what the second level holds is stamped
 * with the log's name either way.
 */
import { ACCOUNT } from '../model/ledger.ts'
import { StreamLink } from '../tier/stream-link.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { Engine } from './engine.ts'
import type { L2Settings } from './l2-options.ts'
import { openLogStore } from './open-log-store.ts'
import { REACHED_WITHIN_MS } from './open-redis.ts'
import { type CacheOptions, resolveSettings } from './options.ts'

/** Above 1: who is taken for dead has doubted before. */
const MARGIN = 1.25

/** @throws FC_OPTION_* naming the first bad option */
export function openEngine(options: CacheOptions): Engine {
  const engine = new Engine(resolveSettings(options))
  const { l2 } = engine.settings
  if (engine.redis === undefined || l2 === undefined) return engine
  try {
    openLog(engine, engine.redis, l2)
  } catch (error) {
    void engine.close() // what is refused holds no connection
    throw error
  }
  return engine
}

function openLog(engine: Engine, redis: RedisPort, l2: L2Settings): void {
  const { clock, settings } = engine
  const { logger } = settings
  const { blindAfter, acknowledge = blindAfter * MARGIN, blind } = l2.bus
  const store = openLogStore(engine, redis, { ...l2, memberTtlMs: blindAfter * MARGIN })
  let trouble: unknown
  const link = new StreamLink({
    clock,
    store,
    blindAfterMs: blindAfter,
    ackMs: acknowledge,
    onSight: (sees) => {
      if (sees) logger.info({ generation: link.generation }, 'the shared log is in sight')
      else logger.warn({ policy: blind, err: trouble }, 'the shared log is out of sight')
    },
    onTrouble: (error) => {
      trouble = error
      logger.debug({ err: error }, 'the shared log does not answer')
    },
  })
  clock.after(REACHED_WITHIN_MS, () => {
    if (link.generation === '' && !engine.closed) logger.warn({ policy: blind, err: trouble }, 'the shared log is out of reach')
  })
  const shared = engine.join(link, blind)
  const { meter, governor } = engine
  meter.follow('blindSeconds', () => shared.blindMs / 1000)
  meter.follow('linkAppended', () => link.counts.appended)
  meter.follow('linkApplied', () => link.counts.applied)
  meter.follow('linkProofs', () => link.counts.proofs)
  meter.follow('linkFailures', () => link.counts.failures)
  meter.follow('linkBlind', () => link.counts.blind)
  meter.follow('linkRenewed', () => link.counts.renewed)
  governor.follow(ACCOUNT.log, () => shared.heldBytes)
}
