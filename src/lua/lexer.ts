/**
 * Words of Lua 5.1 source.
 *
 * Floor 3, room lua. Source and texts are bytes as latin1.
 */
import { parseNumber } from './number.ts'
import { LuaError } from './value.ts'

/** One word. */
export interface Token {
  readonly kind: 'name' | 'keyword' | 'symbol' | 'text' | 'number' | 'end'
  /** As it stands in the source; of a text its content. */
  readonly text: string
  readonly number: number
  readonly line: number
}

const KEYWORDS = new Set(
  'and break do else elseif end false for function if in local nil not or repeat return then true until while'.split(' '),
)
const SYMBOLS = ['...', '..', '==', '~=', '<=', '>=', ...'+-*/%^#<>=(){}[];:,.']
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /(?:0[xX][0-9a-fA-F]*|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]*)?)[A-Za-z0-9_.]*/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\n': '\n' }

/** See the module's header. */
export class Lexer {
  readonly #source: string
  readonly #chunk: string
  #at = 0
  #line = 1

  /** @param chunk name in messages */
  constructor(source: string, chunk: string) {
    this.#source = source
    this.#chunk = chunk
    if (source.startsWith('#')) this.#at = Math.max(0, source.indexOf('\n'))
  }

  next(): Token {
    this.#skip()
    const source = this.#source
    if (this.#at >= source.length) return this.#token('end', '<eof>')
    const char = source[this.#at] as string
    NAME.lastIndex = this.#at
    const name = NAME.exec(source)?.[0]
    if (name !== undefined) {
      this.#at += name.length
      return this.#token(KEYWORDS.has(name) ? 'keyword' : 'name', name)
    }
    NUMBER.lastIndex = this.#at
    const number = NUMBER.exec(source)?.[0]
    if (number !== undefined) return this.#number(number)
    if (char === '"' || char === "'") return this.#quoted(char)
    const level = char === '[' ? this.#bracketLevel(this.#at) : -1
    if (level >= 0) return this.#token('text', this.#long(level))
    const symbol = SYMBOLS.find((known) => source.startsWith(known, this.#at))
    if (symbol === undefined) throw this.fail(`unexpected symbol near '${shown(char)}'`)
    this.#at += symbol.length
    return this.#token('symbol', symbol)
  }

  /** An error at the present line, or another. */
  fail(message: string, line = this.#line): LuaError {
    return new LuaError(`${this.#chunk}:${line}: ${message}`, line)
  }

  #token(kind: Token['kind'], text: string, number = 0): Token {
    return { kind, text, number, line: this.#line }
  }

  #number(text: string): Token {
    this.#at += text.length
    const value = parseNumber(text)
    if (value === undefined) throw this.fail(`malformed number near '${text}'`)
    return this.#token('number', text, value)
  }

  #skip(): void {
    const source = this.#source
    for (;;) {
      const char = source[this.#at]
      if (char === '\n') this.#line += 1
      if (char !== undefined && ' \t\n\r\v\f'.includes(char)) this.#at += 1
      else if (char === '-' && source[this.#at + 1] === '-') this.#comment()
      else return
    }
  }

  #comment(): void {
    this.#at += 2
    const level = this.#source[this.#at] === '[' ? this.#bracketLevel(this.#at) : -1
    if (level >= 0) {
      this.#long(level)
      return
    }
    const end = this.#source.indexOf('\n', this.#at)
    this.#at = end < 0 ? this.#source.length : end
  }

  /** Level of a long bracket that opens here, -1: none does. */
  #bracketLevel(at: number): number {
    let level = 0
    while (this.#source[at + 1 + level] === '=') level += 1
    return this.#source[at + 1 + level] === '[' ? level : -1
  }

  #long(level: number): string {
    const open = this.#at + level + 2
    const close = `]${'='.repeat(level)}]`
    const end = this.#source.indexOf(close, open)
    if (end < 0) throw this.fail("unfinished long string near '<eof>'")
    const text = this.#source.slice(open, end)
    this.#at = end + close.length
    for (const char of text) if (char === '\n') this.#line += 1
    return text.replaceAll('\r\n', '\n').replace(/^\n/, '')
  }

  #quoted(quote: string): Token {
    const source = this.#source
    const begun = this.#at
    let text = ''
    for (this.#at += 1; ; ) {
      const char = source[this.#at]
      if (char === undefined) throw this.fail("unfinished string near '<eof>'")
      if (char === '\n') throw this.fail(`unfinished string near '${source.slice(begun, this.#at)}'`)
      this.#at += 1
      if (char === quote) return this.#token('text', text)
      text += char === '\\' ? this.#escape() : char
    }
  }

  #escape(): string {
    const source = this.#source
    const char = source[this.#at] ?? ''
    if (/[0-9]/.test(char)) {
      const digits = (/^[0-9]{1,3}/.exec(source.slice(this.#at, this.#at + 3)) as RegExpExecArray)[0]
      this.#at += digits.length
      if (Number(digits) > 255) throw this.fail(`escape sequence too large near '\\${digits}'`)
      return String.fromCharCode(Number(digits))
    }
    this.#at += 1
    if (char === '\n') this.#line += 1
    return ESCAPES[char] ?? char
  }
}

function shown(char: string): string {
  const code = char.charCodeAt(0)
  return code < 32 ? `char(${code})` : char
}
