/**
 * Lists, tokens and quoted strings of field values (RFC 9110 section 5.6), robust against what real servers send.
 *
 * Floor 1, room rules. Pure and linear in the length of the value; never throws.
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const DIGITS = /^\d+$/

/** Largest delta-seconds kept apart from "very long" (RFC 9111 section 1.2.2: 2^31 stands for anything beyond). */
export const MAX_DELTA_SECONDS = 2 ** 31

/** Whether the text is a token (RFC 9110 section 5.6.2). */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Optional white space (space and tab only) cut from both ends. */
export function trimOws(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isOws(text.charCodeAt(from))) from += 1
  while (to > from && isOws(text.charCodeAt(to - 1))) to -= 1
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

/** What `splitList` found. */
export interface ListMembers {
  /** Members with outer white space cut; empty ones left out (RFC 9110 section 5.6.1.2). */
  readonly members: readonly string[]
  /** A quoted string was opened and never closed: what stands behind the quote cannot be trusted. */
  readonly broken: boolean
}

/**
 * Splits a combined field value at commas outside quoted strings.
 *
 * @param value all lines of the field combined with commas
 */
export function splitList(value: string): ListMembers {
  const members: string[] = []
  let from = 0
  let quoted = false
  for (let i = 0; i < value.length; i += 1) {
    const char = value.charCodeAt(i)
    if (quoted) {
      if (char === 0x5c) i += 1
      else if (char === 0x22) quoted = false
    } else if (char === 0x22) quoted = true
    else if (char === 0x2c) {
      push(members, value.slice(from, i))
      from = i + 1
    }
  }
  push(members, value.slice(from))
  return { members, broken: quoted }
}

/** A quoted string's content with escapes resolved; undefined when the text is not exactly one quoted string. */
export function unquote(text: string): string | undefined {
  if (text.length < 2 || text[0] !== '"' || text[text.length - 1] !== '"') return undefined
  let content = ''
  for (let i = 1; i < text.length - 1; i += 1) {
    if (text[i] === '"') return undefined
    if (text[i] === '\\') {
      i += 1
      if (i === text.length - 1) return undefined
    }
    content += text[i]
  }
  return content
}

/**
 * Delta-seconds (RFC 9111 section 1.2.2): digits alone; beyond 2^31 counts as 2^31.
 *
 * @returns whole seconds, or undefined when the text is anything else
 */
export function parseDeltaSeconds(text: string): number | undefined {
  if (!DIGITS.test(text)) return undefined
  return Math.min(Number(text), MAX_DELTA_SECONDS)
}

/** Field names of a list such as `Connection`, `Vary` or `no-cache="…"`: lower-cased; undefined when one is no token. */
export function parseFieldNames(value: string): string[] | undefined {
  const names = new Set<string>()
  for (const member of value.split(',')) {
    const name = trimOws(member)
    if (name === '') continue
    if (!isToken(name)) return undefined
    names.add(name.toLowerCase())
  }
  return [...names]
}

function isOws(char: number): boolean {
  return char === 0x20 || char === 0x09
}

function push(members: string[], text: string): void {
  const member = trimOws(text)
  if (member !== '') members.push(member)
}
