/**
 * Reads Lua 5.1: expressions.
 *
 * Floor 3, room lua.
 */
import { Lexer, type Token } from './lexer.ts'
import { Scope } from './scope.ts'
import type { Expression, FunctionTree, Local, Statement } from './syntax.ts'
import type { LuaError } from './value.ts'

/** How strongly an operator binds to its left and to its right. */
const BINDING: Readonly<Record<string, readonly [left: number, right: number]>> = {
  or: [1, 1],
  and: [2, 2],
  '<': [3, 3],
  '>': [3, 3],
  '<=': [3, 3],
  '>=': [3, 3],
  '~=': [3, 3],
  '==': [3, 3],
  '..': [5, 4],
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
  '%': [7, 7],
  '^': [10, 9],
}
const UNARY = 8
const MOST_NESTED = 200

/** See the module's header. The statements are another's part. */
export abstract class ExpressionParser {
  readonly #lexer: Lexer
  token: Token
  scope = new Scope(undefined)
  #ahead: Token | undefined
  #nested = 0

  constructor(source: string, chunk: string) {
    this.#lexer = new Lexer(source, chunk)
    this.token = this.#lexer.next()
  }

  abstract block(): Statement[]

  advance(): void {
    this.token = this.#ahead ?? this.#lexer.next()
    this.#ahead = undefined
  }

  isKeyword(text: string): boolean {
    return this.token.kind === 'keyword' && this.token.text === text
  }

  /** Takes a symbol if it comes next. */
  accept(text: string): boolean {
    if (this.token.kind !== 'symbol' || this.token.text !== text) return false
    this.advance()
    return true
  }

  expect(text: string): void {
    const { kind } = this.token
    if (this.token.text !== text || (kind !== 'symbol' && kind !== 'keyword')) throw this.near(`'${text}' expected`)
    this.advance()
  }

  expectEnd(what: string, line: number): void {
    if (!this.isKeyword('end')) throw this.unclosed('end', what, line)
    this.advance()
  }

  unclosed(end: string, what: string, line: number): LuaError {
    if (line === this.token.line) return this.near(`'${end}' expected`)
    return this.near(`'${end}' expected (to close '${what}' at line ${line})`)
  }

  near(message: string): LuaError {
    return this.#lexer.fail(`${message} near '${this.token.text}'`, this.token.line)
  }

  name(): string {
    const { kind, text } = this.token
    if (kind !== 'name') throw this.near("'<name>' expected")
    this.advance()
    return text
  }

  expressions(): Expression[] {
    const found = [this.expression()]
    while (this.accept(',')) found.push(this.expression())
    return found
  }

