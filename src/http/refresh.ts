/**
 * Refreshing behind a stale answer (stale-while-revalidate, RFC 5861 section 3).
 *
 * Floor 4, room http. One per key, through the fence like any other reading; a failed one is not repeated before the
 * back-off says so.
 */
import { discard } from './outgoing.ts'
import { pullStored, secondFor } from './second.ts'
import { select } from './select.ts'
import { useOf } from './serve.ts'
import type { Sharing } from './sharing.ts'
import type { Found } from './stand-in.ts'
import { count } from './tally.ts'
import { validateStored } from './validate.ts'
import { beginFill, type KeyedVisit, routeOf } from './visit.ts'

/** Starts a refresh of a stored response unless one runs; never throws. */
export function refreshBehind(visit: KeyedVisit, found: Found): void {
  // The answer to HEAD has no body to store; and a handler behind the door can be asked nothing but what its client asked.
  if (visit.head.method === 'HEAD') return
  const { engine } = visit.desk
  if (engine.backoff.leftMs(found.key) > 0 || engine.flights.has(found.key)) return
  const started = engine.refreshes.start(found.key, () => refresh(visit, found), routeOf(visit))
  if (started) count(visit, 'refreshes')
}

/** Whether another process has refreshed it meanwhile. */
async function isRefreshed(visit: KeyedVisit, found: Found): Promise<boolean> {
  const second = secondFor(visit, found)
  if (second === undefined || !(await pullStored(visit, second))) return false
  const selected = select(visit)
  return selected.kind === 'stored' && useOf(visit, selected) === 'serve'
}

async function refresh(visit: KeyedVisit, found: Found): Promise<void> {
  const { engine } = visit.desk
  if (await isRefreshed(visit, found)) return
  const place = engine.flights.enter<Sharing>(found.key, () => ({ ...beginFill(visit, found.key), way: 'refresh' }))
  if (place.role !== 'lead') {
    if (place.role === 'follow') place.leave()
    return
  }
  // The client who caused it may go at any time: nothing of his is waited for.
  const behind = { ...visit, exchange: { origin: visit.exchange.origin, signal: new AbortController().signal } }
  try {
    const errand = { fill: place.fill, lead: place, forward: 'stale', abort: new AbortController(), background: true } as const
    const reply = await validateStored(behind, errand, found)
    if (reply.body !== undefined && !(reply.body instanceof Uint8Array)) discard(reply.body)
    if (reply.head.status >= 500) throw new Error(`the origin answered ${reply.head.status}`)
  } catch (error) {
    place.fail(error)
    throw error
  }
}
