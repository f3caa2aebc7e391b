/**
 * How often a route's answers really change, from counters: what stats and advice tell of it, for one process or several.
 *
 * Floor 4, room ops. Since the start; what the engine itself goes by fades (flow/change-book.ts).
 */
import { estimateRate } from '../flow/change-rate.ts'
import type { CounterName } from '../model/metric.ts'

/** One route's. */
export interface RouteChanges {
  /** Readings that were compared with what stood. */
  readonly compared: number
  readonly changed: number
  /** Mean time between two changes of one key, ms; null: none was seen. */
  readonly everyMs: number | null
}

/** A lower bound of a share that holds in 95 of 100 cases (E. B. Wilson, 1927). */
const Z = 1.645
/** From this share on, and its lower bound at or above the second, something changes every time. */
const EVERY_TIME = 0.95
const SURE = 0.9

/** @param counts of one route */
export function readChanges(counts: Readonly<Record<CounterName, number>>): RouteChanges {
  const { comparedChanged: changed, comparedSame: quiet, changedSeconds, sameSeconds } = counts
  const gapMs = changed === 0 ? 0 : Math.max(1, (changedSeconds * 1000) / changed)
  const rate = changed === 0 ? 0 : estimateRate({ changed: [{ count: changed, gapMs }], quiet, quietMs: sameSeconds * 1000 })
  return { compared: changed + quiet, changed, everyMs: rate === 0 ? null : Math.round(1 / rate) }
}

/** Whether nearly every comparison found something else, with enough of them to say so. */
export function changesEveryTime({ compared, changed }: RouteChanges): boolean {
  if (compared === 0 || changed / compared < EVERY_TIME) return false
  const share = changed / compared
  const spread = Z * Math.sqrt((share * (1 - share)) / compared + Z ** 2 / (4 * compared ** 2))
  return (share + Z ** 2 / (2 * compared) - spread) / (1 + Z ** 2 / compared) >= SURE
}
