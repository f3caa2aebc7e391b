/**
 * Which representation of a stored response a request is answered with (RFC 9110 sections 12.5.3, 13.1.5 and 14.2).
 *
 * Floor 4, room http. Decided the same way for hits, stale answers, followers, HEAD and 304; nothing is coded or decoded
 * here. Costs one comparison where a response stands alone, a Map lookup where it does not. Ranges are cut out of the body
 * without a coding, unless If-Range names another representation: whoever holds a piece of one never gets a piece of
 * another under a validator that both bear.
 */
import { chooseCoding } from '../key/encoding.ts'
import type { RequestHead } from '../model/exchange.ts'
import { isStrongTag } from '../rules/entity-tag.ts'
import { isRangeApplicable } from '../rules/range.ts'
import { CODINGS } from '../wire/coding.ts'
import type { Alternatives, Plan, Stored } from './stored.ts'
import type { Visit } from './visit.ts'

/** The representation to answer with: the response as it came where there is no better one. */
export function represent({ head }: Pick<Visit, 'head'>, stored: Stored): Stored {
  return stored.variants === undefined ? stored : (chosenOf(head, stored, stored.variants) ?? stored)
}

/** `represent`; undefined where the request accepts no representation that stands here, but its origin may have another one. */
export function representAcceptable({ head }: Pick<Visit, 'head'>, stored: Stored): Stored | undefined {
  const { variants, plan } = stored
  if (variants === undefined) return stored
  return chosenOf(head, stored, variants) ?? (plan.recoding?.wide === true ? undefined : stored)
}

/**
 * `represent` for a request that says nothing but what codings it accepts: no range, no condition, no directive.
 *
 * @param accept its Accept-Encoding, lines combined
 * @returns undefined when no representation that stands here is acceptable
 */
export function representPlain(stored: Stored, accept: string | undefined): Stored | undefined {
  const { variants, plan } = stored
  if (variants === undefined) return stored
  return variants.choose(stored, accept) ?? (plan.recoding?.wide === true ? undefined : stored)
}

/** Whether ranges are cut out of this representation for the request, or it gets the whole. */
export function mayCut(request: RequestHead, plan: Plan): boolean {
  const { fields } = request
  if (plan.recoding === undefined || namesTag(fields.get('if-range'))) return isRangeApplicable(fields, plan.fields)
  if (!fields.has('if-range') && isStrongTag(plan.fields.first('etag') ?? '')) return true
  // A date is the same for all codings: it tells those apart who never get another one.
  const anyway = chooseCoding<string>(fields.get('accept-encoding'), [...CODINGS, 'identity']) === 'identity'
  return anyway && !plan.fields.has('content-encoding') && isRangeApplicable(fields, plan.fields)
}

function chosenOf(head: RequestHead, stored: Stored, variants: Alternatives): Stored | undefined {
  const { fields } = head
  const accept = fields.get('accept-encoding')
  if (head.method === 'GET' && fields.has('range')) {
    const condition = fields.get('if-range')
    if (namesTag(condition)) return variants.named(stored, (condition as string).trim()) ?? variants.choose(stored, accept)
    const plain = condition === undefined ? variants.plain(stored) : undefined
    const cuts = plain !== undefined && isStrongTag(plain.plan.fields.first('etag') ?? '')
    if (cuts && chooseCoding(accept, ['identity']) !== undefined) return plain
  }
  // Who asks for no transformation gets what came, if he accepts it (RFC 9111 section 5.2.1.6).
  const asIs = /no-transform/i.test(fields.get('cache-control') ?? '')
  if (asIs) return chooseCoding<string>(accept, [stored.plan.recoding?.coding ?? 'identity']) === undefined ? undefined : stored
  return variants.choose(stored, accept)
}

function namesTag(condition: string | undefined): boolean {
  return condition !== undefined && /^\s*(?:W\/)?"/.test(condition)
}
