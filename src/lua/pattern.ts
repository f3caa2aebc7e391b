/**
 * Lua's patterns: `%a`, `[a-z]`, `*`, `-`, captures, `%b()`, `%f[set]`.
 *
 * Floor 3, room lua. Texts are bytes as latin1. Steps are counted, so that no pattern runs for ever.
 */
import type { Machine } from './machine.ts'
import type { LuaValue } from './value.ts'

interface Capture {
  start: number
  /** OPEN and POSITION are no lengths. */
  length: number
}

const OPEN = -1
const POSITION = -2
const MOST_CAPTURES = 32
const MOST_NESTED = 200

/** One attempt to match. */
export class Matcher {
  readonly captures: Capture[] = []
  readonly #text: string
  readonly #pattern: string
  readonly #machine: Machine
  #nested = 0

  constructor(machine: Machine, text: string, pattern: string) {
    this.#machine = machine
    this.#text = text
    this.#pattern = pattern
  }

  /** @returns the end of the match, -1: none */
  match(from: number, at: number): number {
    this.#nested += 1
    if (this.#nested > MOST_NESTED) throw this.#machine.fail('pattern too complex')
    try {
      return this.#match(from, at)
    } finally {
      this.#nested -= 1
    }
  }

  /** What a capture holds; the whole match where there are none. */
  capture(i: number, start: number, end: number): LuaValue {
    const found = this.captures[i]
    if (found === undefined) {
      if (i === 0) return this.#text.slice(start, end)
      throw this.#machine.fail('invalid capture index')
    }
    if (found.length === OPEN) throw this.#machine.fail('unfinished capture')
    return found.length === POSITION ? found.start + 1 : this.#text.slice(found.start, found.start + found.length)
  }

  /** All captures, or the whole match where there are none and it is wanted. */
  all(start: number, end: number, wholeIfNone = true): LuaValue[] {
    const count = this.captures.length === 0 && wholeIfNone ? 1 : this.captures.length
    return Array.from({ length: count }, (_, i) => this.capture(i, start, end))
  }

  #match(from: number, at: number): number {
    const [text, pattern] = [this.#text, this.#pattern]
    let [s, p] = [from, at]
    for (;;) {
      this.#machine.step()
      const char = pattern[p]
      if (char === undefined) return s
      if (char === '(') return this.#open(s, p)
      if (char === ')') return this.#close(s, p)
      if (char === '$' && p + 1 === pattern.length) return s === text.length ? s : -1
      if (char === '%' && pattern[p + 1] === 'b') {
        s = this.#balanced(s, p + 2)
        if (s < 0) return -1
        p += 4
        continue
      }
      if (char === '%' && pattern[p + 1] === 'f') {
        const end = this.#frontier(s, p + 2)
        if (end < 0) return -1
        p = end
        continue
      }
      if (char === '%' && /[0-9]/.test(pattern[p + 1] ?? '')) {
        s = this.#again(s, pattern[p + 1] as string)
        if (s < 0) return -1
        p += 2
        continue
      }
      const end = this.#classEnd(p)
      const repeat = pattern[end]
      if (repeat === '?') {
        if (s < text.length && this.#isOne(s, p, end)) {
          const found = this.match(s + 1, end + 1)
          if (found >= 0) return found
        }
        p = end + 1
      } else if (repeat === '*' || repeat === '+') return this.#longest(s, { p, end, least: repeat === '+' ? 1 : 0 })
      else if (repeat === '-') return this.#shortest(s, p, end)
      else {
        if (s >= text.length || !this.#isOne(s, p, end)) return -1
        s += 1
        p = end
      }
    }
  }

  #longest(s: number, { p, end, least }: { readonly p: number; readonly end: number; readonly least: number }): number {
    let count = 0
    while (s + count < this.#text.length && this.#isOne(s + count, p, end)) count += 1
    for (; count >= least; count -= 1) {
      const found = this.match(s + count, end + 1)
      if (found >= 0) return found
    }
    return -1
  }

  #shortest(from: number, p: number, end: number): number {
    for (let s = from; ; s += 1) {
      const found = this.match(s, end + 1)
      if (found >= 0) return found
      if (s >= this.#text.length || !this.#isOne(s, p, end)) return -1
    }
  }

  #open(s: number, p: number): number {
    if (this.captures.length >= MOST_CAPTURES) throw this.#machine.fail('too many captures')
    const isPosition = this.#pattern[p + 1] === ')'
    this.captures.push({ start: s, length: isPosition ? POSITION : OPEN })
    const found = this.match(s, isPosition ? p + 2 : p + 1)
    if (found < 0) this.captures.pop()
    return found
  }

  #close(s: number, p: number): number {
    const open = this.captures.findLast(({ length }) => length === OPEN)
    if (open === undefined) throw this.#machine.fail('invalid pattern capture')
    open.length = s - open.start
    const found = this.match(s, p + 1)
    if (found < 0) open.length = OPEN
    return found
  }

