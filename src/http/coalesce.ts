/**
 * Coalescing: the first request for a key asks the origin, the others wait for its answer and take it if it is theirs.
 *
 * Floor 4, room http. A follower whose leader's answer is private, stale, another variant or invalidated meanwhile looks
 * once more at the store and then asks the origin itself, without queueing again.
 */
import type { Follow } from '../flow/flight.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import type { Forward } from '../rules/cache-status.ts'
import { evaluateConditions, notModifiedFields } from '../rules/conditional.ts'
import { decideUse } from '../rules/reuse.ts'
import { decorate, fitOf, type Manner, outcomeOf, rangeOf, replyStored } from './respond.ts'
import { select } from './select.ts'
import { mayShare, type Sharing } from './sharing.ts'
import { standingOf } from './stored.ts'
import { beginFill, type KeyedVisit, routeOf } from './visit.ts'
import type { Errand } from './whole.ts'

/** What the one who asks the origin does. */
export type Run = (errand: Errand) => Promise<Reply>

/** Leads or follows. @throws FC_FLIGHT_FULL, and what the origin port throws */
export async function coalesce(visit: KeyedVisit, key: string, told: { forward: Forward; run: Run }): Promise<Reply> {
  const { engine } = visit.desk
  const place = engine.flights.enter<Sharing>(key, () => beginFill(visit, key))
  if (place.role === 'full') {
    engine.meter.count(COUNTER.refused, routeOf(visit))
    throw new ForecacheError('FC_FLIGHT_FULL', { key, max: place.waiters })
  }
  if (place.role === 'lead') {
    const abort = new AbortController()
    if (!visit.routed.policy.finish) cancelWhenAbandoned(visit, abort, () => place.waiters())
    try {
      return await told.run({ fill: place.fill, lead: place, forward: told.forward, abort, background: false })
    } catch (error) {
      place.fail(error)
      throw error
    }
  }
  engine.meter.count(COUNTER.coalesced, routeOf(visit))
  const sharing = await follow(visit, place)
  const reply = sharing === undefined || !mayShare(visit, sharing) ? undefined : await replyShared(visit, sharing)
  return reply ?? fromStore(visit) ?? askAlone(visit, key, told)
}

/** Asks the origin for this client alone; the answer is stored if it may be. */
export async function askAlone(visit: KeyedVisit, key: string, told: { forward: Forward; run: Run }): Promise<Reply> {
  const abort = new AbortController()
  cancelWhenAbandoned(visit, abort, () => 0)
  return told.run({ fill: beginFill(visit, key), lead: undefined, forward: told.forward, abort, background: false })
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
  visit.exchange.signal.addEventListener('abort', () => {
    if (waiters() === 0) abort.abort(visit.exchange.signal.reason)
  }, { once: true })
}

/** A follower's answer out of the leader's; undefined when it broke before it could be used. */
async function replyShared(visit: KeyedVisit, sharing: Sharing): Promise<Reply | undefined> {
  const { plan, filling } = sharing
  const manner: Manner = { cache: 'MISS', status: { forward: 'uri-miss', collapsed: true } }
  const condition = evaluateConditions(visit.head.fields, plan, visit.desk.engine.clock.wall())
  if (condition === 'origin') return undefined
  if (filling === undefined || condition === 'not-modified' || rangeOf(visit, plan) !== undefined) {
    const stored = filling === undefined || condition !== 'not-modified' ? await sharing.stored : undefined
    if (stored !== undefined) return fitOf(visit, stored) === 'origin' ? undefined : replyStored(visit, stored, manner)
    if (condition !== 'not-modified') return undefined
    const fields = decorate(visit, notModifiedFields(plan.fields), { manner, plan })
    return { head: { status: 304, statusText: 'Not Modified', fields }, body: undefined, outcome: outcomeOf(visit, manner) }
  }
  const fields = decorate(visit, plan.fields.clone(), { manner, plan })
  const head = { status: plan.status, statusText: plan.statusText, fields }
  return { head, body: filling.read(), outcome: outcomeOf(visit, manner) }
}

function fromStore(visit: KeyedVisit): Reply | undefined {
  const selected = select(visit)
  if (selected.kind !== 'stored' || fitOf(visit, selected.stored) === 'origin') return undefined
  const standing = standingOf(selected.stored.plan, visit.desk.engine.clock.now(), selected.softened)
  if (decideUse(standing, visit.asked) !== 'serve') return undefined
  return replyStored(visit, selected.stored, { cache: 'HIT', status: { hit: true, collapsed: true } })
}
