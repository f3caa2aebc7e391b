/**
 * Makes closures of statements and functions, and runs chunks.
 *
 * Floor 3, room lua. A statement gives nothing, BREAK, or the values that the function returns.
 */
import { type Box, describe, type Evaluate, ExpressionCompiler, type Frame } from './compile-expression.ts'
import type { Machine } from './machine.ts'
import { toNumber } from './machine.ts'
import { parseLua } from './parser.ts'
import type { Expression, FunctionTree, Local, Statement } from './syntax.ts'
import { isTrue, LuaFunction, type LuaValue } from './value.ts'

const BREAK = Symbol('break')
type Outcome = undefined | typeof BREAK | LuaValue[]
type Run = (frame: Frame) => Outcome
type Assign = (frame: Frame, value: LuaValue) => void

/** Reads source and makes a function of it. @throws LuaError where it is no Lua */
export function compileLua(source: string, machine: Machine): LuaFunction {
  const tree = parseLua(source, machine.chunk)
  return new Compiler(machine).function(tree)({ slots: [], upvalues: [], rest: [] })
}

class Compiler {
  readonly #machine: Machine
  readonly #expressions: ExpressionCompiler

  constructor(machine: Machine) {
    this.#machine = machine
    this.#expressions = new ExpressionCompiler(machine, (tree) => this.function(tree))
  }

  function(tree: FunctionTree): (frame: Frame) => LuaFunction {
    const machine = this.#machine
    const body = this.#block(tree.body)
    const { parameters, isVariadic, slots: size, upvalues, name } = tree
    const settle = parameters.map((local) => bind(local))
    return (around) => {
      const boxes = upvalues.map(({ from }) =>
        typeof from === 'number' ? (around.upvalues[from] as Box) : (around.slots[from.slot] as Box),
      )
      return new LuaFunction(name, (args) => {
        const rest = isVariadic ? args.slice(parameters.length) : NOTHING
        const frame: Frame = { slots: new Array<LuaValue | Box>(size), upvalues: boxes, rest }
        for (let i = 0; i < settle.length; i += 1) (settle[i] as Assign)(frame, args[i])
        machine.depth += 1
        machine.lines[machine.depth] = tree.line
        try {
          const outcome = body(frame)
          return Array.isArray(outcome) ? outcome : []
        } finally {
          machine.depth -= 1
        }
      })
    }
  }

  #block(statements: readonly Statement[]): Run {
    const runs = statements.map((statement) => this.#statement(statement))
    const [first, second] = runs as [Run?, Run?]
    if (first === undefined) return () => undefined
    if (second === undefined) return first
    return (frame) => {
      for (let i = 0; i < runs.length; i += 1) {
        const outcome = (runs[i] as Run)(frame)
        if (outcome !== undefined) return outcome
      }
      return undefined
    }
  }

