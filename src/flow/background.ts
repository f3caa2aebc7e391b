/**
 * What runs behind answers: refreshes, those ahead of the end among them, and the pauses after failures.
 *
 * Floor 3, room flow.
 */
import { Ahead } from './ahead.ts'
import { Backoff } from './backoff.ts'
import { OriginPulse } from './origin-pulse.ts'
import type { Settings } from './options.ts'
import { type RefreshFailure, Refreshes } from './refresh.ts'
import { WARM_DEFAULTS } from './warm-options.ts'
import type { WarmPartsInput } from './warm-parts.ts'
import { Warming } from './warming.ts'

/** See the module's header. */
export interface Background {
  readonly refreshes: Refreshes
  readonly backoff: Backoff
  readonly ahead: Ahead
  /** How the origin is doing. */
  readonly pulse: OriginPulse
  readonly warming: Warming
}

/** Keys that may be watched to be refreshed ahead, and their share of the memory. */
const MAX_AHEAD = 65_536
const AHEAD_SHARE = 8
/** Of the memory, for the keys that are read most. */
const WARM_SHARE = 32

/** @param report hears of refreshes that failed */
export function createBackground(
  { clock, refresh, backoff: pauses, memory, warming: settings = WARM_DEFAULTS }: Settings,
  parts: Pick<WarmPartsInput, 'meter' | 'ledger' | 'memory' | 'fence' | 'flights' | 'governor'>,
  report: (failed: RefreshFailure) => void,
): Background {
  const refreshes = new Refreshes(refresh.concurrency, report)
  const { first, max, maxKeys } = pauses
  const backoff = new Backoff(clock, { firstMs: first, maxMs: max, maxKeys })
  const pulse = new OriginPulse()
  const ahead = new Ahead({ ...parts, clock, refreshes, maxKeys: MAX_AHEAD, maxBytes: memory.maxBytes / AHEAD_SHARE })
  const warmingBytes = memory.maxBytes / WARM_SHARE
  return {
    refreshes,
    backoff,
    pulse,
    warming: new Warming({ ...parts, clock, refreshes, backoff, pulse, settings, ahead, maxBytes: warmingBytes }),
    ahead,
  }
}
