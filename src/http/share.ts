/**
 * An answer that may be shared: handed to the flight's followers as soon as its head is here, collected, and stored when
 * its last byte has come; only then the flight ends.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { discard, type Heard, replyHeard } from './ask.ts'
import { openFilling } from './collect.ts'
import type { Errand } from './errand.ts'
import { conditionOf, type Manner, replyNotModified } from './manner.ts'
import { putRefusal, putWhole } from './put.ts'
import { rangeOf } from './ranges.ts'
import { replyStored } from './respond.ts'
import type { Plan } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** Shares an answer, and gives it to the client who caused it. */
export async function replyShared(visit: KeyedVisit, errand: Errand, item: { heard: Heard; plan: Plan }): Promise<Reply> {
  const { heard, plan } = item
  const filling = openFilling(visit, heard, errand.background)
  const stored = filling.done.then((body) => {
    try {
      if (body !== undefined) return putWhole(visit, errand.fill, { plan, content: { body, trailers: heard.answer.trailers() } })
      if (!filling.broken) putRefusal(visit, errand.fill, 'too-large')
      return undefined
    } finally {
      errand.lead?.end()
    }
  })
  errand.lead?.answer({ plan, filling, stored }, plan.tags)
  const manner: Manner = { cache: 'MISS', status: { forward: errand.forward, forwardStatus: heard.head.status, stored: true } }
  // The client's own conditions and range are met here: the origin was asked without them.
  if (conditionOf(visit, plan) === 'not-modified')
    return replyNotModified(visit, { fields: heard.head.fields, plan: undefined }, manner)
  const body = filling.read()
  const whole = rangeOf(visit, plan) === undefined ? undefined : (await filling.collected) ? await stored : undefined
  if (whole === undefined) return replyHeard(visit, { ...heard, answer: { ...heard.answer, body } }, manner)
  discard(body)
  return replyStored(visit, whole, manner)
}
