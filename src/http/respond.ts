/**
 * Answers made from what is stored.
 *
 * Floor 4, room http. First the representation is chosen; of it, a client's conditions come first, then ranges (RFC 9110 section 13.2.2), then the whole.
 */
import type { Reply } from '../model/exchange.ts'
import { conditionOf, finish, type Manner, replyNotModified } from './manner.ts'
import { holdsRanges, rangeOf, replyRanges } from './ranges.ts'
import { isAcceptable, represent } from './represent.ts'
import type { Stored } from './stored.ts'
import { countSaved } from './tally.ts'
import type { Visit } from './visit.ts'

/** Whether a stored response can answer this request at all: its conditions can be judged here, its ranges are held. */
export function canAnswer(visit: Visit, given: Stored): boolean {
  if (!isAcceptable(visit, given)) return false
  const stored = represent(visit, given)
  const condition = conditionOf(visit, stored.plan)
  if (condition !== 'full') return condition === 'not-modified'
  return stored.part === undefined || holdsRanges(stored, rangeOf(visit, stored.plan))
}

/** An answer from a stored response that `canAnswer`. */
export function replyStored(visit: Visit, given: Stored, manner: Manner): Reply {
  const stored = represent(visit, given)
  const { plan, body, trailers } = stored
  if (conditionOf(visit, plan) === 'not-modified') return replyNotModified(visit, { plan, fields: plan.fields }, manner)
  const ranged = replyRanges(visit, stored, manner)
  if (ranged !== undefined) return ranged
  if (stored !== given) countSaved(visit, given.body.byteLength - body.byteLength)
  const fields = plan.fields.clone()
  if (plan.status !== 204) fields.set('content-length', String(body.byteLength))
  const reply = finish(visit, { plan, status: plan.status, statusText: plan.statusText, fields, body }, manner)
  return trailers === undefined ? reply : { ...reply, trailers: () => trailers }
}
