/**
 * A response that several requests may share while it still comes in: what a flight hands to its followers.
 *
 * Floor 4, room http. Every follower judges for himself whether the response is his: it must be selected by his own
 * request and usable for it without validation, exactly as if it had been found in the store (RFC 9111 section 4).
 */
import { chooseCoding } from '../key/encoding.ts'
import type { Reply } from '../model/exchange.ts'
import { decideUse } from '../rules/reuse.ts'
import { selectingValues } from '../rules/vary.ts'
import type { Filling } from './filling.ts'
import { conditionOf, finish, type Manner, replyNotModified } from './manner.ts'
import { rangeOf } from './ranges.ts'
import { fitOf, replyFit } from './respond.ts'
import { type Plan, standingOf, type Stored } from './stored.ts'
import type { Visit } from './visit.ts'

/** See the module's header. */
export interface Sharing {
  readonly plan: Plan
  /** The body as it comes; undefined when it is all there in `stored`. */
  readonly filling: Filling | undefined
  /** The response once it is complete; undefined when it broke or was too large. Never rejects. */
  readonly stored: Promise<Stored | undefined>
}

const COLLAPSED: Manner = { cache: 'MISS', status: { forward: 'uri-miss', collapsed: true } }

/** A follower's answer out of the leader's; undefined when it is not his, or broke before he could use it. */
export async function takeShared(visit: Visit, sharing: Sharing): Promise<Reply | undefined> {
  if (!mayTake(visit, sharing)) return undefined
  const { plan, filling } = sharing
  const condition = conditionOf(visit, plan)
  if (condition === 'origin') return undefined
  if (condition === 'not-modified') return replyNotModified(visit, { fields: plan.fields, plan }, COLLAPSED)
  if (filling === undefined || rangeOf(visit, plan) !== undefined) {
    const stored = filling === undefined || (await filling.collected) ? await sharing.stored : undefined
    const fit = stored && fitOf(visit, stored)
    return fit && replyFit(visit, fit, COLLAPSED)
  }
  const { status, statusText } = plan
  return finish(visit, { status, statusText, fields: plan.fields.clone(), body: filling.read(), plan }, COLLAPSED)
}

function mayTake(visit: Visit, sharing: Sharing): boolean {
  const { plan, filling } = sharing
  if (filling !== undefined && !filling.joinable) return false
  const { profile, engine } = visit.desk
  const values = selectingValues(plan.vary, visit.head.fields, profile.varyForm)
  const differing = plan.vary.filter((_, i) => values[i] !== plan.selecting[i])
  if (differing.some((name) => name !== 'accept-encoding') || (differing.length > 0 && !fitsAsIs(visit, plan))) return false
  return decideUse(standingOf(plan, engine.clock.now(), false), visit.asked) === 'serve'
}

/** Whether nothing but the coding can have been selected for the leader, and this client takes that coding too. */
function fitsAsIs({ head }: Visit, { recoding }: Plan): boolean {
  if (recoding === undefined || !recoding.certain) return false
  return chooseCoding<string>(head.fields.get('accept-encoding'), [recoding.coding]) !== undefined
}
