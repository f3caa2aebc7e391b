/**
 * Answers made from what is stored.
 *
 * Floor 4, room http. First the representation is chosen; of it, a client's conditions come first, then ranges (RFC 9110 section 13.2.2), then the whole.
 */
import type { Reply } from '../model/exchange.ts'
import type { Condition } from '../rules/conditional.ts'
import { conditionOf, finish, type Manner, replyNotModified } from './manner.ts'
import { holdsRanges, rangeOf, replyRanges } from './ranges.ts'
import { represent, representAcceptable } from './represent.ts'
import type { Stored } from './stored.ts'
import { countSaved } from './tally.ts'
import type { Visit } from './visit.ts'

/** A stored response that can answer a request, and how: the representation chosen, and what the request's conditions say of it. */
export interface Fit {
  readonly given: Stored
  readonly stored: Stored
  readonly condition: Condition
}

/** @returns undefined where it cannot answer at all: its conditions cannot be judged here, its ranges are not held, it is refused */
export function fitOf(visit: Visit, given: Stored): Fit | undefined {
  const stored = representAcceptable(visit, given)
  if (stored === undefined) return undefined
  const condition = conditionOf(visit, stored.plan)
  if (condition === 'origin') return undefined
  const isHeld = condition === 'not-modified' || stored.part === undefined || holdsRanges(stored, rangeOf(visit, stored.plan))
  return isHeld ? { given, stored, condition } : undefined
}

/** An answer from a response that is to answer this request, whatever it prefers. */
export function replyStored(visit: Visit, given: Stored, manner: Manner): Reply {
  const stored = represent(visit, given)
  return replyFit(visit, { given, stored, condition: conditionOf(visit, stored.plan) }, manner)
}

/** An answer from a stored response that fits. */
export function replyFit(visit: Visit, { given, stored, condition }: Fit, manner: Manner): Reply {
  const { plan, body, trailers } = stored
  if (condition === 'not-modified') return replyNotModified(visit, { plan, fields: plan.fields }, manner)
  const ranged = replyRanges(visit, stored, manner)
  if (ranged !== undefined) return ranged
  if (stored !== given) countSaved(visit, given.body.byteLength - body.byteLength)
  const fields = plan.fields.clone()
  if (plan.status !== 204) fields.set('content-length', String(body.byteLength))
  const reply = finish(visit, { plan, status: plan.status, statusText: plan.statusText, fields, body }, manner)
  return trailers === undefined ? reply : { ...reply, trailers: () => trailers }
}
