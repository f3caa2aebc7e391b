/**
 * Makes closures of expressions.
 *
 * Floor 3, room lua. A closure takes the frame of the running function and gives a value, or all values of a call.
 */
import type { Machine } from './machine.ts'
import type { Expression, FunctionTree, Local } from './syntax.ts'
import { LuaTable } from './table.ts'
import { isTrue, type LuaFunction, type LuaValue, typeName } from './value.ts'

/** A variable that functions share. */
export interface Box {
  value: LuaValue
}

/** One running function. */
export interface Frame {
  /** Locals by slot; captured ones are boxes. */
  readonly slots: (LuaValue | Box)[]
  readonly upvalues: readonly Box[]
  readonly rest: readonly LuaValue[]
}

export type Evaluate = (frame: Frame) => LuaValue
export type EvaluateAll = (frame: Frame) => LuaValue[]

/** Makes functions: the part that statements belong to. */
export type MakeFunction = (tree: FunctionTree) => (frame: Frame) => LuaFunction

/** See the module's header. */
export class ExpressionCompiler {
  readonly machine: Machine
  readonly #makeFunction: MakeFunction

  constructor(machine: Machine, makeFunction: MakeFunction) {
    this.machine = machine
    this.#makeFunction = makeFunction
  }

  /** One value. */
  one(expression: Expression): Evaluate {
    switch (expression.kind) {
      case 'constant': {
        const { value } = expression
        return () => value
      }
      case 'variadic':
        return (frame) => frame.rest[0]
      case 'local':
        return readLocal(expression.local)
      case 'upvalue': {
        const { index } = expression
        return (frame) => (frame.upvalues[index] as Box).value
      }
      case 'global':
        return this.#global(expression)
      case 'index':
        return this.#index(expression)
      case 'call':
      case 'method': {
        const all = this.all(expression)
        return (frame) => all(frame)[0]
      }
      case 'function':
        return this.#makeFunction(expression.tree)
      case 'binary':
        return this.#binary(expression)
      case 'unary':
        return this.#unary(expression)
      case 'table':
        return this.#table(expression)
      default:
        return this.one(expression.inner)
    }
  }

  /** All values that an expression gives. */
  all(expression: Expression): EvaluateAll {
    if (expression.kind === 'variadic') return (frame) => [...frame.rest]
    if (expression.kind === 'call') return this.#call(expression)
    if (expression.kind === 'method') return this.#method(expression)
    const one = this.one(expression)
    return (frame) => [one(frame)]
  }

  /** Values of a list: the last one gives all it has. */
  list(expressions: readonly Expression[]): EvaluateAll {
    const last = expressions.at(-1)
    if (last === undefined) return () => []
    const ones = expressions.map((expression) => this.one(expression))
    if (last.kind !== 'call' && last.kind !== 'method' && last.kind !== 'variadic') {
      const [only, second] = ones as [Evaluate, Evaluate?]
      if (ones.length === 1) return (frame) => [only(frame)]
      if (ones.length === 2 && second !== undefined) return (frame) => [only(frame), second(frame)]
      return (frame) => ones.map((one) => one(frame))
    }
    const heads = ones.slice(0, -1)
    const tail = this.all(last)
    return (frame) => {
      const values = heads.map((one) => one(frame))
      for (const value of tail(frame)) values.push(value)
      return values
    }
  }

