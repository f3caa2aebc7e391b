/**
 * Completing a stored part: its rest is asked for instead of the whole (RFC 9110 section 15.3.7.3).
 *
 * Floor 4, room http. What cannot be proven to belong together is fetched whole.
 */
import type { Reply } from '../model/exchange.ts'
import { discard } from './outgoing.ts'
import { askOrigin, type Heard } from './ask.ts'
import { openFilling } from './collect.ts'
import type { Errand } from './errand.ts'
import { joinWith, planPart, restFields } from './piece.ts'
import { putWhole } from './put.ts'
import { replyStored } from './respond.ts'
import type { Stored } from './stored.ts'
import type { KeyedVisit } from './visit.ts'
import { fetchWhole, settleWhole } from './whole.ts'

/** Asks for the rest of a stored part that `isCompletable`. @throws what the origin port throws */
export async function completePart(visit: KeyedVisit, errand: Errand, stored: Stored): Promise<Reply> {
  const heard = await askOrigin(visit, { fields: restFields(visit, stored), signal: errand.abort.signal, informs: true })
  if (heard.head.status === 200) return settleWhole(visit, errand, heard)
  const joined = heard.head.status === 206 ? await join(visit, heard, stored) : undefined
  if (joined === undefined) {
    discard(heard.answer.body)
    return fetchWhole(visit, errand)
  }
  const whole = putWhole(visit, errand.fill, { plan: joined.plan, content: { body: joined.body } })
  errand.lead?.end()
  errand.lead?.answer({ plan: whole.plan, filling: undefined, stored: Promise.resolve(whole) }, whole.plan.tags)
  return replyStored(visit, whole, {
    cache: 'REFRESH',
    status: { forward: 'partial', forwardStatus: 206, stored: true },
  })
}

async function join(visit: KeyedVisit, heard: Heard, stored: Stored): Promise<Stored | undefined> {
  const plan = planPart(visit, heard)
  const body = plan === undefined ? undefined : await openFilling(visit, heard, true).done
  const joined = plan === undefined || body === undefined ? undefined : joinWith(stored, { heard, plan, body })
  return joined?.part === undefined ? joined : undefined
}
