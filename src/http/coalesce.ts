/**
 * Coalescing: the first request for a key asks the origin, the others wait for its answer and take it if it is theirs.
 *
 * Floor 4, room http. A follower whose leader's answer is private, stale, another variant or invalidated meanwhile looks
 * once more at the store and then asks the origin itself, without queueing again.
 */
import type { Follow } from '../flow/flight.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import type { Forward } from '../rules/cache-status.ts'
import { selectingValues } from '../rules/vary.ts'
import { createAcross } from './across.ts'
import type { Run } from './errand.ts'
import { keyOfVariant } from './select.ts'
import { serveStored } from './serve.ts'
import { type Sharing, takeShared } from './sharing.ts'
import { VaryIndex } from './stored.ts'
import { count } from './tally.ts'
import { beginFill, type KeyedVisit } from './visit.ts'

/** What is to be done for a key, and why it is not answered from the store. */
export interface Wanted {
  readonly forward: Forward
  readonly run: Run
  /** It waited for another's answer already: once is enough. */
  readonly waited?: boolean
}

/** Leads or follows. @throws FC_FLIGHT_FULL, and what the origin port throws */
export async function coalesce(visit: KeyedVisit, key: string, wanted: Wanted): Promise<Reply> {
  const place = visit.desk.engine.flights.enter<Sharing>(key, () => beginFill(visit, key))
  if (place.role === 'full') {
    count(visit, 'refused')
    throw new ForecacheError('FC_FLIGHT_FULL', { key, max: place.waiters })
  }
  if (place.role === 'lead') {
    const abort = new AbortController()
    const across = createAcross(visit, place, (how) => wanted.run({ ...how, forward: wanted.forward, abort, background: false }))
    if (!visit.routed.policy.finish) cancelWhenAbandoned(visit, abort, () => across.waiters())
    try {
      return await across.reply()
    } catch (error) {
      place.fail(error)
      throw error
    }
  }
  count(visit, 'coalesced')
  const sharing = await follow(visit, place)
  const reply = sharing === undefined ? undefined : await takeShared(visit, sharing)
  const answered = reply ?? serveStored(visit)
  if (answered !== undefined) return answered
  const own = sharing === undefined || wanted.waited === true ? undefined : ownKey(visit, sharing)
  return own === undefined || own === key ? askAlone(visit, key, wanted) : coalesce(visit, own, { ...wanted, waited: true })
}

/**
 * Where those wait together who do not take the coding of the leader's answer, each of their kind: what stood for clients
 * of every coding was one place for all of them, and gave them one leader.
 */
function ownKey(visit: KeyedVisit, { plan }: Sharing): string | undefined {
  const { engine, profile } = visit.desk
  if (plan.recoding === undefined || !plan.vary.includes('accept-encoding')) return undefined
  const index = engine.memory.look(visit.primary)?.value
  if (!(index instanceof VaryIndex)) return undefined
  const values = selectingValues(plan.vary, visit.head.fields, profile.varyForm)
  return keyOfVariant(visit.primary, index, { names: plan.vary, values })
}

/** Asks the origin for this client alone; the answer is stored if it may be. */
export function askAlone(visit: KeyedVisit, key: string, wanted: Wanted): Promise<Reply> {
  const abort = new AbortController()
  cancelWhenAbandoned(visit, abort, () => 0)
  return wanted.run({ fill: beginFill(visit, key), lead: undefined, forward: wanted.forward, abort, background: false })
}

async function follow(visit: KeyedVisit, place: Follow<Sharing>): Promise<Sharing | undefined> {
  const { signal } = visit.exchange
  const leave = (): void => place.leave()
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await place.wait()
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** Until the answer's head is here: afterwards the body's reader tells whether anybody still wants it. */
function cancelWhenAbandoned(visit: KeyedVisit, abort: AbortController, waiters: () => number): void {
  const { signal } = visit.exchange
  const check = (): void => {
    if (waiters() === 0) abort.abort(signal.reason)
  }
  if (signal.aborted) check()
  else signal.addEventListener('abort', check, { once: true })
}