  #global({ name, line }: Extract<Expression, { kind: 'global' }>): Evaluate {
    const { machine } = this
    return () => {
      const found = machine.globals.get(name)
      if (found !== undefined) return found
      machine.lines[machine.depth] = line
      return machine.index(machine.globals, name)
    }
  }

  #index({ object, key, line }: Extract<Expression, { kind: 'index' }>): Evaluate {
    const { machine } = this
    const [holder, place] = [this.one(object), this.one(key)]
    const what = describe(object)
    return (frame) => {
      const table = holder(frame)
      const at = place(frame)
      if (table instanceof LuaTable) {
        const found = table.get(at)
        if (found !== undefined || table.metatable === undefined) return found
      }
      machine.lines[machine.depth] = line
      return machine.index(table, at, what)
    }
  }

  #call({ callee, args, line }: Extract<Expression, { kind: 'call' }>): EvaluateAll {
    const { machine } = this
    const [target, values] = [this.one(callee), this.list(args)]
    const what = describe(callee)
    return (frame) => {
      const called = target(frame)
      const given = values(frame)
      machine.lines[machine.depth] = line
      return machine.call(called, given, what)
    }
  }

  #method({ object, name, args, line }: Extract<Expression, { kind: 'method' }>): EvaluateAll {
    const { machine } = this
    const [holder, values] = [this.one(object), this.list(args)]
    const what = describe(object)
    return (frame) => {
      const self = holder(frame)
      machine.lines[machine.depth] = line
      const called = machine.index(self, name, what)
      const given = values(frame)
      given.unshift(self)
      machine.lines[machine.depth] = line
      return machine.call(called, given, `method '${name}' (a %t value)`)
    }
  }

  #binary({ operator, left, right, line }: Extract<Expression, { kind: 'binary' }>): Evaluate {
    const { machine } = this
    const [a, b] = [this.one(left), this.one(right)]
    const at = <T>(run: () => T): T => {
      machine.lines[machine.depth] = line
      return run()
    }
    switch (operator) {
      case 'and':
        return (frame) => {
          const value = a(frame)
          return isTrue(value) ? b(frame) : value
        }
      case 'or':
        return (frame) => {
          const value = a(frame)
          return isTrue(value) ? value : b(frame)
        }
      case '==':
        return (frame) => machine.equals(a(frame), b(frame))
      case '~=':
        return (frame) => !machine.equals(a(frame), b(frame))
      case '<':
        return (frame) => ((x, y) => at(() => machine.isLess(x, y)))(a(frame), b(frame))
      case '<=':
        return (frame) => ((x, y) => at(() => machine.isAtMost(x, y)))(a(frame), b(frame))
      case '>':
        return (frame) => ((x, y) => at(() => machine.isLess(y, x)))(a(frame), b(frame))
      case '>=':
        return (frame) => ((x, y) => at(() => machine.isAtMost(y, x)))(a(frame), b(frame))
      case '..':
        return this.#concat({ left, right, line })
      default:
        return this.#arithmetic(operator, { left, right, line })
    }
  }

  #concat({ left, right, line }: { readonly left: Expression; readonly right: Expression; readonly line: number }): Evaluate {
    const { machine } = this
    const [a, b] = [this.one(left), this.one(right)]
    return (frame) => {
      const [x, y] = [a(frame), b(frame)]
      if (typeof x === 'string' && typeof y === 'string') return x + y
      machine.lines[machine.depth] = line
      const joined = machine.concat(x, y)
      if (joined !== null) return joined
      const isLeft = typeof x !== 'string' && typeof x !== 'number'
      throw machine.fail(`attempt to concatenate ${named(isLeft ? left : right, isLeft ? x : y)}`)
    }
  }

  #arithmetic(
    operator: string,
    { left, right, line }: { readonly left: Expression; readonly right: Expression; readonly line: number },
  ): Evaluate {
    const { machine } = this
    const [a, b] = [this.one(left), this.one(right)]
    return (frame) => {
      const [x, y] = [a(frame), b(frame)]
      if (typeof x === 'number' && typeof y === 'number') {
        if (operator === '+') return x + y
        if (operator === '-') return x - y
        if (operator === '*') return x * y
      }
      machine.lines[machine.depth] = line
      if (machine.canCompute(operator, x, y)) return machine.arithmetic(operator, x, y)
      const isRight = machine.canCompute(operator, x, 0)
      throw machine.fail(`attempt to perform arithmetic on ${named(isRight ? right : left, isRight ? y : x)}`)
    }
  }

  #unary({ operator, operand, line }: Extract<Expression, { kind: 'unary' }>): Evaluate {
    const { machine } = this
    const value = this.one(operand)
    const what = describe(operand)
    if (operator === 'not') return (frame) => !isTrue(value(frame))
    if (operator === '#') {
      return (frame) => {
        const given = value(frame)
        machine.lines[machine.depth] = line
        return machine.length(given, what)
      }
    }
    return (frame) => {
      const given = value(frame)
      if (typeof given === 'number') return -given
      machine.lines[machine.depth] = line
      const handler = machine.metamethod(given, '__unm')
      if (handler !== undefined) return machine.call(handler, [given, given])[0]
      if (machine.canCompute('-', 0, given)) return machine.arithmetic('-', -0, given)
      throw machine.fail(`attempt to perform arithmetic on ${named(operand, given)}`)
    }
  }

  #table({ items, pairs }: Extract<Expression, { kind: 'table' }>): Evaluate {
    const { machine } = this
    const values = this.list(items)
    const fields = pairs.map(([key, value]) => [this.one(key), this.one(value)] as const)
    return (frame) => {
      const table = new LuaTable()
      for (const [key, value] of fields) machine.setRaw(table, key(frame), value(frame))
      for (const [i, value] of values(frame).entries()) table.set(i + 1, value)
      return table
    }
  }
}

function readLocal({ slot, isCaptured }: Local): Evaluate {
  if (isCaptured) return (frame) => (frame.slots[slot] as Box).value
  return (frame) => frame.slots[slot] as LuaValue
}

/** What an expression is called in messages; `%t` stands for the type of its value. */
export function describe(expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'local':
      return `local '${expression.local.name}' (a %t value)`
    case 'upvalue':
      return `upvalue '${expression.name}' (a %t value)`
    case 'global':
      return `global '${expression.name}' (a %t value)`
    case 'index':
      if (expression.key.kind === 'constant' && typeof expression.key.value === 'string') {
        return `field '${expression.key.value}' (a %t value)`
      }
      return expression.key.kind === 'constant' ? undefined : `field '?' (a %t value)`
    default:
      return undefined
  }
}

function named(expression: Expression, value: LuaValue): string {
  return (describe(expression) ?? 'a %t value').replace('%t', typeName(value))
}
