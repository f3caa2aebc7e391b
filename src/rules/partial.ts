/**
 * 206 responses: reading Content-Range, which pieces are consistent, answering from a piece, putting two together
 * (RFC 9110 sections 14.4 and 15.3.7, RFC 9111 section 3.3 and 3.4).
 *
 * Floor 1, room rules. Pure. A piece is kept only when its bytes are exactly those it claims to be; two are put
 * together only under the same strong entity tag and the same length.
 */
import type { Fields } from '../model/fields.ts'
import { matchesStrongly } from './entity-tag.ts'
import type { ByteRange, RangeSpec } from './range.ts'

/** Which bytes of a representation of `total` bytes are stored. */
export interface Part extends ByteRange {
  readonly total: number
}

/** A Content-Range with both positions and the complete length. @returns undefined for anything else */
export function parseContentRange(value: string | undefined): Part | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(value ?? '')
  if (match === null) return undefined
  const part = { first: Number(match[1]), last: Number(match[2]), total: Number(match[3]) }
  return part.first <= part.last && part.last < part.total ? part : undefined
}

/** The complete length named by a 416's Content-Range. */
export function unsatisfiedLength(value: string | undefined): number | undefined {
  const match = /^bytes \*\/(\d{1,15})$/i.exec(value ?? '')
  return match === null ? undefined : Number(match[1])
}

/** The Content-Range text of a piece. */
export function formatContentRange(range: ByteRange, total: number): string {
  return `bytes ${range.first}-${range.last}/${total}`
}

/**
 * The part a single-range 206 carries.
 *
 * @param fields of the 206
 * @param length bytes received
 * @param lenient take the bytes as they came when the claim is longer or shorter (the conformance suite's own 206 is)
 * @returns undefined when it is multipart, has no usable Content-Range, or claims other bytes than it carries
 */
export function partOf(fields: Fields, length: number, lenient: boolean): Part | undefined {
  const lines = fields.all('content-range')
  const part = lines.length === 1 ? parseContentRange(lines[0]) : undefined
  if (part === undefined || length === 0) return undefined
  return lenient || part.last - part.first + 1 === length ? part : undefined
}

/**
 * Where in a stored part's bytes a wanted piece lies.
 *
 * @param part the stored part
 * @param length of the stored bytes; with a consistent part `last - first + 1`
 * @returns offsets into the stored bytes (both included) and the piece's position; undefined when it is not all here
 */
export function sliceOf(spec: RangeSpec, part: Part, length: number): { from: number; to: number; range: ByteRange } | undefined {
  const wanted = wantedOf(spec, part, length)
  if (wanted === undefined || wanted.first < part.first || wanted.first > wanted.last) return undefined
  const from = wanted.first - part.first
  const to = wanted.last - part.first
  return to < length ? { from, to, range: wanted } : undefined
}

/**
 * Puts two parts of one representation together.
 *
 * @returns the joined part and the order of bytes, or undefined when they leave a gap or cannot be proven to belong
 *   together: both need the same strong entity tag, length and content coding
 */
export function joinParts(a: StoredPart, b: StoredPart): { part: Part; bytes: Uint8Array } | undefined {
  if (a.part.total !== b.part.total || !matchesStrongly(a.fields.first('etag') ?? '', b.fields.first('etag') ?? ''))
    return undefined
  if (a.fields.get('content-encoding') !== b.fields.get('content-encoding')) return undefined
  const [low, high] = a.part.first <= b.part.first ? [a, b] : [b, a]
  if (high.part.first > low.part.last + 1) return undefined
  if (high.part.last <= low.part.last) return { part: low.part, bytes: low.bytes }
  const keep = high.part.first - low.part.first
  const bytes = new Uint8Array(keep + high.bytes.length)
  bytes.set(low.bytes.subarray(0, keep), 0)
  bytes.set(high.bytes, keep)
  return { part: { first: low.part.first, last: high.part.last, total: low.part.total }, bytes }
}

/** A part with its bytes and its fields. */
export interface StoredPart {
  readonly part: Part
  readonly bytes: Uint8Array
  readonly fields: Fields
}

function wantedOf(spec: RangeSpec, part: Part, length: number): ByteRange | undefined {
  const held = part.first + length - 1
  const atEnd = part.last === part.total - 1
  if ('suffix' in spec) {
    if (!atEnd || spec.suffix === 0) return undefined
    return { first: held - spec.suffix + 1, last: held }
  }
  if (spec.first >= part.total) return undefined
  const last = Math.min(spec.last ?? part.total - 1, part.total - 1)
  return { first: spec.first, last: atEnd && last > held ? held : last }
}
