/**
 * Validation of a stored response at the origin (RFC 9111 section 4.3).
 *
 * Floor 4, room http. A 304 renews it, another answer replaces it, a failure lets it stand in where that is allowed; a
 * 304 about something else is answered by fetching the whole.
 */
import type { Reply } from '../model/exchange.ts'
import { isFreshenedBy, validationFields, validatorsOf } from '../rules/validate.ts'
import { discard } from './outgoing.ts'
import { askOrigin, type Heard } from './ask.ts'
import type { Errand } from './errand.ts'
import { askForCoding } from './forwarded.ts'
import { renew } from './renew.ts'
import { type Found, isFailure, standIn, unproven } from './stand-in.ts'
import { count } from './tally.ts'
import type { KeyedVisit } from './visit.ts'
import { fetchWhole, settleWhole } from './whole.ts'

const NO_VALIDATORS = { etag: undefined, lastModified: undefined }

/** Validates, or fetches anew. @throws what the origin port throws, FC_ORIGIN_UNPROVEN */
export async function validateStored(visit: KeyedVisit, errand: Errand, found: Found): Promise<Reply> {
  const { backoff } = visit.desk.engine
  const { signal } = errand.abort
  const validators = validatorsOf(found.stored.plan.fields)
  const fields = askForCoding(validationFields(visit.head.fields, validators ?? NO_VALIDATORS), found.stored.plan)
  let heard: Heard
  try {
    heard = await askOrigin(visit, { fields, signal, informs: !errand.background })
  } catch (error) {
    if (signal.aborted) throw error
    backoff.failed(found.key)
    const told = unproven(found, error)
    const reply = errand.background ? undefined : standIn(visit, found, true)
    errand.lead?.fail(told)
    if (reply === undefined) throw told
    return reply
  }
  const { status } = heard.head
  if (isFailure(status)) return settleFailure(visit, errand, { heard, found })
  backoff.succeeded(found.key)
  if (status !== 304 || validators === undefined) return settleWhole(visit, errand, heard)
  discard(heard.answer.body)
  if (!isFreshenedBy(found.stored.plan.fields, heard.head.fields)) return fetchWhole(visit, errand)
  const renewed = renew(visit, errand, { heard, stored: found.stored })
  if (renewed === undefined) return fetchWhole(visit, errand)
  count(visit, 'revalidations')
  return renewed
}

/** A failing answer: the stored response where it may stand in, else the failure itself; the stored response stays. */
function settleFailure(visit: KeyedVisit, errand: Errand, item: { heard: Heard; found: Found }): Promise<Reply> | Reply {
  const { heard, found } = item
  visit.desk.engine.backoff.failed(found.key)
  const reply = errand.background ? undefined : standIn(visit, found, false)
  if (reply === undefined) return settleWhole(visit, errand, heard)
  discard(heard.answer.body)
  errand.lead?.abandon()
  return reply
}
