/**
 * One cookie's value out of a request.
 *
 * Floor 1, room key. RFC 6265 section 5.4. A cookie sent twice has no single value: origins disagree on which counts.
 */
import type { Fields } from '../model/fields.ts'

/** The cookie came more than once. */
export const AMBIGUOUS = Symbol('ambiguous')

/** @returns the value, undefined when the cookie is absent, AMBIGUOUS when it comes more than once */
export function readCookie(fields: Fields, name: string): string | undefined | typeof AMBIGUOUS {
  if (!fields.has('cookie')) return undefined
  let found: string | undefined
  for (const line of fields.all('cookie')) {
    if (line.indexOf(name) < 0) continue
    for (const part of line.split(';')) {
      const equals = part.indexOf('=')
      if (equals < 0 || part.slice(0, equals).trim() !== name) continue
      if (found !== undefined) return AMBIGUOUS
      found = part.slice(equals + 1).trim()
    }
  }
  return found
}
