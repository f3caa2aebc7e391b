/**
 * What libraries of Lua have in common: their tables, and how arguments are checked.
 *
 * Floor 3, room lua. Messages are those of Lua 5.1's auxiliary library.
 */
import { type Machine, textOf, toNumber } from './machine.ts'
import { LuaTable } from './table.ts'
import { LuaFunction, type LuaValue, typeName } from './value.ts'

/** A function of a library. */
export type Native = (args: Args) => LuaValue[]

/** Arguments of a call, checked as they are asked for. */
export class Args {
  readonly values: LuaValue[]
  readonly machine: Machine
  readonly #name: string

  constructor(values: LuaValue[], machine: Machine, name: string) {
    this.values = values
    this.machine = machine
    this.#name = name
  }

  get count(): number {
    return this.values.length
  }

  /** From 0. */
  at(i: number): LuaValue {
    return this.values[i]
  }

  /** @throws `bad argument` unless something stands there */
  any(i: number): LuaValue {
    if (i >= this.values.length) throw this.bad(i, 'value expected')
    return this.values[i]
  }

  number(i: number, otherwise?: number): number {
    const value = this.values[i]
    if (value === undefined && otherwise !== undefined) return otherwise
    const number = toNumber(value)
    if (number === undefined) throw this.#wrong(i, 'number')
    return number
  }

  /** A number without its fraction. */
  integer(i: number, otherwise?: number): number {
    return Math.trunc(this.number(i, otherwise))
  }

  text(i: number, otherwise?: string): string {
    const value = this.values[i]
    if (value === undefined && otherwise !== undefined) return otherwise
    const text = textOf(value)
    if (text === undefined) throw this.#wrong(i, 'string')
    return text
  }

  table(i: number): LuaTable {
    const value = this.values[i]
    if (!(value instanceof LuaTable)) throw this.#wrong(i, 'table')
    return value
  }

  callable(i: number): LuaValue {
    const value = this.values[i]
    if (!(value instanceof LuaFunction)) throw this.#wrong(i, 'function')
    return value
  }

  bad(i: number, reason: string): Error {
    return this.machine.fail(`bad argument #${i + 1} to '${this.#name}' (${reason})`)
  }

  #wrong(i: number, expected: string): Error {
    return this.bad(i, `${expected} expected, got ${i < this.values.length ? typeName(this.values[i]) : 'no value'}`)
  }
}

/** Puts functions into a table. */
export function install(machine: Machine, table: LuaTable, functions: Readonly<Record<string, Native>>): LuaTable {
  for (const [name, run] of Object.entries(functions)) {
    table.set(name, new LuaFunction(name, (values) => run(new Args(values, machine, name))))
  }
  return table
}

/** A library as a global table. */
export function installLibrary(machine: Machine, name: string, functions: Readonly<Record<string, Native>>): LuaTable {
  const table = install(machine, new LuaTable(), functions)
  machine.globals.set(name, table)
  return table
}
