/**
 * Pieces of a representation: which may be kept, what they make together, what is asked for to complete one.
 *
 * Floor 4, room http. RFC 9110 section 15.3.7.3, RFC 9111 sections 3.3 and 3.4. A piece is kept only with exactly the
 * bytes it claims; two are put together only under one strong entity tag.
 */
import type { Fields } from '../model/fields.ts'
import { isStrongTag } from '../rules/entity-tag.ts'
import { joinParts, partOf } from '../rules/partial.ts'
import { mergeFields, unconditional } from '../rules/validate.ts'
import type { Heard } from './ask.ts'
import { judgeHeard } from './judge.ts'
import { type Plan, Stored } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** A 206 that has come in. */
export interface NewPart {
  readonly heard: Heard
  readonly plan: Plan
  readonly body: Uint8Array
}

/** A 206 that may be stored; its bytes are judged when they are all here. */
export function planPart(visit: KeyedVisit, heard: Heard): Plan | undefined {
  const judgement = judgeHeard(visit, heard, { part: true })
  return judgement.storable ? judgement.plan : undefined
}

/** What is to be stored when a part has come in: joined with what stood before, alone, or nothing. */
export function partFrom(visit: KeyedVisit, before: Stored | undefined, item: NewPart): Stored | undefined {
  const part = partOf(item.heard.head.fields, item.body.byteLength, visit.desk.profile.lenientParts)
  if (part === undefined) return undefined
  return (before === undefined ? undefined : joinWith(before, item)) ?? new Stored(item.plan, { body: item.body, part })
}

/** Both parts as one, fields of the newer (RFC 9110 section 15.3.7.3); undefined when they are not proven to fit. */
export function joinWith(before: Stored, item: NewPart): Stored | undefined {
  const part = partOf(item.heard.head.fields, item.body.byteLength, false)
  if (part === undefined || before.part === undefined || before.part.last - before.part.first + 1 !== before.body.byteLength)
    return undefined
  const joined = joinParts(
    { part: before.part, bytes: before.body, fields: before.plan.fields },
    { part, bytes: item.body, fields: item.plan.fields },
  )
  if (joined === undefined) return undefined
  const fields = mergeFields(before.plan.fields, item.plan.fields, { contentType: false })
    .delete('content-range')
    .delete('content-length')
  const whole = joined.part.first === 0 && joined.part.last === joined.part.total - 1
  const plan = { ...item.plan, status: whole ? 200 : 206, statusText: whole ? 'OK' : item.plan.statusText, fields }
  return new Stored(plan, { body: joined.bytes, part: whole ? undefined : joined.part })
}

/** Whether the rest of a stored part may be asked for instead of the whole. */
export function isCompletable(visit: KeyedVisit, stored: Stored): boolean {
  const { part } = stored
  if (part === undefined || part.first !== 0 || part.total > visit.routed.policy.maxBodyBytes) return false
  if (part.last >= part.total - 1 || stored.body.byteLength !== part.last + 1) return false
  return visit.desk.profile.lenientParts || isStrongTag(stored.plan.fields.first('etag') ?? '')
}

/** The fields that ask for the rest of a stored part that `isCompletable`. */
export function restFields(visit: KeyedVisit, stored: Stored): Fields {
  const fields = unconditional(visit.head.fields).set('range', `bytes=${stored.body.byteLength}-`)
  const tag = stored.plan.fields.first('etag')
  return tag !== undefined && isStrongTag(tag) ? fields.set('if-range', tag) : fields
}
