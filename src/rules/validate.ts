/**
 * Validation of stored responses: the conditional request, which 304 answers for which response, and what it updates
 * (RFC 9111 sections 4.3.1, 4.3.3 to 4.3.5 and 3.2).
 *
 * Floor 1, room rules. Pure.
 */
import { Fields } from '../model/fields.ts'
import { parseHttpDate } from './dates.ts'
import { isStrongTag, matchesWeakly } from './entity-tag.ts'
import { storableFields } from './hop.ts'

/** The conditional request fields. */
export const CONDITIONALS: readonly string[] = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
]
const OF_CLIENT: ReadonlySet<string> = new Set([...CONDITIONALS, 'range'])

/**
 * Fields of the stored body itself: a message without that body cannot change them. RFC 9111 section 3.2 names
 * Content-Length; with another encoding, range or digest the stored bytes would be read as something they are not.
 */
const BOUND_TO_BODY: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'content-range',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
  'age',
])

/** How far a 304 may change what is stored. */
export interface MergeOptions {
  /** Take a Content-Type from it, as RFC 9111 section 3.2 has it; else the stored bytes keep the type they came with. */
  readonly contentType: boolean
}

/** What a stored response can be validated with. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/** @returns the validators, or undefined when there is none */
export function validatorsOf(fields: Fields): Validators | undefined {
  const etag = fields.first('etag')
  const lastModified = fields.first('last-modified')
  return etag === undefined && lastModified === undefined ? undefined : { etag, lastModified }
}

/** A request's fields with the client's own conditions taken out and the stored validators put in. */
export function validationFields(request: Fields, validators: Validators): Fields {
  const fields = unconditional(request)
  if (validators.etag !== undefined) fields.set('if-none-match', validators.etag)
  if (validators.lastModified !== undefined) fields.set('if-modified-since', validators.lastModified)
  return fields
}

/** A copy of a request's fields without conditions and without Range: the whole current representation. */
export function unconditional(request: Fields): Fields {
  return request.without(OF_CLIENT)
}

/**
 * Whether a 304 speaks of this stored response. It came in answer to the stored validators alone, so one without any
 * validator does; one that names another validator speaks of another representation.
 *
 * @see RFC 9111 section 4.3.4
 */
export function isFreshenedBy(stored: Fields, answer: Fields): boolean {
  const tag = answer.first('etag')
  const storedTag = stored.first('etag')
  if (tag !== undefined && storedTag !== undefined)
    return isStrongTag(tag) && isStrongTag(storedTag) ? tag === storedTag : matchesWeakly(tag, storedTag)
  if (tag !== undefined) return true // asked by date alone: the tag is news about the same representation
  return sameDate(stored.first('last-modified'), answer.first('last-modified'))
}

/**
 * The stored fields after a 304, or after a HEAD that matches: what came replaces what was there, line for line.
 *
 * @param stored as stored
 * @param answer as received; hop-by-hop fields are left out here
 */
export function mergeFields(stored: Fields, answer: Fields, options: MergeOptions): Fields {
  const news = storableFields(answer)
  // A weak form of the stored tag must not weaken it: the bytes are the same ones.
  const keeps = (name: string): boolean =>
    BOUND_TO_BODY.has(name) || (name === 'content-type' && !options.contentType) || (name === 'etag' && stored.has('etag'))
  const merged: string[] = []
  for (const [name, value] of stored) if (keeps(name) || !news.has(name)) merged.push(name, value)
  for (const [name, value] of news) if (!keeps(name)) merged.push(name, value)
  return Fields.fromRaw(merged)
}

/** What a 200 to HEAD says about a stored response to GET (RFC 9111 section 4.3.5). */
export function judgeHead(stored: Fields, head: Fields): 'same' | 'other' | 'unknown' {
  let proven = false
  for (const name of ['etag', 'last-modified', 'content-length']) {
    const now = head.first(name)
    if (now === undefined) continue
    const before = stored.first(name)
    if (before === undefined) continue
    const same = name === 'last-modified' ? sameDate(before, now) : before === now
    if (!same) return 'other'
    if (name !== 'content-length') proven = true
  }
  return proven ? 'same' : 'unknown'
}

function sameDate(stored: string | undefined, given: string | undefined): boolean {
  if (given === undefined || stored === undefined || stored === given) return true
  const a = parseHttpDate(stored, 0)
  return a !== undefined && a === parseHttpDate(given, 0)
}
