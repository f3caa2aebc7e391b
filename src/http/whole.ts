/**
 * Fetching the whole representation: a miss, a refused validation, a completion that did not fit.
 *
 * Floor 4, room http. What may be shared is handed to the flight's followers as soon as its head is here, collected,
 * and stored when its last byte has come; what may not is streamed to this client alone, and the key is marked so that
 * nobody queues for it.
 */
import type { Fill } from '../flow/fill.ts'
import type { Lead } from '../flow/flight.ts'
import type { Reply } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import type { Forward } from '../rules/cache-status.ts'
import { evaluateConditions, notModifiedFields } from '../rules/conditional.ts'
import type { StoreRefusal } from '../rules/storable.ts'
import { unconditional } from '../rules/validate.ts'
import { askOrigin, discard, type Heard, lengthOf, replyHeard } from './ask.ts'
import { Filling } from './filling.ts'
import { judgeResponse } from './judge.ts'
import { decorate, type Manner, outcomeOf, rangeOf, replyStored } from './respond.ts'
import { placeFor } from './search.ts'
import type { Sharing } from './sharing.ts'
import { markPass, placeStored, sealStored } from './store.ts'
import type { Plan, Stored } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** One reading of the origin for a key, perhaps with others waiting for it. */
export interface Errand {
  readonly fill: Fill
  readonly lead: Lead<Sharing> | undefined
  readonly forward: Forward
  /** Aborts the request to the origin. */
  readonly abort: AbortController
  /** A refresh behind a stale answer: nobody waits, the end is reached whatever happens to clients. */
  readonly background: boolean
}

/** Refusals that say something about this request only: nothing is concluded about the key when something stands there. */
const OF_REQUEST: ReadonlySet<StoreRefusal> = new Set(['request-no-store', 'authorization'])

/** Asks for the whole representation and answers with it. @throws what the origin port throws */
export async function fetchWhole(visit: KeyedVisit, errand: Errand): Promise<Reply> {
  const fields = unconditional(visit.head.fields)
  const heard = await askOrigin(visit, { fields, body: visit.body, signal: errand.abort.signal, informs: !errand.background })
  return settleWhole(visit, errand, heard)
}

/** Takes an answer that is not a 304 to our own conditions: shares and stores it, or passes it on alone. */
export async function settleWhole(visit: KeyedVisit, errand: Errand, heard: Heard): Promise<Reply> {
  const { policy } = visit.routed
  const judgement = judgeResponse(
    { request: visit.head, asked: visit.asked, response: heard.head, arrival: heard.arrival, requestedAt: heard.requestedAt, tags: visit.tags },
    visit.desk.profile, visit.routed,
  )
  if (!judgement.storable) return replyAlone(visit, errand, { heard, refusal: judgement.refusal })
  const length = lengthOf(heard.head)
  if (length !== undefined && length > policy.maxBodyBytes) return replyAlone(visit, errand, { heard, refusal: 'too-large' })
  if (heard.answer.endsByClose === true && heard.head.status !== 204 && !visit.desk.profile.storesUnframed) {
    return replyAlone(visit, errand, { heard, refusal: 'incomplete' })
  }
  const { holding } = visit.desk
  if (holding.bytes + Math.min(length ?? policy.maxBodyBytes, policy.maxBodyBytes) > holding.maxBytes) {
    return replyAlone(visit, errand, { heard, refusal: 'refused' })
  }
  const sharing = share(visit, errand, { heard, plan: judgement.plan, length })
  return replyFirst(visit, { sharing, heard }, { cache: 'MISS', status: { forward: errand.forward, forwardStatus: heard.head.status, stored: true } })
}

/** Starts collecting a response; when it is whole it is stored, and only then the flight ends. */
function share(visit: KeyedVisit, errand: Errand, item: { heard: Heard; plan: Plan; length: number | undefined }): Sharing {
  const { heard, plan, length } = item
  const { desk, routed } = visit
  const filling = new Filling(heard.answer.body, {
    maxBytes: routed.policy.maxBodyBytes, expected: length, laggardMs: desk.laggardMs, clock: desk.engine.clock,
    finish: routed.policy.finish || errand.background, holding: desk.holding,
  })
  const stored = filling.done.then((body) => {
    try {
      if (body !== undefined) return keepWhole(visit, errand, { heard, plan, body })
      if (!filling.broken) markPass(desk, errand.fill, routed.policy.passMs)
      return undefined
    } finally {
      errand.lead?.end()
    }
  })
  const sharing = { plan, filling, stored, length }
  errand.lead?.answer(sharing, plan.tags)
  return sharing
}

function keepWhole(visit: KeyedVisit, errand: Errand, item: { heard: Heard; plan: Plan; body: Uint8Array }): Stored {
  const stored = sealStored(visit.desk, item.plan, { body: item.body, trailers: item.heard.answer.trailers() })
  placeStored(visit.desk, placeFor(visit, errand.fill, stored.plan), stored)
  return stored
}

/** The answer to the client who caused the fetch: his own conditions and range are met here, the origin was asked without. */
async function replyFirst(visit: KeyedVisit, item: { sharing: Sharing; heard: Heard }, manner: Manner): Promise<Reply> {
  const { sharing, heard } = item
  const { plan, filling } = sharing
  const condition = evaluateConditions(visit.head.fields, plan, visit.desk.engine.clock.wall())
  if (condition === 'not-modified') {
    const fields = decorate(visit, notModifiedFields(heard.head.fields), { manner, plan: undefined })
    return { head: { status: 304, statusText: 'Not Modified', fields }, body: undefined, outcome: outcomeOf(visit, manner) }
  }
  const source = (filling as Filling).read()
  if (rangeOf(visit, plan) !== undefined) {
    const stored = await sharing.stored
    if (stored !== undefined) {
      discard(source)
      return replyStored(visit, stored, manner)
    }
  }
  return { ...replyHeard(visit, heard, manner), body: source }
}

/** An answer for this client alone. */
function replyAlone(visit: KeyedVisit, errand: Errand, item: { heard: Heard; refusal: StoreRefusal }): Reply {
  const { heard, refusal } = item
  const { desk, routed } = visit
  errand.lead?.abandon()
  const { status } = heard.head
  desk.engine.meter.count(COUNTER.unkept, desk.routes[routed.index])
  if (desk.engine.events.wants('keep:refuse')) desk.engine.events.emit('keep:refuse', { key: errand.fill.key, reason: refusal, tags: errand.fill.tags })
  const concludes = OF_REQUEST.has(refusal) || refusal === 'refused' ? desk.engine.lookup(errand.fill.key).state === 'absent' : status < 500
  if (concludes) markPass(desk, errand.fill, routed.policy.passMs)
  const manner: Manner = { cache: 'MISS', status: { forward: errand.forward, forwardStatus: status, detail: refusal } }
  if (evaluateConditions(visit.head.fields, heard.head, desk.engine.clock.wall()) === 'not-modified') {
    discard(heard.answer.body)
    const fields = decorate(visit, notModifiedFields(heard.head.fields), { manner, plan: undefined })
    return { head: { status: 304, statusText: 'Not Modified', fields }, body: undefined, outcome: outcomeOf(visit, manner) }
  }
  return replyHeard(visit, heard, manner)
}