  #balanced(s: number, p: number): number {
    const [open, close] = [this.#pattern[p], this.#pattern[p + 1]]
    if (close === undefined) throw this.#machine.fail('unbalanced pattern')
    if (this.#text[s] !== open) return -1
    for (let i = s + 1, depth = 1; i < this.#text.length; i += 1) {
      const char = this.#text[i]
      if (char === close) {
        depth -= 1
        if (depth === 0) return i + 1
      } else if (char === open) depth += 1
    }
    return -1
  }

  #frontier(s: number, p: number): number {
    if (this.#pattern[p] !== '[') throw this.#machine.fail("missing '[' after '%f' in pattern")
    const end = this.#classEnd(p)
    const before = s === 0 ? 0 : this.#text.charCodeAt(s - 1)
    const here = s < this.#text.length ? this.#text.charCodeAt(s) : 0
    return !this.#isInSet(before, p, end - 1) && this.#isInSet(here, p, end - 1) ? end : -1
  }

  #again(s: number, digit: string): number {
    const found = this.captures[Number(digit) - 1]
    if (found === undefined || found.length === OPEN) throw this.#machine.fail('invalid capture index')
    const text = this.#text.slice(found.start, found.start + Math.max(0, found.length))
    return this.#text.startsWith(text, s) ? s + text.length : -1
  }

  #classEnd(p: number): number {
    const pattern = this.#pattern
    let end = p + 1
    if (pattern[p] === '%') {
      if (end >= pattern.length) throw this.#machine.fail("malformed pattern (ends with '%')")
      return end + 1
    }
    if (pattern[p] !== '[') return end
    if (pattern[end] === '^') end += 1
    do {
      if (end >= pattern.length) throw this.#machine.fail("malformed pattern (missing ']')")
      end += pattern[end] === '%' ? 2 : 1
    } while (pattern[end] !== ']')
    return end + 1
  }

  #isOne(s: number, p: number, end: number): boolean {
    const code = this.#text.charCodeAt(s)
    const char = this.#pattern[p]
    if (char === '.') return true
    if (char === '%') return isInClass(code, this.#pattern[p + 1] as string)
    if (char === '[') return this.#isInSet(code, p, end - 1)
    return this.#pattern.charCodeAt(p) === code
  }

  #isInSet(code: number, p: number, last: number): boolean {
    const pattern = this.#pattern
    const isNot = pattern[p + 1] === '^'
    for (let i = isNot ? p + 2 : p + 1; i < last; i += 1) {
      if (pattern[i] === '%') {
        i += 1
        if (isInClass(code, pattern[i] as string)) return !isNot
      } else if (pattern[i + 1] === '-' && i + 2 < last) {
        if (code >= pattern.charCodeAt(i) && code <= pattern.charCodeAt(i + 2)) return !isNot
        i += 2
      } else if (pattern.charCodeAt(i) === code) return !isNot
    }
    return isNot
  }
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  a: /[A-Za-z]/,
  c: /[^ -~\u0080-\u00ff]/,
  d: /[0-9]/,
  l: /[a-z]/,
  p: /[!-/:-@[-`{-~]/,
  s: /[ \t\n\v\f\r]/,
  u: /[A-Z]/,
  w: /[A-Za-z0-9]/,
  x: /[0-9A-Fa-f]/,
  z: /\0/,
}

function isInClass(code: number, letter: string): boolean {
  const found = CLASSES[letter.toLowerCase()]
  if (found === undefined) return letter.charCodeAt(0) === code
  return found.test(String.fromCharCode(code)) === (letter === letter.toLowerCase())
}
