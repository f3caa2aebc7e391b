/**
 * Ranges that the store does not hold: asked for as they are, and kept where what comes back is consistent.
 *
 * Floor 4, room http. RFC 9110 section 15.3.7.
 */
import type { Reply } from '../model/exchange.ts'
import { hearClient, replyHeard } from './ask.ts'
import { bodyRefusal, openFilling } from './collect.ts'
import type { Errand } from './errand.ts'
import { partFrom, planPart } from './piece.ts'
import { putWhole } from './put.ts'
import type { Selected } from './select.ts'
import type { KeyedVisit } from './visit.ts'
import { settleWhole } from './whole.ts'

/** Sends a range request on. @throws what the origin port throws */
export async function fetchRange(visit: KeyedVisit, errand: Errand, selected: Selected): Promise<Reply> {
  const heard = await hearClient(visit, errand.abort.signal)
  const { status } = heard.head
  if (status === 200) return settleWhole(visit, errand, heard)
  errand.lead?.abandon()
  const manner = { cache: 'MISS', status: { forward: errand.forward, forwardStatus: status } } as const
  const plan = status === 206 && bodyRefusal(visit, heard) === undefined ? planPart(visit, heard) : undefined
  const before = selected.kind === 'stored' ? selected.stored : undefined
  const holdsWhole = before !== undefined && before.part === undefined
  if (plan === undefined || holdsWhole) return replyHeard(visit, heard, manner)
  const filling = openFilling(visit, heard, false)
  void filling.done.then((body) => {
    const stored = body === undefined ? undefined : partFrom(visit, before, { heard, plan, body })
    if (stored !== undefined) putWhole(visit, errand.fill, { plan: stored.plan, content: stored })
  })
  const answer = { ...heard.answer, body: filling.read() }
  return replyHeard(visit, { ...heard, answer }, { ...manner, status: { ...manner.status, stored: true } })
}
