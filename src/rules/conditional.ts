/**
 * A client's own conditions, evaluated on a stored response (RFC 9110 section 13, RFC 9111 section 4.3.2).
 *
 * Floor 1, room rules. Pure.
 */
import type { Fields } from '../model/fields.ts'
import { parseHttpDate } from './dates.ts'
import { matchesStrongly, matchesWeakly, parseTagList } from './entity-tag.ts'

/** `full`: answer with the stored response; `not-modified`: 304; `origin`: let the origin decide (it may say 412). */
export type Condition = 'full' | 'not-modified' | 'origin'

/** Fields of the body, left out of a 304 (RFC 9110 section 15.4.5). */
const NOT_IN_304: readonly string[] = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'content-md5',
]

/** Whether the request carries any condition. */
export function isConditional(request: Fields): boolean {
  return (
    request.has('if-none-match') ||
    request.has('if-modified-since') ||
    request.has('if-match') ||
    request.has('if-unmodified-since')
  )
}

/**
 * @param request the request's fields
 * @param stored the selected response
 * @param now epoch ms
 */
export function evaluateConditions(
  request: Fields,
  stored: { readonly status: number; readonly fields: Fields },
  now: number,
): Condition {
  // Conditions are about successful answers only (RFC 9110 section 13.2.1).
  if (stored.status < 200 || stored.status > 299) return 'full'
  if (!holds(request, stored.fields, now)) return 'origin'
  const tags = request.get('if-none-match')
  if (tags !== undefined) return matchesAny(tags, stored.fields.first('etag')) ? 'not-modified' : 'full'
  const since = request.get('if-modified-since')
  return since !== undefined && isUnmodified(stored.fields, since, now) ? 'not-modified' : 'full'
}

/** The fields of a 304 made from a stored response. */
export function notModifiedFields(stored: Fields): Fields {
  const fields = stored.clone()
  for (const name of NOT_IN_304) fields.delete(name)
  return fields
}

/** If-Match, and without it If-Unmodified-Since: when they fail, or cannot be judged here, the origin decides. */
function holds(request: Fields, stored: Fields, now: number): boolean {
  const tags = request.get('if-match')
  if (tags !== undefined) {
    const tag = stored.first('etag')
    return parseTagList(tags).some((one) => one === '*' || (tag !== undefined && matchesStrongly(one, tag)))
  }
  const since = request.get('if-unmodified-since')
  if (since === undefined) return true
  const at = parseHttpDate(since, now)
  const modified = parseHttpDate(stored.first('last-modified') ?? '', now)
  return at !== undefined && modified !== undefined && modified <= at
}

function matchesAny(list: string, tag: string | undefined): boolean {
  return parseTagList(list).some((one) => one === '*' || (tag !== undefined && matchesWeakly(one, tag)))
}

/** RFC 9111 section 4.3.2: Last-Modified, or without it Date, at or before the given time. */
function isUnmodified(stored: Fields, since: string, now: number): boolean {
  const at = parseHttpDate(since, now)
  const modified = parseHttpDate(stored.first('last-modified') ?? stored.first('date') ?? '', now)
  return at !== undefined && modified !== undefined && modified <= at
}
