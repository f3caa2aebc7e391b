/**
 * What runs behind answers: refreshes, those ahead of the end among them, and the pauses after failures.
 *
 * Floor 3, room flow.
 */
import { Ahead, type AheadParts } from './ahead.ts'
import { Backoff } from './backoff.ts'
import type { Settings } from './options.ts'
import { type RefreshFailure, Refreshes } from './refresh.ts'

/** See the module's header. */
export interface Background {
  readonly refreshes: Refreshes
  readonly backoff: Backoff
  readonly ahead: Ahead
}

/** Keys that may be watched to be refreshed ahead, and their share of the memory. */
const MAX_AHEAD = 65_536
const AHEAD_SHARE = 8

/** @param report hears of refreshes that failed */
export function createBackground(
  { clock, refresh, backoff, memory }: Settings,
  parts: Pick<AheadParts, 'meter' | 'ledger' | 'memory'>,
  report: (failed: RefreshFailure) => void,
): Background {
  const refreshes = new Refreshes(refresh.concurrency, report)
  const { first, max, maxKeys } = backoff
  return {
    refreshes,
    backoff: new Backoff(clock, { firstMs: first, maxMs: max, maxKeys }),
    ahead: new Ahead({ ...parts, clock, refreshes, maxKeys: MAX_AHEAD, maxBytes: memory.maxBytes / AHEAD_SHARE }),
  }
}
