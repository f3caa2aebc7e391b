/**
 * Range and If-Range on a body that is here (RFC 9110 sections 13.1.5 and 14).
 *
 * Floor 1, room rules. Pure. A Range that is malformed, of another unit, or asks for too many pieces is ignored: the
 * whole answer is always right.
 */
import type { Fields } from '../model/fields.ts'
import { parseHttpDate } from './dates.ts'
import { matchesStrongly } from './entity-tag.ts'
import { trimOws } from './list.ts'

/** Pieces beyond which a Range is ignored (RFC 9110 section 14.2). */
export const MAX_RANGES = 16

/** One piece as asked for: `first`-`last`, `first`-, or the last `suffix` bytes. */
export type RangeSpec = { readonly first: number; readonly last: number | undefined } | { readonly suffix: number }

/** Byte positions, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/** @returns what is asked for, or undefined when the field is to be ignored */
export function parseRange(value: string): RangeSpec[] | undefined {
  const match = /^bytes=(.*)$/i.exec(value)
  if (match === null) return undefined
  const specs: RangeSpec[] = []
  for (const member of (match[1] as string).split(',')) {
    const text = trimOws(member)
    if (text === '') continue
    const spec = parseSpec(text)
    if (spec === undefined || specs.length === MAX_RANGES) return undefined
    specs.push(spec)
  }
  return specs.length === 0 ? undefined : specs
}

/**
 * @param specs what is asked for
 * @param length of the representation, bytes
 * @returns the satisfiable pieces in the order asked; empty: 416; undefined when they overlap so that serving them would
 *   send more than the whole (RFC 9110 section 14.2): the Range is then ignored
 */
export function resolveRanges(specs: readonly RangeSpec[], length: number): ByteRange[] | undefined {
  const ranges: ByteRange[] = []
  let sum = 0
  for (const spec of specs) {
    const range = resolve(spec, length)
    if (range === undefined) continue
    ranges.push(range)
    sum += range.last - range.first + 1
  }
  return ranges.length > 1 && sum > length ? undefined : ranges
}

/**
 * Whether Range holds, given the request's If-Range: only a strong match lets pieces of two answers be put together.
 *
 * @param request the request's fields
 * @param stored fields of the selected representation
 */
export function isRangeApplicable(request: Fields, stored: Fields): boolean {
  const condition = request.get('if-range')
  if (condition === undefined) return true
  const value = trimOws(condition)
  if (value.startsWith('"') || value.startsWith('W/')) return matchesStrongly(value, stored.first('etag') ?? '')
  const modified = stored.first('last-modified')
  return modified !== undefined && value === modified && isStrongDate(modified, stored.first('date'))
}

/** A Last-Modified is strong when it lies at least a second before Date (RFC 9110 section 8.8.2.2). */
export function isStrongDate(modified: string, date: string | undefined): boolean {
  const at = parseHttpDate(modified, 0)
  const sent = date === undefined ? undefined : parseHttpDate(date, 0)
  return at !== undefined && sent !== undefined && at <= sent - 1000
}

function parseSpec(text: string): RangeSpec | undefined {
  const match = /^(\d*)-(\d*)$/.exec(text)
  if (match === null) return undefined
  const [, from = '', to = ''] = match
  if (from === '') return to === '' ? undefined : { suffix: position(to) }
  const first = position(from)
  const last = to === '' ? undefined : position(to)
  return last !== undefined && last < first ? undefined : { first, last }
}

function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
}

function resolve(spec: RangeSpec, length: number): ByteRange | undefined {
  if ('suffix' in spec) {
    return spec.suffix === 0 || length === 0 ? undefined : { first: Math.max(0, length - spec.suffix), last: length - 1 }
  }
  if (spec.first >= length) return undefined
  return { first: spec.first, last: Math.min(spec.last ?? length - 1, length - 1) }
}
