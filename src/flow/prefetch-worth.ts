/**
 * Whether fetching beforehand pays: the share that was read, of a rule and of a route as a whole.
 *
 * Floor 3, room flow. Under 60 %, by more than chance or over many outcomes, a rule is dropped for a while, and a route's
 * prefetching is switched off: at once, by itself, and for twice as long each time. Both are tried again, for what did not
 * pay may do so by now.
 */
import type { Link } from './successions.ts'

/** Less than this share read does not pay. */
const MIN_PRECISION = 0.6
/** Evidence: outcomes before anything is said, standard deviations under the share, outcomes from which the share alone counts. */
interface Evidence {
  readonly least: number
  readonly deviations: number
  readonly many: number
}
const OF_RULE: Evidence = { least: 5, deviations: 1, many: 20 }
const OF_ROUTE: Evidence = { least: 15, deviations: 1.64, many: 120 }
const RULE_REST_MS = 10 * 60_000
const ROUTE_REST_MS = 10 * 60_000
const MAX_REST_MS = 2 * 3_600_000

/** Outcomes that are counted, fading. */
interface Counted {
  tried: number
  read: number
}

/** What became of one that a rule had fetched. @returns whether the rule is dropped by that */
export function settleRule(link: Link, wasRead: boolean, nowMs: number): boolean {
  if (!settle(link, wasRead, OF_RULE)) return false
  link.restUntilMs = nowMs + RULE_REST_MS
  return true
}

/** See the module's header. */
export class PrefetchWorth {
  readonly #counted: Counted = { tried: 0, read: 0 }
  #restUntilMs = 0
  #restMs = ROUTE_REST_MS

  /** Share of the last outcomes that were read; 1 before any. */
  get precision(): number {
    return this.#counted.tried === 0 ? 1 : this.#counted.read / this.#counted.tried
  }

  isOff(nowMs: number): boolean {
    return nowMs < this.#restUntilMs
  }

  /** @returns whether it is switched off by that */
  settle(wasRead: boolean, nowMs: number): boolean {
    if (this.isOff(nowMs)) return false // what was begun before says nothing new
    const { many } = OF_ROUTE
    if (this.#counted.tried + 1 >= many) this.#restMs = ROUTE_REST_MS
    if (!settle(this.#counted, wasRead, OF_ROUTE)) return false
    this.#restUntilMs = nowMs + this.#restMs
    this.#restMs = Math.min(MAX_REST_MS, this.#restMs * 2)
    return true
  }
}

/** Counts an outcome. @returns whether too little was read; then counting begins anew */
function settle(counted: Counted, wasRead: boolean, { least, deviations, many }: Evidence): boolean {
  counted.tried += 1
  if (wasRead) counted.read += 1
  const { tried, read } = counted
  const spread = tried >= many ? 0 : deviations * Math.sqrt(tried * MIN_PRECISION * (1 - MIN_PRECISION))
  if (tried >= least && read < tried * MIN_PRECISION - spread) {
    counted.tried = 0
    counted.read = 0
    return true
  }
  if (tried >= many) {
    counted.tried /= 2
    counted.read /= 2
  }
  return false
}
