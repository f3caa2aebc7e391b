/**
 * Values of Lua 5.1: nil is undefined, strings are bytes as latin1, every number is a double.
 *
 * Floor 3, room lua.
 */
import { LuaFunction, LuaOpaque, type LuaValue } from './table.ts'

export { LuaFunction, LuaOpaque, type LuaValue } from './table.ts'

/** An error that Lua code raised or that was raised on its behalf; `pcall` catches it. */
export class LuaError extends Error {
  override readonly name = 'LuaError'
  readonly value: LuaValue
  /** Line of the script where it came up; 0: not known. */
  readonly line: number

  constructor(value: LuaValue, line = 0) {
    super(typeof value === 'string' ? value : 'a value that is no text')
    this.value = value
    this.line = line
  }
}

/** The script ran for too long: nothing in Lua catches it. */
export class LuaTimeout extends Error {
  override readonly name = 'LuaTimeout'
}

/** `type()`. */
export function typeName(value: LuaValue): string {
  switch (typeof value) {
    case 'undefined':
      return 'nil'
    case 'boolean':
    case 'number':
    case 'string':
      return typeof value
    default:
      if (value instanceof LuaOpaque) return 'userdata'
      return value instanceof LuaFunction ? 'function' : 'table'
  }
}

export function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false
}
