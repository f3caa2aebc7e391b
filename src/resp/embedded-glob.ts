/**
 * Patterns as Redis matches them: `*`, `?`, `[a-z]`, `[^a]` and `\`.
 *
 * Floor 4, room resp. Pure. Byte by byte (texts are latin1), with Redis's own ways at the edges: an unclosed bracket ends
 * with the pattern, bytes in a range are signed, nothing but the empty pattern matches the empty text.
 */

interface Search {
  readonly pattern: string
  readonly text: string
  /** A later star found no end: earlier ones need not try. */
  isHopeless: boolean
}

const STAR = 42
const QUESTION = 63
const OPEN = 91
const CLOSE = 93
const ESCAPE = 92
const NOT = 94
const DASH = 45

/** Whether the whole text matches. */
export function isMatch(pattern: string, text: string): boolean {
  return match({ pattern, text, isHopeless: false }, 0, 0)
}

function match(search: Search, fromPattern: number, fromText: number): boolean {
  const { pattern, text } = search
  let p = fromPattern
  let t = fromText
  while (p < pattern.length && t < text.length) {
    const code = pattern.charCodeAt(p)
    if (code === STAR) return matchStar(search, p, t)
    if (code === OPEN) {
      p = matchBracket(search, p + 1, t)
      if (p < 0) return false
    } else if (code !== QUESTION) {
      if (code === ESCAPE && p + 1 < pattern.length) p += 1
      if (pattern.charCodeAt(p) !== text.charCodeAt(t)) return false
    }
    t += 1
    p += 1
    if (t === text.length) {
      while (pattern.charCodeAt(p) === STAR) p += 1
      break
    }
  }
  return p === pattern.length && t === text.length
}

function matchStar(search: Search, at: number, fromText: number): boolean {
  const { pattern, text } = search
  let p = at
  while (pattern.charCodeAt(p + 1) === STAR) p += 1
  if (p === pattern.length - 1) return true
  for (let t = fromText; t < text.length; t += 1) {
    if (match(search, p + 1, t)) return true
    if (search.isHopeless) return false
  }
  search.isHopeless = true
  return false
}

/** @returns place of the bracket's last byte, -1: no match */
function matchBracket({ pattern, text }: Search, from: number, t: number): number {
  let p = from
  const isNot = pattern.charCodeAt(p) === NOT
  if (isNot) p += 1
  const byte = signed(text.charCodeAt(t))
  let isIn = false
  for (; ; p += 1) {
    const left = pattern.length - p
    if (left === 0) {
      p -= 1
      break
    }
    const code = pattern.charCodeAt(p)
    if (code === ESCAPE && left >= 2) {
      p += 1
      if (signed(pattern.charCodeAt(p)) === byte) isIn = true
    } else if (code === CLOSE) {
      break
    } else if (left >= 3 && pattern.charCodeAt(p + 1) === DASH) {
      const [a, b] = [signed(code), signed(pattern.charCodeAt(p + 2))]
      p += 2
      if (byte >= Math.min(a, b) && byte <= Math.max(a, b)) isIn = true
    } else if (signed(code) === byte) {
      isIn = true
    }
  }
  return isIn === isNot ? -1 : p
}

function signed(code: number): number {
  return (code << 24) >> 24
}
