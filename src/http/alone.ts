/**
 * An answer that may not be shared: streamed to this client alone, followers sent away, the key marked.
 *
 * Floor 4, room http. A server's error marks nothing: it says nothing about the next answer.
 */
import type { Reply } from '../model/exchange.ts'
import type { StoreRefusal } from '../rules/storable.ts'
import { discard } from './outgoing.ts'
import { type Heard, replyHeard } from './ask.ts'
import type { Errand } from './errand.ts'
import { conditionOf, type Manner, replyNotModified } from './manner.ts'
import { putRefusal } from './put.ts'
import { countUnkept } from './tally.ts'
import type { KeyedVisit } from './visit.ts'

/** The answer for this client. */
export function replyAlone(visit: KeyedVisit, errand: Errand, item: { heard: Heard; refusal: StoreRefusal }): Reply {
  const { heard, refusal } = item
  const { status } = heard.head
  errand.lead?.abandon()
  countUnkept(visit, errand.fill.key, refusal)
  if (status < 500) putRefusal(visit, errand.fill, refusal)
  const manner: Manner = { cache: 'MISS', status: { forward: errand.forward, forwardStatus: status, detail: refusal } }
  // The origin was asked without the client's conditions: they are met here.
  if (conditionOf(visit, heard.head) !== 'not-modified') return replyHeard(visit, heard, manner)
  discard(heard.answer.body)
  return replyNotModified(visit, { fields: heard.head.fields, plan: undefined }, manner)
}