  expression(limit = 0): Expression {
    this.#nested += 1
    if (this.#nested > MOST_NESTED) throw this.#lexer.fail('chunk has too many syntax levels')
    let left = this.#unary()
    for (;;) {
      const { text, kind, line } = this.token
      const binding = kind === 'symbol' || kind === 'keyword' ? BINDING[text] : undefined
      if (binding === undefined || binding[0] <= limit) break
      this.advance()
      left = { kind: 'binary', operator: text, left, right: this.expression(binding[1]), line }
    }
    this.#nested -= 1
    return left
  }

  /** A name or a parenthesis, and what follows it: fields, keys, calls. */
  suffixed(): Expression {
    let found = this.#primary()
    for (;;) {
      const { kind, text, line } = this.token
      if (kind === 'text' || (kind === 'symbol' && (text === '(' || text === '{'))) {
        found = { kind: 'call', callee: found, args: this.#args(), line }
      } else if (kind !== 'symbol') return found
      else if (text === '.') {
        this.advance()
        found = { kind: 'index', object: found, key: { kind: 'constant', value: this.name() }, line }
      } else if (text === '[') {
        this.advance()
        const key = this.expression()
        this.expect(']')
        found = { kind: 'index', object: found, key, line }
      } else if (text === ':') {
        this.advance()
        const name = this.name()
        found = { kind: 'method', object: found, name, args: this.#args(), line }
      } else return found
    }
  }

  functionBody(name: string, isMethod: boolean): FunctionTree {
    const { line } = this.token
    return this.functionTree(name, () => {
      const parameters: Local[] = isMethod ? [this.scope.declare('self')] : []
      this.expect('(')
      while (this.token.text !== ')') {
        if (this.accept('...')) {
          this.scope.isVariadic = true
          break
        }
        parameters.push(this.scope.declare(this.name()))
        if (!this.accept(',')) break
        if (this.token.text === ')') throw this.near("'<name>' expected")
      }
      this.expect(')')
      const body = this.block()
      this.expectEnd('function', line)
      return { parameters, body }
    })
  }

  functionTree(name: string, read: () => Pick<FunctionTree, 'parameters' | 'body'>): FunctionTree {
    const { line } = this.token
    const scope = new Scope(this.scope)
    const around = this.scope
    this.scope = scope
    const parts = read()
    this.scope = around
    return { name, line, ...parts, isVariadic: scope.isVariadic, upvalues: scope.upvalues, slots: scope.slots }
  }

  #unary(): Expression {
    const { kind, text, line } = this.token
    const isOperator = (kind === 'keyword' && text === 'not') || (kind === 'symbol' && (text === '-' || text === '#'))
    if (!isOperator) return this.#simple()
    this.advance()
    return { kind: 'unary', operator: text, operand: this.expression(UNARY), line }
  }

  #simple(): Expression {
    const { kind, text, number } = this.token
    if (kind === 'number') return this.#constant(number)
    if (kind === 'text') return this.#constant(text)
    if (kind === 'keyword') {
      if (text === 'nil') return this.#constant(undefined)
      if (text === 'true' || text === 'false') return this.#constant(text === 'true')
      if (text === 'function') {
        this.advance()
        return { kind: 'function', tree: this.functionBody('anonymous', false) }
      }
    }
    if (kind === 'symbol' && text === '{') return this.#table()
    if (kind === 'symbol' && text === '...') {
      if (!this.scope.isVariadic) throw this.near("cannot use '...' outside a vararg function")
      this.advance()
      return { kind: 'variadic' }
    }
    return this.suffixed()
  }

  #constant(value: undefined | boolean | number | string): Expression {
    this.advance()
    return { kind: 'constant', value }
  }

  #primary(): Expression {
    const { kind, text, line } = this.token
    if (kind === 'name') {
      this.advance()
      return this.scope.resolve(text, line)
    }
    if (kind !== 'symbol' || text !== '(') throw this.near('unexpected symbol')
    this.advance()
    const inner = this.expression()
    if (this.token.text !== ')') throw this.unclosed(')', '(', line)
    this.advance()
    return { kind: 'single', inner }
  }

  #args(): Expression[] {
    const { kind, text, line } = this.token
    if (kind === 'text') return [this.#constant(text)]
    if (text === '{') return [this.#table()]
    this.advance()
    if (this.accept(')')) return []
    const args = this.expressions()
    if (this.token.text !== ')') throw this.unclosed(')', '(', line)
    this.advance()
    return args
  }

  #table(): Expression {
    const { line } = this.token
    const items: Expression[] = []
    const pairs: [Expression, Expression][] = []
    this.expect('{')
    while (this.token.text !== '}' || this.token.kind !== 'symbol') {
      if (this.accept('[')) {
        const key = this.expression()
        this.expect(']')
        this.expect('=')
        pairs.push([key, this.expression()])
      } else if (this.token.kind === 'name' && this.#peek().text === '=' && this.#peek().kind === 'symbol') {
        const key = this.name()
        this.advance()
        pairs.push([{ kind: 'constant', value: key }, this.expression()])
      } else items.push(this.expression())
      if (!this.accept(',') && !this.accept(';')) break
    }
    if (this.token.text !== '}') throw this.unclosed('}', '{', line)
    this.advance()
    return { kind: 'table', items, pairs }
  }

  #peek(): Token {
    this.#ahead ??= this.#lexer.next()
    return this.#ahead
  }
}
