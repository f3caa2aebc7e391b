/**
 * multipart/byteranges: several pieces of a stored body in one answer (RFC 9110 section 14.6).
 *
 * Floor 1, room rules. Pure; copies the pieces once.
 */
import { formatContentRange } from './partial.ts'
import type { ByteRange } from './range.ts'

/**
 * @param body the whole representation
 * @param ranges pieces, in the order asked for
 * @param detail the representation's Content-Type, and a boundary that does not occur in the body
 */
export function multipartRanges(
  body: Uint8Array,
  ranges: readonly ByteRange[],
  detail: { readonly contentType: string | undefined; readonly boundary: string },
): Uint8Array {
  const type = detail.contentType === undefined ? '' : `Content-Type: ${detail.contentType}\r\n`
  const pieces: Uint8Array[] = []
  for (const range of ranges) {
    const head = `\r\n--${detail.boundary}\r\n${type}Content-Range: ${formatContentRange(range, body.length)}\r\n\r\n`
    pieces.push(Buffer.from(head, 'latin1'), body.subarray(range.first, range.last + 1))
  }
  pieces.push(Buffer.from(`\r\n--${detail.boundary}--\r\n`, 'latin1'))
  return Buffer.concat(pieces)
}

/** A boundary that does not occur in the body. @param seed any text that differs from body to body */
export function boundaryFor(body: Uint8Array, seed: string): string {
  const haystack = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  for (let i = 0; ; i += 1) {
    const boundary = `forecache_${seed.replace(/[^0-9A-Za-z]/g, '').slice(0, 24)}_${i}`
    if (!haystack.includes(boundary)) return boundary
  }
}
