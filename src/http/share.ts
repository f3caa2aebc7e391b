/**
 * An answer that may be shared: handed to the flight's followers as soon as its head is here, collected, and stored when
 * its last byte has come; only then the flight ends.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { discard } from './outgoing.ts'
import { type Heard, lengthOf, replyHeard } from './ask.ts'
import { openFilling } from './collect.ts'
import type { Errand } from './errand.ts'
import { conditionOf, finish, type Manner, replyNotModified } from './manner.ts'
import { putRefusal, putWhole } from './put.ts'
import { rangeOf } from './ranges.ts'
import { replyStored } from './respond.ts'
import type { Plan } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** Shares an answer, and gives it to the client who caused it. */
export async function replyShared(visit: KeyedVisit, errand: Errand, item: { heard: Heard; plan: Plan }): Promise<Reply> {
  const { heard, plan } = item
  const manner: Manner = { cache: 'MISS', status: { forward: errand.forward, forwardStatus: heard.head.status, stored: true } }
  const complete = takeWhole(visit, heard)
  if (complete !== undefined) return replyAtOnce(visit, errand, { heard, plan, body: complete, manner })
  const filling = openFilling(visit, heard, errand.background)
  const stored = filling.done.then((body) => {
    try {
      if (body !== undefined) return putWhole(visit, errand.fill, { plan, content: { body, trailers: heard.answer.trailers() } })
      if (filling.tooLarge) putRefusal(visit, errand.fill, 'too-large')
      return undefined
    } finally {
      errand.lead?.end()
    }
  })
  errand.lead?.answer({ plan, filling, stored }, plan.tags)
  // The client's own conditions and range are met here: the origin was asked without them.
  if (conditionOf(visit, plan) === 'not-modified')
    return replyNotModified(visit, { fields: heard.head.fields, plan: undefined }, manner)
  const body = filling.read()
  const whole = rangeOf(visit, plan) === undefined ? undefined : (await filling.collected) ? await stored : undefined
  if (whole === undefined) return replyHeard(visit, { ...heard, answer: { ...heard.answer, body } }, manner)
  discard(body)
  return replyStored(visit, whole, manner)
}

/** The body, where it came with the head, as small ones do; not where trailers belong to it. */
function takeWhole({ routed }: KeyedVisit, { answer, head }: Heard): Uint8Array | undefined {
  if (answer.whole === undefined || answer.trailers() !== undefined) return undefined
  return answer.whole({ expected: lengthOf(head), maxBytes: routed.policy.maxBodyBytes })
}

/** What is there at once needs no filling: stored, handed to followers, answered in one piece. */
function replyAtOnce(
  visit: KeyedVisit,
  { fill, lead }: Errand,
  { heard, plan, body, manner }: { heard: Heard; plan: Plan; body: Uint8Array; manner: Manner },
): Reply {
  const stored = putWhole(visit, fill, { plan, content: { body } })
  lead?.answer({ plan, filling: undefined, stored: Promise.resolve(stored) }, plan.tags)
  lead?.end()
  const { status, statusText, fields } = heard.head
  if (conditionOf(visit, plan) === 'not-modified') return replyNotModified(visit, { fields, plan: undefined }, manner)
  if (rangeOf(visit, plan) !== undefined) return replyStored(visit, stored, manner)
  return finish(visit, { status, statusText, fields: fields.clone(), body, plan: undefined }, manner)
}
