/**
 * Lua's `table`.
 *
 * Floor 3, room lua.
 */
import { type Args, installLibrary, type Native } from './library.ts'
import { type Machine, textOf } from './machine.ts'
import { isTrue, type LuaValue, typeName } from './value.ts'

function concat(args: Args): LuaValue[] {
  const table = args.table(0)
  const separator = args.text(1, '')
  const [from, to] = [args.integer(2, 1), args.integer(3, table.length)]
  const parts: string[] = []
  for (let i = from; i <= to; i += 1) {
    const text = textOf(table.get(i))
    if (text === undefined)
      throw args.machine.fail(`invalid value (${typeName(table.get(i))}) at index ${i} in table for 'concat'`)
    parts.push(text)
  }
  return [parts.join(separator)]
}

function insert(args: Args): LuaValue[] {
  const table = args.table(0)
  check(args)
  if (args.count === 2) table.push(args.at(1))
  else if (args.count === 3) {
    const place = args.integer(1)
    if (place >= 1 && place <= table.length) table.insert(place, args.at(2))
    else args.machine.setRaw(table, place, args.at(2))
  } else throw args.machine.fail("wrong number of arguments to 'insert'")
  return []
}

function remove(args: Args): LuaValue[] {
  const table = args.table(0)
  check(args)
  const size = table.length
  const place = args.integer(1, size)
  if (place < 1 || place > size) return []
  return [table.remove(place)]
}

function check(args: Args): void {
  if (args.table(0).isFrozen) throw args.machine.fail('Attempt to modify a readonly table')
}

function sort(args: Args): LuaValue[] {
  const table = args.table(0)
  check(args)
  const { machine } = args
  const compare = args.at(1)
  if (compare !== undefined) args.callable(1)
  const isLess = (a: LuaValue, b: LuaValue): boolean =>
    compare === undefined ? machine.isLess(a, b) : isTrue(machine.call(compare, [a, b])[0])
  table.sort((a, b) => (isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0))
  return []
}

function greatest(args: Args): LuaValue[] {
  let most = 0
  for (const [key] of args.table(0).entries()) if (typeof key === 'number' && key > most) most = key
  return [most]
}

function each(args: Args): LuaValue[] {
  for (const [key, value] of args.table(0).entries()) {
    const result = args.machine.call(args.callable(1), [key, value])
    if (result[0] !== undefined) return result
  }
  return []
}

function eachItem(args: Args): LuaValue[] {
  const table = args.table(0)
  for (let i = 1; i <= table.length; i += 1) {
    const result = args.machine.call(args.callable(1), [i, table.get(i)])
    if (result[0] !== undefined) return result
  }
  return []
}

const FUNCTIONS: Readonly<Record<string, Native>> = {
  concat,
  foreach: each,
  foreachi: eachItem,
  getn: (args) => [args.table(0).length],
  insert,
  maxn: greatest,
  remove,
  sort,
}

/** See the module's header. */
export function installTable(machine: Machine): void {
  installLibrary(machine, 'table', FUNCTIONS)
}
