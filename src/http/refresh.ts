/**
 * Refreshing behind a stale answer (stale-while-revalidate, RFC 5861 section 3).
 *
 * Floor 4, room http. One per key among all processes, through the fence like any other reading: who finds another at it
 * waits behind, and looks in the second level then. A failed one is not repeated before the back-off says so.
 */
import { awaitLease, type Stand } from '../flow/await-lease.ts'
import type { Fill } from '../flow/fill.ts'
import type { Lead } from '../flow/flight.ts'
import type { SecondLevel } from '../flow/second-level.ts'
import { discard } from './outgoing.ts'
import { pullStored, secondFor } from './second.ts'
import { select, type Selected } from './select.ts'
import { useOf } from './serve.ts'
import type { Sharing } from './sharing.ts'
import type { Found } from './stand-in.ts'
import { count } from './tally.ts'
import { validateStored } from './validate.ts'
import { beginFill, type KeyedVisit, routeOf } from './visit.ts'
import { fetchWhole } from './whole.ts'

/** What is to be had anew, or for the first time. */
type Wanted = Found | Extract<Selected, { kind: 'absent' }>

/** Who asks the origin, and for whom. */
interface Asking {
  readonly place: Lead<Sharing>
  readonly stand: Stand
  readonly fill: Fill
}

/** Starts a refresh of a stored response unless one runs; never throws. */
export function refreshBehind(visit: KeyedVisit, found: Found): void {
  // The answer to HEAD has no body to store; and a handler behind the door can be asked nothing but what its client asked.
  if (visit.head.method === 'HEAD') return
  const { engine } = visit.desk
  if (engine.backoff.leftMs(found.key) > 0 || engine.flights.has(found.key)) return
  const started = engine.refreshes.start(found.key, () => refresh(visit, found), routeOf(visit))
  if (started) count(visit, 'refreshes')
}

/** Refreshes a stored response, however fresh it still is. @throws (rejects) what the origin port throws */
export async function refreshNow(visit: KeyedVisit): Promise<void> {
  const selected = select(visit)
  if (selected.kind === 'stored') await refresh(visit, selected)
}

/** Loads what does not stand, or refreshes what does, when nobody asks. @throws (rejects) what the origin port throws */
export async function loadBehind(visit: KeyedVisit, selected: Selected): Promise<void> {
  if (selected.kind !== 'pass') await refresh(visit, selected)
}

/** Whether another process has refreshed it meanwhile. */
async function isRefreshed(visit: KeyedVisit, found: Wanted, second: SecondLevel | undefined): Promise<boolean> {
  if (second === undefined || !(await pullStored(visit, second))) return false
  const selected = select(visit)
  if (selected.kind !== 'stored' || useOf(visit, selected) !== 'serve') return false
  return found.kind === 'absent' || selected.stored !== found.stored
}

async function refresh(visit: KeyedVisit, found: Wanted): Promise<void> {
  const { engine } = visit.desk
  if (await isRefreshed(visit, found, secondFor(visit, found))) return
  const begin = (): Fill => ({ ...beginFill(visit, found.key), way: 'refresh' })
  const place = engine.flights.enter<Sharing>(found.key, begin)
  if (place.role !== 'lead') {
    if (place.role === 'follow') place.leave()
    return
  }
  const look = (): Promise<boolean> => isRefreshed(visit, found, engine.second)
  const [stand] = await awaitLease(engine, [{ fill: place.fill, look }])
  if (stand === undefined || stand.isFound) return place.abandon()
  if (stand.ended === 'failed' || stand.ended === 'alone') {
    // Nobody waits for it here: what the origin did not give one of us, the others do not ask for at once.
    if (stand.ended === 'failed') engine.backoff.failed(found.key)
    return place.abandon()
  }
  await ask(visit, found, { place, stand, fill: stand.hasWaited ? begin() : place.fill })
}

/** Asks the origin, for all processes where this one holds the lease. @throws what the origin port throws */
async function ask(visit: KeyedVisit, found: Wanted, { place, stand, fill }: Asking): Promise<void> {
  // The client who caused it may go at any time: nothing of his is waited for.
  const behind = { ...visit, exchange: { origin: visit.exchange.origin, signal: new AbortController().signal } }
  let sharing: Sharing | undefined
  const lead: Lead<Sharing> = {
    ...place,
    fill,
    answer: (value, tags) => {
      sharing = value
      place.answer(value, tags)
    },
  }
  try {
    const errand = { fill, lead, abort: new AbortController(), background: true } as const
    const reply =
      found.kind === 'absent'
        ? await fetchWhole(behind, { ...errand, forward: 'uri-miss' })
        : await validateStored(behind, { ...errand, forward: 'stale' }, found)
    if (reply.body !== undefined && !(reply.body instanceof Uint8Array)) discard(reply.body)
    if (reply.head.status >= 500) throw new Error(`the origin answered ${reply.head.status}`)
    const stored = sharing?.stored ?? Promise.resolve(undefined)
    stand.release?.((await stored) === undefined ? 'alone' : 'stored')
  } catch (error) {
    place.fail(error)
    stand.release?.('failed')
    throw error
  }
}
