/**
 * Reads Lua 5.1: statements. Expressions: parse-expression.ts.
 *
 * Floor 3, room lua. Messages are those of Lua 5.1.
 */
import { ExpressionParser } from './parse-expression.ts'
import type { Expression, FunctionTree, Statement } from './syntax.ts'

const BLOCK_ENDS = new Set(['end', 'else', 'elseif', 'until'])

/** @param chunk name in messages @throws LuaError */
export function parseLua(source: string, chunk: string): FunctionTree {
  return new Parser(source, chunk).program()
}

class Parser extends ExpressionParser {
  program(): FunctionTree {
    return this.functionTree('main chunk', () => {
      this.scope.isVariadic = true
      const body = this.block()
      if (this.token.kind !== 'end') throw this.near("'<eof>' expected")
      return { body, parameters: [] }
    })
  }

  override block(): Statement[] {
    this.scope.open()
    const body = this.statements()
    this.scope.close()
    return body
  }

  statements(): Statement[] {
    const body: Statement[] = []
    while (!this.#isOver()) {
      const { kind, text } = this.token
      if (kind === 'keyword' && (text === 'return' || text === 'break')) {
        body.push(this.#last(text))
        this.accept(';')
        if (!this.#isOver()) throw this.near("'<eof>' expected")
        break
      }
      body.push(this.#statement())
      this.accept(';')
    }
    return body
  }

  /** The block ends here. */
  #isOver(): boolean {
    const { kind, text } = this.token
    return kind === 'end' || (kind === 'keyword' && BLOCK_ENDS.has(text))
  }

  #last(text: string): Statement {
    this.advance()
    if (text === 'break') {
      if (this.scope.loops === 0) throw this.near('no loop to break')
      return { kind: 'break' }
    }
    const isBare = this.#isOver() || (this.token.kind === 'symbol' && this.token.text === ';')
    return { kind: 'return', values: isBare ? [] : this.expressions() }
  }

  #statement(): Statement {
    const { kind, text, line } = this.token
    if (kind !== 'keyword') return this.#simple()
    switch (text) {
      case 'if':
        return this.#conditional()
      case 'while': {
        this.advance()
        const condition = this.expression()
        this.expect('do')
        return { kind: 'while', condition, body: this.#loopBody('while', line) }
      }
      case 'do': {
        this.advance()
        const body = this.block()
        this.expectEnd('do', line)
        return { kind: 'block', body }
      }
      case 'for':
        return this.#for()
      case 'repeat':
        return this.#repeat()
      case 'function':
        return this.#function()
      case 'local':
        return this.#local()
      default:
        return this.#simple()
    }
  }

  #loopBody(what: string, line: number): Statement[] {
    this.scope.loops += 1
    const body = this.block()
    this.scope.loops -= 1
    this.expectEnd(what, line)
    return body
  }

  #conditional(): Statement {
    const { line } = this.token
    const branches: { condition: Expression; body: Statement[] }[] = []
    let otherwise: Statement[] | undefined
    do {
      this.advance()
      const condition = this.expression()
      this.expect('then')
      branches.push({ condition, body: this.block() })
    } while (this.isKeyword('elseif'))
    if (this.isKeyword('else')) {
      this.advance()
      otherwise = this.block()
    }
    this.expectEnd('if', line)
    return { kind: 'if', branches, otherwise }
  }

  #repeat(): Statement {
    const { line } = this.token
    this.advance()
    this.scope.open()
    this.scope.loops += 1
    const body = this.statements()
    this.scope.loops -= 1
    if (!this.isKeyword('until')) throw this.unclosed('until', 'repeat', line)
    this.advance()
    const condition = this.expression()
    this.scope.close()
    return { kind: 'repeat', condition, body }
  }

  #for(): Statement {
    const { line } = this.token
    this.advance()
    const first = this.name()
    if (this.token.text === '=') return this.#count(first, line)
    const names = [first]
    while (this.accept(',')) names.push(this.name())
    if (!this.isKeyword('in')) throw this.near("'=' or 'in' expected")
    this.advance()
    const values = this.expressions()
    this.expect('do')
    this.scope.open()
    const locals = names.map((name) => this.scope.declare(name))
    const body = this.#loopBody('for', line)
    this.scope.close()
    return { kind: 'each', locals, values, body, line }
  }

  #count(name: string, line: number): Statement {
    this.advance()
    const from = this.expression()
    this.expect(',')
    const to = this.expression()
    const step = this.accept(',') ? this.expression() : undefined
    this.expect('do')
    this.scope.open()
    const local = this.scope.declare(name)
    const body = this.#loopBody('for', line)
    this.scope.close()
    return { kind: 'count', local, from, to, step, body, line }
  }

  #function(): Statement {
    const { line } = this.token
    this.advance()
    let name = this.name()
    let target = this.scope.resolve(name, line)
    let isMethod = false
    while (!isMethod && (this.token.text === '.' || this.token.text === ':')) {
      isMethod = this.token.text === ':'
      this.advance()
      const key = this.name()
      name = `${name}${isMethod ? ':' : '.'}${key}`
      target = { kind: 'index', object: target, key: { kind: 'constant', value: key }, line }
    }
    const tree = this.functionBody(name, isMethod)
    return { kind: 'assign', targets: [target], values: [{ kind: 'function', tree }] }
  }

  #local(): Statement {
    this.advance()
    if (this.isKeyword('function')) {
      this.advance()
      const name = this.name()
      const local = this.scope.declare(name)
      return { kind: 'localFunction', local, tree: this.functionBody(name, false) }
    }
    const names = [this.name()]
    while (this.accept(',')) names.push(this.name())
    const values = this.accept('=') ? this.expressions() : []
    const locals = names.map((name) => this.scope.declare(name))
    return { kind: 'locals', locals, values }
  }

  #simple(): Statement {
    const first = this.suffixed()
    if (first.kind === 'call' || first.kind === 'method') {
      if (this.token.text !== '=' && this.token.text !== ',') return { kind: 'call', call: first }
    }
    const targets = [first]
    while (this.accept(',')) targets.push(this.suffixed())
    if (targets.some(({ kind }) => kind === 'call' || kind === 'method' || kind === 'single')) throw this.near('syntax error')
    if (this.token.text !== '=' || this.token.kind !== 'symbol') throw this.near("'=' expected")
    this.advance()
    return { kind: 'assign', targets, values: this.expressions() }
  }
}
