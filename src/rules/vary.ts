/**
 * Vary: which request fields select among variants, and when two requests select the same (RFC 9111 section 4.1).
 *
 * Floor 1, room rules. Pure. Values are compared as they are, lines combined; only Accept-Encoding and Accept-Language
 * are brought to a normal form that keeps their meaning. In doubt two requests differ.
 */
import type { Fields } from '../model/fields.ts'
import { parseFieldNames, splitList, trimOws } from './list.ts'

/** Names beyond which a Vary is treated as `*`. */
export const MAX_VARY_NAMES = 16

/** Sorted, lower-cased names; `*` when no request can be known to select the same. */
export type VaryNames = readonly string[] | '*'

/** How values are brought together. `strict`: the safe profile. `loose`: also white space and language order. */
export type VaryForm = 'strict' | 'loose'

/** @param fields of a response; a name that is no token makes it `*` */
export function parseVary(fields: Fields): VaryNames {
  const value = fields.get('vary')
  if (value === undefined) return []
  const names = parseFieldNames(value)
  if (names === undefined || names.includes('*') || names.length > MAX_VARY_NAMES) return '*'
  return names.sort()
}

/**
 * The values a request gives for selecting fields, in the order of `names`; '' is a value, null is absence.
 */
export function selectingValues(names: readonly string[], request: Fields, form: VaryForm): (string | null)[] {
  return names.map((name) => {
    const value = request.get(name)
    if (value === undefined) return null
    if (name === 'accept-encoding') return normalizeAccepted(value, true)
    if (name === 'accept-language') return normalizeAccepted(value, form === 'loose')
    return form === 'loose' ? splitText(value) : trimOws(value)
  })
}

/** One text for a set of names and values that no other set has: the key of a variant. */
export function variantText(names: readonly string[], values: readonly (string | null)[]): string {
  return JSON.stringify(names.map((name, i) => [name, values[i] ?? null]))
}

/**
 * Whether a stored variant, written in one language, is what a request with this Accept-Language would be given: the
 * language is named with q=1 and nothing else is. Used by the conformance profile alone.
 */
export function selectsLanguage(request: Fields, stored: Fields): boolean {
  const language = stored.get('content-language')?.trim().toLowerCase()
  const accepted = readAccepted(request.get('accept-language') ?? '')
  if (language === undefined || language.includes(',') || accepted === undefined) return false
  const best = accepted.filter(([, quality]) => quality === 1)
  return best.length === 1 && best[0]?.[0] === language
}

/** `gzip;q=1.0 , BR` → `br,gzip`; what does not parse stays as it is. */
function normalizeAccepted(value: string, sorted: boolean): string {
  const accepted = readAccepted(value)
  if (accepted === undefined) return trimOws(value)
  const texts = accepted.map(([name, quality]) => (quality === 1 ? name : `${name};q=${quality}`))
  return (sorted ? texts.sort() : texts).join(',')
}

function readAccepted(value: string): (readonly [name: string, quality: number])[] | undefined {
  const accepted: (readonly [string, number])[] = []
  for (const member of value.split(',')) {
    const text = trimOws(member).toLowerCase()
    if (text === '') continue
    const match = /^([a-z0-9*!#$%&'+.^_`|~-]+)(?:[ \t]*;[ \t]*q=([01](?:\.\d{0,3})?))?$/.exec(text)
    const quality = match?.[2] === undefined ? 1 : Number(match[2])
    if (match === null || quality > 1) return undefined
    accepted.push([match[1] as string, quality])
  }
  return accepted
}

/** White space around commas outside quotations has no meaning in a list. */
function splitText(value: string): string {
  const { members, broken } = splitList(value)
  return broken ? trimOws(value) : members.join(',')
}
