/**
 * Which trailer fields may be passed on.
 *
 * Floor 5, room server. Pure. A trailer never frames, routes, authenticates or controls caching (RFC 9110 section 6.5.1):
 * such fields are dropped, and nothing from a trailer is ever merged into a head.
 */
import { Fields } from '../model/fields.ts'

const FORBIDDEN: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'forwarded',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'last-modified',
  'location',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'retry-after',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
  'via',
  'warning',
  'www-authenticate',
])

/** @returns the fields that may be sent as trailers; undefined when none is left */
export function trailerFields(fields: Fields): Fields | undefined {
  const kept: string[] = []
  for (const [name, value] of fields) {
    if (!FORBIDDEN.has(name) && !name.startsWith('x-forwarded-')) kept.push(name, value)
  }
  return kept.length === 0 ? undefined : Fields.fromRaw(kept)
}
