/**
 * Values of Lua 5.1: nil is undefined, strings are bytes as latin1, every number is a double.
 *
 * Floor 3, room lua.
 */
import type { LuaTable } from './table.ts'

export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction | LuaOpaque

/** A value that scripts can only hand on, such as `cjson.null`. */
export class LuaOpaque {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Something that can be called. */
export class LuaFunction {
  readonly name: string
  readonly call: (args: LuaValue[]) => LuaValue[]

  constructor(name: string, call: (args: LuaValue[]) => LuaValue[]) {
    this.name = name
    this.call = call
  }
}

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
