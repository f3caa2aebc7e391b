/**
 * What running Lua code asks for: fields, calls, arithmetic, comparison, metamethods.
 *
 * Floor 3, room lua. Errors bear the line that runs and the name of what is wrong, as Lua 5.1 words them. Time is bounded:
 * every call and every turn of a loop counts, and now and then the clock is asked.
 */
import { parseNumber, printNumber } from './number.ts'
import { LuaTable } from './table.ts'
import { isTrue, LuaError, LuaFunction, LuaOpaque, LuaTimeout, type LuaValue, typeName } from './value.ts'

const MOST_DEPTH = 1000
const MOST_CHAIN = 100
const STEPS = 4096

/** See the module's header. */
export class Machine {
  readonly globals = new LuaTable()
  /** Metatable of all strings. */
  stringMeta: LuaTable | undefined
  /** Name of the chunk in messages. */
  chunk = 'user_script'
  /** Line that each running function has reached. */
  readonly lines: number[] = [0]
  depth = 0
  readonly #isOver: () => boolean
  #steps = 0

  /** @param isOver time is up: the script ends by LuaTimeout */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver
  }

  /** One step of a loop or a call. */
  step(): void {
    this.#steps += 1
    if ((this.#steps & (STEPS - 1)) === 0 && this.#isOver()) throw new LuaTimeout('the script ran for too long')
  }

  /** An error at the line that runs. */
  fail(message: string): LuaError {
    const line = this.lines[this.depth] ?? 0
    return new LuaError(line > 0 ? `${this.chunk}:${line}: ${message}` : message, line)
  }

  metamethod(value: LuaValue, event: string): LuaValue {
    if (value instanceof LuaTable) return value.metatable?.get(event)
    return typeof value === 'string' ? this.stringMeta?.get(event) : undefined
  }

  index(object: LuaValue, key: LuaValue, what?: string): LuaValue {
    let holder = object
    for (let hops = 0; hops < MOST_CHAIN; hops += 1) {
      if (holder instanceof LuaTable) {
        const found = holder.get(key)
        if (found !== undefined || holder.metatable === undefined) return found
      }
      const handler = this.metamethod(holder, '__index')
      if (handler === undefined) {
        if (holder instanceof LuaTable) return undefined
        throw this.fail(`attempt to index ${what ?? `a ${typeName(holder)} value`}`.replace('%t', typeName(holder)))
      }
      if (handler instanceof LuaFunction) return this.call(handler, [holder, key])[0]
      holder = handler
    }
    throw this.fail('loop in gettable')
  }

  setIndex(object: LuaValue, key: LuaValue, given: { readonly value: LuaValue; readonly what?: string }): void {
    let holder = object
    for (let hops = 0; hops < MOST_CHAIN; hops += 1) {
      const handler = this.metamethod(holder, '__newindex')
      if (holder instanceof LuaTable && (handler === undefined || holder.get(key) !== undefined)) {
        return this.setRaw(holder, key, given.value)
      }
      if (handler === undefined) {
        throw this.fail(`attempt to index ${given.what ?? `a ${typeName(holder)} value`}`.replace('%t', typeName(holder)))
      }
      if (handler instanceof LuaFunction) {
        this.call(handler, [holder, key, given.value])
        return
      }
      holder = handler
    }
    throw this.fail('loop in settable')
  }

  setRaw(table: LuaTable, key: LuaValue, value: LuaValue): void {
    if (table.isFrozen) throw this.fail('Attempt to modify a readonly table')
    if (key === undefined) throw this.fail('table index is nil')
    if (typeof key === 'number' && Number.isNaN(key)) throw this.fail('table index is NaN')
    table.set(key, value)
  }

  /** @param what is called, for a message: `global 'x'` */
  call(callee: LuaValue, args: LuaValue[], what?: string): LuaValue[] {
    if (callee instanceof LuaFunction) {
      if (this.depth >= MOST_DEPTH) throw this.fail('stack overflow')
      this.step()
      return callee.call(args)
    }
    const handler = this.metamethod(callee, '__call')
    if (handler === undefined) {
      throw this.fail(`attempt to call ${what ?? 'a %t value'}`.replace('%t', typeName(callee)))
    }
    return this.call(handler, [callee, ...args])
  }

  arithmetic(operator: string, a: LuaValue, b: LuaValue): LuaValue {
    const [x, y] = [toNumber(a), toNumber(b)]
    if (x !== undefined && y !== undefined) return compute(operator, x, y)
    const event = EVENTS[operator] as string
    const handler = this.metamethod(a, event) ?? this.metamethod(b, event)
    if (handler === undefined) return undefined
    return this.call(handler, [a, b])[0]
  }

  canCompute(operator: string, a: LuaValue, b: LuaValue): boolean {
    if (toNumber(a) !== undefined && toNumber(b) !== undefined) return true
    const event = EVENTS[operator] as string
    return (this.metamethod(a, event) ?? this.metamethod(b, event)) !== undefined
  }

  concat(a: LuaValue, b: LuaValue): LuaValue | null {
    const [x, y] = [textOf(a), textOf(b)]
    if (x !== undefined && y !== undefined) return x + y
    const handler = this.metamethod(a, '__concat') ?? this.metamethod(b, '__concat')
    return handler === undefined ? null : this.call(handler, [a, b])[0]
  }

  equals(a: LuaValue, b: LuaValue): boolean {
    if (a === b) return true
    if (!(a instanceof LuaTable) || !(b instanceof LuaTable)) return false
    const handler = this.metamethod(a, '__eq')
    return handler !== undefined && handler === this.metamethod(b, '__eq') && isTrue(this.call(handler, [a, b])[0])
  }

  isLess(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a < b
    if (typeof a === 'string' && typeof b === 'string') return a < b
    return this.#compare('__lt', a, b)
  }

  isAtMost(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a <= b
    if (typeof a === 'string' && typeof b === 'string') return a <= b
    if (
      this.metamethod(a, '__le') === undefined &&
      this.metamethod(b, '__le') === undefined &&
      this.metamethod(b, '__lt') !== undefined
    ) {
      return !this.isLess(b, a)
    }
    return this.#compare('__le', a, b)
  }

  length(value: LuaValue, what?: string): number {
    if (typeof value === 'string') return value.length
    if (value instanceof LuaTable) return value.length
    throw this.fail(`attempt to get length of ${what ?? 'a %t value'}`.replace('%t', typeName(value)))
  }

  tostring(value: LuaValue): string {
    const handler = this.metamethod(value, '__tostring')
    if (handler !== undefined) return String(this.call(handler, [value])[0])
    return plainText(value)
  }

  #compare(event: string, a: LuaValue, b: LuaValue): boolean {
    const handler = this.metamethod(a, event)
    if (handler !== undefined && handler === this.metamethod(b, event)) return isTrue(this.call(handler, [a, b])[0])
    const [one, other] = [typeName(a), typeName(b)]
    throw this.fail(one === other ? `attempt to compare two ${one} values` : `attempt to compare ${one} with ${other}`)
  }
}

const EVENTS: Readonly<Record<string, string>> = {
  '+': '__add',
  '-': '__sub',
  '*': '__mul',
  '/': '__div',
  '%': '__mod',
  '^': '__pow',
}

function compute(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      return a - Math.floor(a / b) * b
    default:
      return a ** b
  }
}

/** As arithmetic takes it: a number, or a text that is one. */
export function toNumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? parseNumber(value) : undefined
}

/** As concatenation takes it. */
export function textOf(value: LuaValue): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? printNumber(value) : undefined
}

const ids = new WeakMap<object, number>()
let lastId = 0x0055_5500

/** `tostring` without metamethods. */
export function plainText(value: LuaValue): string {
  if (value === undefined) return 'nil'
  if (value instanceof LuaOpaque) return `userdata: ${value.name}`
  if (typeof value === 'object') {
    const id = ids.get(value) ?? (lastId += 16)
    ids.set(value, id)
    return `${typeName(value)}: 0x${id.toString(16).padStart(12, '0')}`
  }
  return textOf(value) ?? String(value)
}
