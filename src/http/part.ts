/**
 * Parts: storing 206 answers, answering ranges the store does not hold, completing a part to the whole.
 *
 * Floor 4, room http. RFC 9110 section 15.3.7, RFC 9111 sections 3.3 and 3.4. A part is stored only with exactly the
 * bytes it claims; two are put together only under one strong entity tag.
 */
import type { Reply } from '../model/exchange.ts'
import { isStrongTag } from '../rules/entity-tag.ts'
import { joinParts, type Part, partOf } from '../rules/partial.ts'
import { mergeFields, unconditional } from '../rules/validate.ts'
import { askOrigin, discard, type Heard, lengthOf, replyHeard } from './ask.ts'
import { Filling } from './filling.ts'
import { judgeResponse } from './judge.ts'
import { type Manner, replyStored } from './respond.ts'
import { placeFor } from './search.ts'
import type { Selected } from './select.ts'
import { placeStored, sealStored } from './store.ts'
import { type Plan, Stored } from './stored.ts'
import type { KeyedVisit } from './visit.ts'
import { type Errand, fetchWhole, settleWhole } from './whole.ts'

/** Sends a range request on as it is, and keeps what comes back where it is consistent. */
export async function fetchRange(visit: KeyedVisit, errand: Errand, selected: Selected): Promise<Reply> {
  const heard = await askOrigin(visit, { fields: visit.head.fields, body: visit.body, signal: errand.abort.signal, informs: true })
  const { status } = heard.head
  if (status !== 206) {
    if (status === 200) return settleWhole(visit, errand, heard)
    return replyHeard(visit, heard, { cache: 'MISS', status: { forward: errand.forward, forwardStatus: status } })
  }
  const manner: Manner = { cache: 'MISS', status: { forward: 'partial', forwardStatus: status } }
  const plan = planPart(visit, heard)
  const whole = selected.kind === 'stored' && selected.stored.part === undefined
  const length = lengthOf(heard.head)
  if (plan === undefined || whole || (length ?? 0) > visit.routed.policy.maxBodyBytes || isCrowded(visit)) return replyHeard(visit, heard, manner)
  const filling = fillingOf(visit, heard)
  void filling.done.then((body) => {
    if (body !== undefined) keepPart(visit, errand, { heard, plan, body, before: selected.kind === 'stored' ? selected.stored : undefined })
  })
  return { ...replyHeard(visit, heard, { ...manner, status: { ...manner.status, stored: true } }), body: filling.read() }
}

/** Whether the rest of a stored part may be asked for instead of the whole. */
export function isCompletable(visit: KeyedVisit, stored: Stored): boolean {
  const { part } = stored
  if (part === undefined || part.first !== 0 || part.total > visit.routed.policy.maxBodyBytes) return false
  if (part.last >= part.total - 1 || stored.body.byteLength !== part.last + 1) return false
  return visit.desk.profile.lenientParts || isStrongTag(stored.plan.fields.first('etag') ?? '')
}

/** Asks for the rest of a stored part; what cannot be put together is fetched whole. */
export async function completePart(visit: KeyedVisit, errand: Errand, stored: Stored): Promise<Reply> {
  const fields = unconditional(visit.head.fields).set('range', `bytes=${stored.body.byteLength}-`)
  const tag = stored.plan.fields.first('etag')
  if (tag !== undefined && isStrongTag(tag)) fields.set('if-range', tag)
  const heard = await askOrigin(visit, { fields, body: visit.body, signal: errand.abort.signal, informs: true })
  if (heard.head.status === 200) return settleWhole(visit, { ...errand, forward: 'partial' }, heard)
  const plan = heard.head.status === 206 ? planPart(visit, heard) : undefined
  if (plan === undefined) {
    discard(heard.answer.body)
    return fetchWhole(visit, errand)
  }
  const body = await fillingOf(visit, heard).done
  const joined = body === undefined ? undefined : joinWith(stored, { heard, plan, body })
  if (joined?.part !== undefined || joined === undefined) return fetchWhole(visit, errand)
  const sealed = sealStored(visit.desk, joined.plan, { body: joined.body })
  placeStored(visit.desk, placeFor(visit, errand.fill, sealed.plan), sealed)
  errand.lead?.end()
  errand.lead?.answer({ plan: sealed.plan, filling: undefined, stored: Promise.resolve(sealed), length: sealed.body.byteLength }, sealed.plan.tags)
  return replyStored(visit, sealed, { cache: 'REFRESH', status: { hit: true, forward: 'partial', forwardStatus: 206, stored: true } })
}

function isCrowded({ desk, routed }: KeyedVisit): boolean {
  return desk.holding.bytes + routed.policy.maxBodyBytes > desk.holding.maxBytes
}

interface NewPart {
  readonly heard: Heard
  readonly plan: Plan
  readonly body: Uint8Array
}

function planPart(visit: KeyedVisit, heard: Heard): Plan | undefined {
  const judgement = judgeResponse(
    { request: visit.head, asked: visit.asked, response: heard.head, arrival: heard.arrival, requestedAt: heard.requestedAt, tags: visit.tags, part: true },
    visit.desk.profile, visit.routed,
  )
  // Pieces are found by their exact URL alone.
  return judgement.storable ? { ...judgement.plan, search: undefined } : undefined
}

function fillingOf(visit: KeyedVisit, heard: Heard): Filling {
  return new Filling(heard.answer.body, {
    maxBytes: visit.routed.policy.maxBodyBytes, expected: lengthOf(heard.head), laggardMs: visit.desk.laggardMs,
    clock: visit.desk.engine.clock, finish: visit.routed.policy.finish, holding: visit.desk.holding,
  })
}

function keepPart(visit: KeyedVisit, errand: Errand, item: NewPart & { before: Stored | undefined }): void {
  const part = partOf(item.heard.head.fields, item.body.byteLength, visit.desk.profile.lenientParts)
  if (part === undefined) return
  const joined = item.before?.part === undefined ? undefined : joinWith(item.before, item)
  const stored = joined ?? new Stored(item.plan, { body: item.body, part })
  const content = { body: stored.body, part: stored.part }
  placeStored(visit.desk, placeFor(visit, errand.fill, stored.plan), sealStored(visit.desk, stored.plan, content))
}

/** Both parts as one, fields of the newer (RFC 9110 section 15.3.7.3); undefined when they are not proven to fit. */
function joinWith(before: Stored, item: NewPart): Stored | undefined {
  const part = partOf(item.heard.head.fields, item.body.byteLength, false)
  if (part === undefined || before.part === undefined || before.part.last - before.part.first + 1 !== before.body.byteLength) return undefined
  const joined = joinParts(
    { part: before.part, bytes: before.body, fields: before.plan.fields },
    { part, bytes: item.body, fields: item.plan.fields },
  )
  if (joined === undefined) return undefined
  const fields = mergeFields(before.plan.fields, item.plan.fields)
  const whole = joined.part.first === 0 && joined.part.last === joined.part.total - 1
  if (whole) fields.delete('content-range').delete('content-length')
  const plan = { ...item.plan, status: whole ? 200 : 206, statusText: whole ? 'OK' : item.plan.statusText, fields }
  return new Stored(plan, { body: joined.bytes, part: whole ? undefined : (joined.part satisfies Part) })
}
