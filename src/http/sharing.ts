/**
 * A response that several requests may share while it still comes in: what a flight hands to its followers.
 *
 * Floor 4, room http. Every follower judges for himself whether the response is his: it must be selected by his own
 * request and usable for it without validation, exactly as if it had been found in the store (RFC 9111 section 4).
 */
import { decideUse } from '../rules/reuse.ts'
import { selectingValues } from '../rules/vary.ts'
import type { Filling } from './filling.ts'
import { type Plan, standingOf, type Stored } from './stored.ts'
import type { Visit } from './visit.ts'

/** See the module's header. */
export interface Sharing {
  readonly plan: Plan
  /** The body as it comes; undefined when it is all there in `stored`. */
  readonly filling: Filling | undefined
  /** The response once it is complete; undefined when it broke or was too large. Never rejects. */
  readonly stored: Promise<Stored | undefined>
  /** Content-Length as received. */
  readonly length: number | undefined
}

/** Whether a follower may take a leader's answer. */
export function mayShare(visit: Visit, sharing: Sharing): boolean {
  const { plan } = sharing
  if (sharing.filling !== undefined && !sharing.filling.joinable) return false
  const values = selectingValues(plan.vary, visit.head.fields, visit.desk.profile.varyForm)
  if (values.some((value, i) => value !== plan.selecting[i])) return false
  return decideUse(standingOf(plan, visit.desk.engine.clock.now(), false), visit.asked) === 'serve'
}
