/**
 * Whether a response may be stored (RFC 9111 sections 3, 3.1 and 3.5), and with which fields taken out.
 *
 * Floor 1, room rules. Pure. Answers with a reason, so that `explain` and Cache-Status can say why not.
 */
import type { Fields } from '../model/fields.ts'
import type { CacheControl } from './cache-control.ts'
import { isHeuristicStatus, type Lifetime } from './freshness.ts'
import { storableFields } from './hop.ts'
import type { Governing } from './targeted.ts'

/** Why a response is not stored. */
export type StoreRefusal =
  | 'method'
  | 'request-no-store'
  | 'request-content'
  | 'status'
  | 'no-store'
  | 'private'
  | 'not-understood'
  | 'malformed'
  | 'authorization'
  | 'set-cookie'
  | 'vary-star'
  | 'no-freshness'
  | 'partial'
  | 'error'
  | 'tags'
  | 'incomplete'
  | 'too-large'
  | 'fenced'
  | 'refused'
  | 'policy'
  | 'demoted'

/** What a profile asks beyond RFC 9111. */
export interface StoreRules {
  /** Set-Cookie never leaves the store, and a response with it is stored only if marked for shared caches. */
  readonly cookiesStay: boolean
  /** `must-revalidate` alone lets an answer to an authorized request be shared (RFC 9111 section 3.5). */
  readonly authorizedByMustRevalidate: boolean
  /** Errors (status >= 400) are stored only with explicit freshness. */
  readonly errorsNeedFreshness: boolean
}

/** A response on its way into the store, with what was asked for. */
export interface Candidate {
  readonly method: string
  readonly requestFields: Fields
  readonly requestControl: CacheControl
  readonly status: number
  readonly fields: Fields
  readonly governing: Governing
  readonly lifetime: Lifetime
}

/** Statuses whose meaning for a cache is known here (must-understand, RFC 9111 section 5.2.2.3): those of RFC 9110. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411,
  412, 413, 414, 415, 416, 417, 421, 422, 426, 500, 501, 502, 503, 504, 505,
])

/** Answers to this very connection or condition, not to the resource. */
const NEVER: ReadonlySet<number> = new Set([206, 304, 401, 407, 408, 412, 416, 421, 425, 426, 429, 431])

/**
 * @returns why the response may not be stored, or undefined when it may. 206 is judged by `rules/partial`; Vary, tags
 *   and the body's completeness by whoever stores it.
 * @see RFC 9111 section 3
 */
export function storeRefusal(candidate: Candidate, rules: StoreRules): StoreRefusal | undefined {
  const { control } = candidate.governing
  const { status, fields, requestControl, lifetime } = candidate
  if (requestControl.noStore) return 'request-no-store'
  if (control.broken || status < 200 || status > 599) return 'malformed'
  if (NEVER.has(status)) return 'status'
  if (control.mustUnderstand && !UNDERSTOOD.has(status)) return 'not-understood'
  if (control.noStore && !control.mustUnderstand) return 'no-store'
  if (control.isPrivate) return 'private'
  if (candidate.requestFields.has('authorization') && !sharesAuthorized(control, rules)) return 'authorization'
  if (rules.cookiesStay && leaksCookie(fields, candidate.governing)) return 'set-cookie'
  if (rules.errorsNeedFreshness && status >= 400 && !lifetime.explicit) return 'error'
  if (!lifetime.explicit && !control.isPublic && !isHeuristicStatus(status)) return 'no-freshness'
  return undefined
}

/** Whether 206 could be stored were it whole: `storeRefusal` without the status. */
export function partRefusal(candidate: Candidate, rules: StoreRules): StoreRefusal | undefined {
  return storeRefusal({ ...candidate, status: 200 }, rules)
}

/** The fields that go into the store: end to end, without what `no-cache=` and `private=` name, Age being kept apart. */
export function fieldsToStore(fields: Fields, control: CacheControl, rules: StoreRules): Fields {
  const drop = ['age', ...control.noCacheFields, ...control.privateFields]
  if (rules.cookiesStay) drop.push('set-cookie')
  return storableFields(fields, drop)
}

function sharesAuthorized(control: CacheControl, rules: StoreRules): boolean {
  return control.isPublic || control.sMaxAge !== undefined || (control.mustRevalidate && rules.authorizedByMustRevalidate)
}

/** A cookie beside a body that nobody called shared: the body may be personal too. */
function leaksCookie(fields: Fields, { control, targeted }: Governing): boolean {
  if (!fields.has('set-cookie')) return false
  if (control.noCacheFields.includes('set-cookie') || control.privateFields.includes('set-cookie')) return false
  return !(control.isPublic || control.sMaxAge !== undefined || targeted)
}
