/**
 * Asking again for what a visit has read, when its client has long gone: refreshing ahead of the end.
 *
 * Floor 4, room http. The request is the client's own, as it was. Whoever showed who he is does not have that used when he is
 * not there; nor is asked what only his handler could answer.
 */
import type { Again } from '../flow/ahead.ts'
import { refreshNow } from './refresh.ts'
import { isImpatient, type KeyedVisit, routeOf, type Visit } from './visit.ts'

/** Fields by which a client shows who he is, or asks for a part. */
const OWN: readonly string[] = ['authorization', 'cookie', 'range']
/** A string and its place. */
const PLACE_BYTES = 24
/** Nobody is there to go away. */
const STAYING = new AbortController().signal

/** @returns undefined where it is not to be asked for again */
export function againFor(visit: Visit): Again | undefined {
  const { desk, head, routed } = visit
  const { refreshAhead } = routed.policy
  if (refreshAhead === undefined || desk.origin === undefined || visit.primary === undefined) return undefined
  if (head.method !== 'GET' || isImpatient(visit) || OWN.some((name) => head.fields.has(name))) return undefined
  const exchange = { origin: desk.origin, signal: STAYING }
  const own: KeyedVisit = { ...visit, primary: visit.primary, exchange, body: undefined }
  // As UTF-16, and about a name and a value for each field's two places.
  const bytes = head.fields.raw().reduce((sum, text) => sum + text.length * 2 + PLACE_BYTES, head.target.length * 2)
  return { bytes, route: routeOf(visit), settings: refreshAhead, run: () => refreshNow(own) }
}
