/**
 * Adaptive windows at the HTTP door: the lifetime of a response chosen by how often its key has really changed.
 *
 * Floor 4, room http. Never beyond what the origin says in Cache-Control or Expires, nor beyond the stale window that the
 * route promises where it says nothing. What is taken from the lifetime becomes a window in which the response is served
 * while it is refreshed: it is fresh by RFC 9111 still. All ends stay where they were.
 */
import { COUNTER } from '../model/metric.ts'
import type { Lifetime, StaleWindows } from '../rules/freshness.ts'
import type { Selection } from './selection.ts'
import { keyOfStored } from './store.ts'
import { isGood, type Times } from './times.ts'
import { routeOf, type Visit } from './visit.ts'

/** What is adapted, and by what. */
export interface Adapting {
  readonly status: number
  /** As the origin says it, without the route's budget. */
  readonly said: Lifetime
  readonly times: Times
  readonly selection: Selection
}

/** Times with a lifetime by what is known, and the promised one. */
export function adaptTimes(visit: Visit, { status, said, times, selection }: Adapting): Times {
  const { desk, primary, routed } = visit
  const settings = routed.policy.adaptive
  const { lifetimeMs, windows } = times
  if (settings === undefined || primary === undefined || lifetimeMs <= 0 || !isGood(status)) return times
  const latestMs = Math.min(said.explicit ? said.ms : Number.POSITIVE_INFINITY, lifetimeMs + windows.whileMs)
  const key = keyOfStored(desk, visit.exact ?? primary, selection)
  const wish = { settings, promisedMs: lifetimeMs, latestMs: Math.max(lifetimeMs, latestMs) }
  const { freshMs, because } = desk.engine.adaptive.choose({ route: routeOf(visit), key }, wish)
  const promised = { promisedMs: lifetimeMs, because }
  return { ...times, lifetimeMs: freshMs, windows: shift(windows, lifetimeMs - freshMs), promised }
}

/** Whether what is stored for a visit is not to be, because its route is of no use in the cache. */
export function isDemoted(visit: Visit): boolean {
  const { desk, primary, routed } = visit
  const { adaptive: settings } = routed.policy
  if (settings === undefined || primary === undefined) return false
  const route = routeOf(visit)
  if (!desk.engine.adaptive.isOutOf('cache', { route, key: primary, settings })) return false
  desk.engine.meter.count(COUNTER.demotedCache, route)
  return true
}

/** The same ends, counted from another lifetime. */
function shift(windows: StaleWindows, byMs: number): StaleWindows {
  const moved = (ms: number): number => Math.max(0, ms + byMs)
  return {
    ...windows,
    whileMs: moved(windows.whileMs),
    ifErrorMs: moved(windows.ifErrorMs),
    disconnectedMs: moved(windows.disconnectedMs),
  }
}
