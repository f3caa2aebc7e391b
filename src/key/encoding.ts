/**
 * The offered content coding that a request takes.
 *
 * Floor 1, room key. RFC 9110 section 12.5.3: weights, `*`, `identity;q=0`; among equal weights the first offered wins.
 * `chooseEncoding` is about what an origin may be asked for, `chooseCoding` about what is there.
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

/**
 * Chooses among representations that stand ready.
 *
 * @param accept Accept-Encoding's value; undefined when absent: identity then, as for a value that does not parse
 * @param available codings in order of preference, smallest body first; `identity` where the body stands without one
 * @returns one of the available; undefined when none of them is acceptable, then any answer is better than 406
 */
export function chooseCoding<C extends string>(accept: string | undefined, available: readonly C[]): C | undefined {
  const members = accept === undefined ? undefined : parseWeighted(accept)
  if (members === undefined) return available.find((coding) => coding === 'identity')
  const weights = new Map(members.map(({ name, weight }) => [codingName(name), weight]))
  const rest = weights.get('*')
  let best: C | undefined
  let bestWeight = 0
  for (const coding of available) {
    const weight = weights.get(coding) ?? rest ?? (coding === 'identity' ? UNNAMED_IDENTITY : 0)
    if (weight <= bestWeight) continue
    best = coding
    bestWeight = weight
  }
  return best
}

/** Identity is acceptable without being named, behind everything that is (thousandths). */
const UNNAMED_IDENTITY = 0.5
