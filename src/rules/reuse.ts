/**
 * Whether a stored response may be used for a request (RFC 9111 sections 4, 4.2.4 and 5.2.1).
 *
 * Floor 1, room rules. Pure; called on every hit, so it allocates nothing.
 */
import type { Fields } from '../model/fields.ts'
import { type CacheControl, NO_DIRECTIVES, parseCacheControl } from './cache-control.ts'
import type { StaleWindows } from './freshness.ts'

/** `serve` as it is, `stale` as it is though stale, `behind` stale while a revalidation runs, `validate` first. */
export type Use = 'serve' | 'stale' | 'behind' | 'validate'

/** What the decision looks at, ms. */
export interface Standing {
  readonly ageMs: number
  readonly lifetimeMs: number
  readonly windows: StaleWindows
  /** `no-cache`: never without validation. */
  readonly alwaysValidate: boolean
  /** A soft invalidation, or the engine's budget, says it is no longer fresh. */
  readonly softened: boolean
}

/** A request's directives; without Cache-Control, `Pragma: no-cache` counts as `no-cache` (RFC 9111 section 5.4). */
export function requestControl(fields: Fields): CacheControl {
  const value = fields.get('cache-control')
  if (value !== undefined) return parseCacheControl(value)
  const pragma = fields.get('pragma')
  if (pragma === undefined || !/(?:^|[,\s])no-cache(?:$|[,;\s])/i.test(pragma)) return NO_DIRECTIVES
  return { ...NO_DIRECTIVES, noCache: true }
}

/** Decides how a stored response is used. */
export function decideUse(standing: Standing, asked: CacheControl): Use {
  const { ageMs, lifetimeMs, windows } = standing
  if (standing.alwaysValidate || asked.noCache || asked.broken) return 'validate'
  if (asked.minFresh !== undefined && lifetimeMs - ageMs < asked.minFresh * 1000) return 'validate'
  const fresh = ageMs < lifetimeMs && !standing.softened
  const tooOld = asked.maxAge !== undefined && ageMs > asked.maxAge * 1000
  if (fresh && !tooOld) return 'serve'
  const overMs = Math.max(0, ageMs - lifetimeMs)
  if (asked.maxStale !== undefined && windows.onRequest && !standing.softened) {
    if (!tooOld && overMs <= asked.maxStale * 1000) return 'stale'
  }
  if (tooOld) return 'validate'
  return overMs < windows.whileMs ? 'behind' : 'validate'
}

/** Whether a stored response may stand in for a failing origin. @param unreached no answer came at all */
export function mayStandIn(standing: Standing, unreached: boolean): boolean {
  if (standing.alwaysValidate) return false
  const { windows } = standing
  const overMs = Math.max(0, standing.ageMs - standing.lifetimeMs)
  return overMs < Math.max(windows.ifErrorMs, windows.whileMs, unreached ? windows.disconnectedMs : 0)
}
