/**
 * Lua's basic functions, as far as scripts in Redis have them.
 *
 * Floor 3, room lua.
 */
import { compileLua } from './compile.ts'
import { type Args, install, type Native } from './library.ts'
import { type Machine, plainText, toNumber } from './machine.ts'
import { LuaTable } from './table.ts'
import { isTrue, LuaError, LuaFunction, type LuaValue, typeName } from './value.ts'

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const MOST_UNPACKED = 8000

function raise(args: Args): never {
  const value = args.at(0)
  const level = args.integer(1, 1)
  const { machine } = args
  const here = machine.lines[machine.depth] ?? 0
  const line = machine.lines[machine.depth - level + 1] ?? 0
  if (typeof value !== 'string' || level <= 0 || line <= 0) throw new LuaError(value, here)
  throw new LuaError(`${machine.chunk}:${line}: ${value}`, here)
}

function protect(machine: Machine, callee: LuaValue, given: LuaValue[]): LuaValue[] {
  const { depth } = machine
  machine.depth += 1
  machine.lines[machine.depth] = 0 // what is called from here has no line of a script
  try {
    return [true, ...machine.call(callee, given)]
  } catch (error) {
    return [false, caught(error)]
  } finally {
    machine.depth = depth
  }
}

/** What `pcall` gives for an error. @throws what Lua cannot catch */
export function caught(error: unknown): LuaValue {
  if (error instanceof LuaError) return error.value
  if (error instanceof RangeError) return 'stack overflow'
  throw error
}

function tonumber(args: Args): LuaValue {
  const base = args.integer(1, 10)
  if (base === 10) return toNumber(args.any(0))
  if (base < 2 || base > 36) throw args.bad(1, 'base out of range')
  const text = args.text(0).trim().toLowerCase()
  const isNegative = text.startsWith('-')
  const digits = (isNegative ? text.slice(1) : text).replace(base === 16 ? /^0x/ : /^(?!)/, '')
  if (digits === '') return undefined
  let value = 0
  for (const digit of digits) {
    const place = DIGITS.indexOf(digit)
    if (place < 0 || place >= base) return undefined
    value = value * base + place
  }
  return isNegative ? -value : value
}

function select(args: Args): LuaValue[] {
  if (args.at(0) === '#') return [args.count - 1]
  const from = args.integer(0)
  if (from < 0) {
    if (-from > args.count - 1) throw args.bad(0, 'index out of range')
    return args.values.slice(args.count + from)
  }
  if (from === 0) throw args.bad(0, 'index out of range')
  return args.values.slice(from)
}

function unpack(args: Args): LuaValue[] {
  const table = args.table(0)
  const from = args.integer(1, 1)
  const to = args.integer(2, table.length)
  if (to - from >= MOST_UNPACKED) throw args.machine.fail('too many results to unpack')
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => table.get(from + i))
}

function load(args: Args): LuaValue[] {
  const { machine } = args
  const former = machine.chunk
  const source = args.text(0)
  try {
    machine.chunk = chunkName(args.text(1, source))
    return [compileLua(source, machine)]
  } catch (error) {
    return [undefined, caught(error)]
  } finally {
    machine.chunk = former
  }
}

function chunkName(given: string): string {
  if (given.startsWith('@') || given.startsWith('=')) return given.slice(1)
  const [first = ''] = given.split('\n')
  return `[string "${first === given && given.length < 45 ? given : `${first.slice(0, 42)}...`}"]`
}

function metatableOf({ machine }: Args, value: LuaValue): LuaTable | undefined {
  if (value instanceof LuaTable) return value.metatable
  return typeof value === 'string' ? machine.stringMeta : undefined
}

function setMetatable(args: Args): LuaValue {
  const table = args.table(0)
  const metatable = args.at(1)
  if (metatable !== undefined && !(metatable instanceof LuaTable)) throw args.bad(1, 'nil or table expected')
  if (table.isFrozen) throw args.machine.fail('Attempt to modify a readonly table')
  if (table.metatable?.get('__metatable') !== undefined) throw args.machine.fail('cannot change a protected metatable')
  table.metatable = metatable
  return table
}

function next(args: Args): LuaValue[] {
  const found = args.table(0).next(args.at(1))
  if (found === false) throw args.machine.fail("invalid key to 'next'")
  return found === undefined ? [undefined] : [found[0], found[1]]
}

const FUNCTIONS: Readonly<Record<string, Native>> = {
  assert: (args) => {
    if (isTrue(args.any(0))) return args.values
    throw args.machine.fail(args.text(1, 'assertion failed!'))
  },
  collectgarbage: () => [0],
  error: raise,
  gcinfo: () => [0, 0],
  getmetatable: (args) => {
    const metatable = metatableOf(args, args.any(0))
    return [metatable?.get('__metatable') ?? metatable]
  },
  load,
  loadstring: load,
  next,
  pcall: (args) => protect(args.machine, args.any(0), args.values.slice(1)),
  rawequal: (args) => [args.any(0) === args.any(1)],
  rawget: (args) => [args.table(0).get(args.at(1))],
  rawset: (args) => {
    args.machine.setRaw(args.table(0), args.any(1), args.at(2))
    return [args.at(0)]
  },
  select,
  setmetatable: (args) => [setMetatable(args)],
  tonumber: (args) => [tonumber(args)],
  tostring: (args) => [args.machine.tostring(args.any(0))],
  type: (args) => [typeName(args.any(0))],
  unpack,
  xpcall: (args) => {
    const result = protect(args.machine, args.any(0), [])
    if (result[0] === true) return result
    return [false, ...args.machine.call(args.at(1), [result[1]])]
  },
}

/** See the module's header. */
export function installBase(machine: Machine): void {
  const { globals } = machine
  install(machine, globals, FUNCTIONS)
  const step = new LuaFunction('next', ([table, key]) => {
    const found = (table as LuaTable).next(key)
    return found === undefined || found === false ? [undefined] : [found[0], found[1]]
  })
  const count = new LuaFunction('ipairs', ([table, i]) => {
    const place = (i as number) + 1
    const value = (table as LuaTable).get(place)
    return value === undefined ? [undefined] : [place, value]
  })
  install(machine, globals, {
    ipairs: (args) => [count, args.table(0), 0],
    pairs: (args) => [step, args.table(0), undefined],
  })
  globals.set('_G', globals)
  globals.set('_VERSION', 'Lua 5.1')
}

/** For messages about what was raised. */
export function messageOf(value: LuaValue): string {
  return plainText(value)
}
