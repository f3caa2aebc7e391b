/**
 * A Lua 5.1 as scripts in Redis find it: without files and processes, its globals shut.
 *
 * Floor 3, room lua. Nothing that a script does outlives it, but what the host's own functions do.
 */
import { installBase } from './base-library.ts'
import { installJson } from './json-library.ts'
import { installLibrary } from './library.ts'
import { Machine } from './machine.ts'
import { installMath } from './math-library.ts'
import { installMsgpack } from './msgpack-library.ts'
import { installString } from './string-library.ts'
import { installStruct } from './struct-library.ts'
import { LuaTable } from './table.ts'
import { LuaFunction } from './value.ts'
import { installTable } from './table-library.ts'

/** @param isOver time is up for the running script */
export function createSandbox(isOver: () => boolean, cpuSeconds: () => number): Machine {
  const machine = new Machine(isOver)
  installBase(machine)
  installString(machine)
  installTable(machine)
  installMath(machine)
  installJson(machine)
  installMsgpack(machine)
  installStruct(machine)
  installLibrary(machine, 'os', { clock: () => [cpuSeconds()] })
  return machine
}

/** From now on unknown globals are errors, and none can be made. */
export function shutGlobals(machine: Machine): void {
  const { globals } = machine
  const metatable = new LuaTable()
  metatable.set(
    '__index',
    new LuaFunction('__index', ([, name]) => {
      throw machine.fail(`Script attempted to access nonexistent global variable '${machine.tostring(name)}'`)
    }),
  )
  globals.metatable = metatable
  globals.isFrozen = true
  for (const [, value] of globals.entries()) if (value instanceof LuaTable) value.isFrozen = true
}
