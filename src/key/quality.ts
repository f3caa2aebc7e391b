/**
 * Lists with weights: Accept-Encoding and Accept-Language.
 *
 * Floor 1, room key. RFC 9110 section 12.4.2. What does not parse is left as it came, so that it matches only itself.
 */

/** One member of a weighted list. */
export interface Weighted {
  /** Lower-cased coding or language range. */
  readonly name: string
  /** 0 to 1 in thousandths. */
  readonly weight: number
}

const MEMBER = /^([a-z0-9!#$%&'*+.^_`|~-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i
const MAX_MEMBERS = 64

/** @returns undefined when the value is no weighted list, or is longer than anybody's */
export function parseWeighted(value: string): Weighted[] | undefined {
  const members: Weighted[] = []
  for (const part of value.split(',')) {
    const text = part.trim()
    if (text === '') continue
    const match = MEMBER.exec(text)
    if (match === null || members.length === MAX_MEMBERS) return undefined
    members.push({
      name: (match[1] as string).toLowerCase(),
      weight: match[2] === undefined ? 1000 : Math.round(Number(match[2]) * 1000),
    })
  }
  return members
}