  #statement(statement: Statement): Run {
    switch (statement.kind) {
      case 'locals':
        return this.#locals(statement)
      case 'assign':
        return this.#assign(statement)
      case 'call': {
        const call = this.#expressions.all(statement.call)
        return (frame) => {
          call(frame)
          return undefined
        }
      }
      case 'block':
        return this.#block(statement.body)
      case 'while':
        return this.#while(statement)
      case 'repeat':
        return this.#repeat(statement)
      case 'if':
        return this.#if(statement)
      case 'count':
        return this.#count(statement)
      case 'each':
        return this.#each(statement)
      case 'return':
        return this.#expressions.list(statement.values)
      case 'break':
        return () => BREAK
      default: {
        const [settle, make] = [bind(statement.local), this.function(statement.tree)]
        const { slot, isCaptured } = statement.local
        return (frame) => {
          settle(frame, undefined)
          const made = make(frame)
          if (isCaptured) (frame.slots[slot] as Box).value = made
          else frame.slots[slot] = made
        }
      }
    }
  }

  #locals({ locals, values }: Extract<Statement, { kind: 'locals' }>): Run {
    const settle = locals.map((local) => bind(local))
    const [only] = settle
    const [value] = values
    if (only !== undefined && settle.length === 1 && values.length === 1 && value !== undefined) {
      const evaluate = this.#expressions.one(value)
      return (frame) => {
        only(frame, evaluate(frame))
        return undefined
      }
    }
    const all = this.#expressions.list(values)
    return (frame) => {
      const given = all(frame)
      for (let i = 0; i < settle.length; i += 1) (settle[i] as Assign)(frame, given[i])
    }
  }

  #assign({ targets, values }: Extract<Statement, { kind: 'assign' }>): Run {
    const [target] = targets
    const [value] = values
    if (target !== undefined && targets.length === 1 && value !== undefined && values.length === 1) {
      const [prepare, evaluate] = [this.#target(target), this.#expressions.one(value)]
      return (frame) => {
        const put = prepare(frame)
        put(frame, evaluate(frame))
      }
    }
    const prepares = targets.map((one) => this.#target(one))
    const all = this.#expressions.list(values)
    return (frame) => {
      const puts = prepares.map((prepare) => prepare(frame))
      const given = all(frame)
      for (let i = puts.length - 1; i >= 0; i -= 1) (puts[i] as Assign)(frame, given[i])
    }
  }

  /** Evaluates where to put a value, then puts it. */
  #target(target: Expression): (frame: Frame) => Assign {
    const machine = this.#machine
    if (target.kind === 'local') {
      const { slot, isCaptured } = target.local
      const put: Assign = isCaptured
        ? (frame, value) => void ((frame.slots[slot] as Box).value = value)
        : (frame, value) => void (frame.slots[slot] = value)
      return () => put
    }
    if (target.kind === 'upvalue') {
      const put: Assign = (frame, value) => void ((frame.upvalues[target.index] as Box).value = value)
      return () => put
    }
    if (target.kind === 'global') {
      const put: Assign = (_, value) => {
        machine.lines[machine.depth] = target.line
        machine.setIndex(machine.globals, target.name, { value })
      }
      return () => put
    }
    const { object, key, line } = target as Extract<Expression, { kind: 'index' }>
    const [holder, place] = [this.#expressions.one(object), this.#expressions.one(key)]
    const what = describe(object)
    return (frame) => {
      const [table, at] = [holder(frame), place(frame)]
      return (_, value) => {
        machine.lines[machine.depth] = line
        machine.setIndex(table, at, what === undefined ? { value } : { value, what })
      }
    }
  }

  #while({ condition, body }: Extract<Statement, { kind: 'while' }>): Run {
    const [holds, run] = [this.#expressions.one(condition), this.#block(body)]
    return (frame) => {
      while (isTrue(holds(frame))) {
        this.#machine.step()
        const outcome = run(frame)
        if (outcome === BREAK) return undefined
        if (outcome !== undefined) return outcome
      }
      return undefined
    }
  }

  #repeat({ condition, body }: Extract<Statement, { kind: 'repeat' }>): Run {
    const [holds, run] = [this.#expressions.one(condition), this.#block(body)]
    return (frame) => {
      do {
        this.#machine.step()
        const outcome = run(frame)
        if (outcome === BREAK) return undefined
        if (outcome !== undefined) return outcome
      } while (!isTrue(holds(frame)))
      return undefined
    }
  }

  #if({ branches, otherwise }: Extract<Statement, { kind: 'if' }>): Run {
    const made = branches.map(({ condition, body }) => [this.#expressions.one(condition), this.#block(body)] as const)
    const last = otherwise === undefined ? undefined : this.#block(otherwise)
    return (frame) => {
      for (const [holds, run] of made) if (isTrue(holds(frame))) return run(frame)
      return last?.(frame)
    }
  }

  #count({ local, from, to, step, body, line }: Extract<Statement, { kind: 'count' }>): Run {
    const machine = this.#machine
    const [begin, end] = [this.#expressions.one(from), this.#expressions.one(to)]
    const stride = step === undefined ? (): LuaValue => 1 : this.#expressions.one(step)
    const [settle, run] = [bind(local), this.#block(body)]
    const number = (evaluate: Evaluate, frame: Frame, what: string): number => {
      const value = toNumber(evaluate(frame))
      machine.lines[machine.depth] = line
      if (value === undefined) throw machine.fail(`'for' ${what} must be a number`)
      return value
    }
    return (frame) => {
      const [first, last, by] = [
        number(begin, frame, 'initial value'),
        number(end, frame, 'limit'),
        number(stride, frame, 'step'),
      ]
      for (let i = first; by > 0 ? i <= last : i >= last; i += by) {
        machine.step()
        settle(frame, i)
        const outcome = run(frame)
        if (outcome === BREAK) return undefined
        if (outcome !== undefined) return outcome
      }
      return undefined
    }
  }

  #each({ locals, values, body, line }: Extract<Statement, { kind: 'each' }>): Run {
    const machine = this.#machine
    const all = this.#expressions.list(values)
    const settle = locals.map((local) => bind(local))
    const run = this.#block(body)
    return (frame) => {
      const [next, state, first] = all(frame)
      for (let control = first; ; ) {
        machine.lines[machine.depth] = line
        const given = machine.call(next, [state, control])
        if (given[0] === undefined) return undefined
        control = given[0]
        for (let i = 0; i < settle.length; i += 1) (settle[i] as Assign)(frame, given[i])
        const outcome = run(frame)
        if (outcome === BREAK) return undefined
        if (outcome !== undefined) return outcome
      }
    }
  }
}

const NOTHING: readonly LuaValue[] = []

/** Gives a local its first value; a captured one a new box. */
function bind({ slot, isCaptured }: Local): Assign {
  if (isCaptured) return (frame, value) => void (frame.slots[slot] = { value })
  return (frame, value) => void (frame.slots[slot] = value)
}
