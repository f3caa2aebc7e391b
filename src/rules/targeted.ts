/**
 * Targeted Cache-Control (RFC 9213): which field speaks to this cache, and what it says.
 *
 * Floor 1, room rules. Pure, never throws. Targeted fields are structured dictionaries: one that does not parse, or is
 * empty, counts as absent; the first valid one in the target list replaces Cache-Control and Expires altogether.
 */
import { parseDictionary } from 'structured-headers'
import type { Fields } from '../model/fields.ts'
import { type CacheControl, draftDirectives, parseCacheControl, readDirective } from './cache-control.ts'

/** Target list of this cache, most specific first. */
export const TARGETS: readonly string[] = ['forecache-cache-control', 'cdn-cache-control']

/** The directives that govern a response here. */
export interface Governing {
  readonly control: CacheControl
  /** The field they came from, lower-cased. */
  readonly field: string
  /** True when a targeted field governs: Cache-Control, Expires and Pragma are then not looked at. */
  readonly targeted: boolean
}

/**
 * @param fields a response's fields
 * @param targets target list, most specific first
 * @see RFC 9213 section 2.2
 */
export function governingControl(fields: Fields, targets: readonly string[] = TARGETS): Governing {
  for (const field of targets) {
    const value = fields.get(field)
    const control = value === undefined ? undefined : parseTargeted(value)
    if (control !== undefined) return { control, field, targeted: true }
  }
  return { control: parseCacheControl(fields.get('cache-control')), field: 'cache-control', targeted: false }
}

/** @returns the directives, or undefined when the field is empty or no dictionary (RFC 9213 section 2.1) */
export function parseTargeted(value: string): CacheControl | undefined {
  const members = dictionaryOf(value)
  if (members === undefined || members.size === 0) return undefined
  const draft = draftDirectives()
  for (const [name, [given]] of members) {
    if (given === false) continue // "?0": the directive is spelled out as not given
    readDirective(draft, name, argumentOf(name, given))
  }
  return draft
}

function dictionaryOf(value: string): ReturnType<typeof parseDictionary> | undefined {
  try {
    return parseDictionary(value)
  } catch {
    return undefined
  }
}

/** A value of another type than the directive's is not consumed: `max-age="60"` is present and invalid. */
function argumentOf(name: string, given: unknown): string | undefined {
  if (given === true) return undefined
  if (typeof given === 'number') return Number.isInteger(given) ? String(given) : ''
  if (typeof given === 'string' && (name === 'no-cache' || name === 'private')) return given
  return ''
}
