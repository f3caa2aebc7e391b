/**
 * What a 304 makes of a stored response: a new entry with the same body, through the fence like every other.
 *
 * Floor 4, room http. RFC 9111 sections 3.2 and 4.3.4.
 */
import type { Reply } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { mergeFields } from '../rules/validate.ts'
import { unvaryByCoding } from '../rules/variant-fields.ts'
import type { Heard } from './ask.ts'
import type { Errand } from './errand.ts'
import { judgeHeard, type Judgement } from './judge.ts'
import { putRefusal, putStored } from './put.ts'
import { replyStored } from './respond.ts'
import type { Plan, Stored } from './stored.ts'
import { widened } from './variants.ts'
import type { KeyedVisit } from './visit.ts'

const RENEWED = { cache: 'REFRESH', status: { forward: 'stale', forwardStatus: 304 } } as const

/**
 * Renews a stored response by a 304 that speaks of it, and answers with it.
 *
 * @returns undefined when it cannot stand for the clients it stood for: it has to be fetched anew
 */
export function renew(visit: KeyedVisit, errand: Errand, item: { heard: Heard; stored: Stored }): Reply | undefined {
  const { heard, stored } = item
  const judgement = judgeRenewal(visit, item)
  if (!judgement.storable) {
    errand.lead?.abandon()
    putRefusal(visit, errand.fill, judgement.refusal)
    const fields = mergeFields(stored.plan.fields, heard.head.fields, visit.desk.profile.merge)
    const once = stored.renewed({ ...stored.plan, fields, requestedAt: heard.requestedAt, offsetMs: 0 })
    return withCookies(replyStored(visit, once, RENEWED), heard.head.fields)
  }
  if (!standsOn(stored, judgement.plan)) return undefined
  const renewed = stored.renewed(judgement.plan)
  putStored(visit, { ...errand.fill, way: 'renewal' }, renewed)
  errand.lead?.end()
  errand.lead?.answer({ plan: renewed.plan, filling: undefined, stored: Promise.resolve(renewed) }, renewed.plan.tags)
  const reply = replyStored(visit, renewed, RENEWED)
  return visit.desk.profile.store.cookiesStay ? withCookies(reply, heard.head.fields) : reply
}

/** The judgement of a stored response with the fields that a 304, or a HEAD that matches, brought. */
export function judgeRenewal(visit: KeyedVisit, { heard, stored }: { heard: Heard; stored: Stored }): Judgement {
  const { status, statusText } = stored.plan
  const fields = mergeFields(stored.plan.fields, heard.head.fields, visit.desk.profile.merge)
  // What was added here is not what its origin selects by.
  if (stored.plan.recoding?.varied === false && !heard.head.fields.has('vary')) unvaryByCoding(fields)
  const age = heard.head.fields.first('age')
  if (age !== undefined) fields.set('age', age)
  const judgement = judgeHeard(visit, { ...heard, head: { status, statusText, fields } }, { part: stored.part !== undefined })
  if (!judgement.storable || stored.plan.recoding?.wide !== true) return judgement
  const { plan } = judgement
  // What was certain of it stays so, whoever asked this time.
  return {
    storable: true,
    plan: plan.recoding === undefined ? plan : widened({ ...plan, recoding: { ...plan.recoding, certain: true } }),
  }
}

/** Whether a response that stands for clients of every coding still may. */
export function standsOn({ plan: { recoding } }: Stored, renewed: Plan): boolean {
  return recoding?.wide !== true || renewed.recoding?.wide === true
}

/** Cookies that came with a 304 are for the client who asked, and for nobody else. */
function withCookies(reply: Reply, answer: Fields): Reply {
  reply.head.fields.delete('set-cookie')
  for (const line of answer.all('set-cookie')) reply.head.fields.append('set-cookie', line)
  return reply
}
