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
import { installPacking } from './struct-library.ts'
import { installString } from './string-library.ts'
import { LuaTable } from './table.ts'
import { LuaFunction } from './value.ts'
import { installTable } from './table-library.ts'

/** What a sandbox is given of the world. */
export interface SandboxParts {
  /** Time is up for the running script. */
  isOver(): boolean
  /** `os.clock()`. */
  cpuSeconds(): number
  /** Of `math.random`. */
  readonly seed: number
}

export function createSandbox({ isOver, cpuSeconds, seed }: SandboxParts): Machine {
  const machine = new Machine(isOver)
  installBase(machine)
  installString(machine)
  installTable(machine)
  installMath(machine, seed)
  installJson(machine)
  installPacking(machine)
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
