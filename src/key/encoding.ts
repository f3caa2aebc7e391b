/**
 * The offered content coding that a request takes.
 *
 * Floor 1, room key. RFC 9110 section 12.5.3: weights, `*`, `identity;q=0`; among equal weights the first offered wins.
 */
import { parseWeighted } from './quality.ts'

const ALIASES: Readonly<Record<string, string>> = { 'x-gzip': 'gzip', 'x-compress': 'compress' }

/** The one name of a coding. */
export function codingName(coding: string): string {
  const lower = coding.toLowerCase()
  return Object.hasOwn(ALIASES, lower) ? (ALIASES[lower] as string) : lower
}

/**
 * @param offered codings in order of preference, without `identity`
 * @param accept Accept-Encoding's value; undefined when absent
 * @returns one of the offered, `identity`, or undefined when none is acceptable or the field does not parse
 */
export function chooseEncoding(offered: readonly string[], accept: string | undefined): string | undefined {
  if (accept === undefined) return 'identity'
  const members = parseWeighted(accept)
  if (members === undefined) return undefined
  const weights = new Map(members.map(({ name, weight }) => [codingName(name), weight]))
  const rest = weights.get('*')
  let best: string | undefined
  let bestWeight = 0
  for (const coding of offered) {
    const weight = weights.get(coding) ?? rest ?? 0
    if (weight > bestWeight) {
      best = coding
      bestWeight = weight
    }
  }
  const identity = weights.get('identity') ?? (rest === 0 ? 0 : undefined)
  if (identity !== undefined && identity > bestWeight) return 'identity'
  return best ?? (identity === 0 ? undefined : 'identity')
}
