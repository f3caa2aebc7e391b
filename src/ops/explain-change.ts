/**
 * How often a key really changed, and why its fresh window is what it is, for `explain`.
 *
 * Floor 4, room ops. Looks without counting a use.
 */
import type { RouteChange } from '../flow/adaptive.ts'
import { REASON_NAMES, WINDOW_REASONS, type WindowReason } from '../flow/choose-window.ts'
import type { Engine } from '../flow/engine.ts'
import type { Entry } from '../model/entry.ts'
import { DEFAULT_ROUTE } from '../model/meter.ts'

/** Counts of late: they fade. */
export interface ChangeView {
  /** Refreshes of the key that were compared with what stood. */
  readonly compared: number
  readonly changed: number
  /** Mean time between two changes, ms; null: none was seen. */
  readonly everyMs: number | null
  readonly route: RouteChange
  /** Absent: it is what was promised, whatever is known. */
  readonly window?: {
    readonly promisedMs: number
    readonly freshMs: number
    readonly because: WindowReason
    readonly text: string
    /** That it has changed by the window's end, by what is known now; null: too little is. */
    readonly chance: number | null
  }
}

/** @param route its name, where a door knows it */
export function viewChange(
  engine: Engine,
  key: string,
  { entry, route: name }: { readonly entry: Entry | undefined; readonly route: string | undefined },
): { readonly change?: ChangeView } {
  const { adaptive, memory, meter } = engine
  const chosen = entry === undefined ? undefined : memory.chosen(key)
  const route = chosen?.route ?? Math.max(DEFAULT_ROUTE, name === undefined ? DEFAULT_ROUTE : meter.routes.indexOf(name))
  const own = adaptive.ofKey(key)
  const ofRoute = adaptive.ofRoute(route)
  if (own.compared === 0 && ofRoute.compared === 0 && chosen === undefined) return {}
  if (chosen === undefined || entry === undefined) return { change: { ...own, route: ofRoute } }
  const { freshMs } = entry.budget
  const because = REASON_NAMES[chosen.because] ?? 'promise'
  const chance = adaptive.chanceAfter(freshMs, { key, route }) ?? null
  const text = WINDOW_REASONS[because]
  return { change: { ...own, route: ofRoute, window: { promisedMs: chosen.promisedMs, freshMs, because, text, chance } } }
}
