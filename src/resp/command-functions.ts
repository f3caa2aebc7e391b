/**
 * FUNCTION, FCALL and FCALL_RO.
 *
 * Floor 4, room resp.
 */
import { isInteger64 } from '../keyspace/integer.ts'
import type { Call, Handler } from './embedded-call.ts'
import { refuse, refuseAs, wrongSubcommand } from './embedded-errors.ts'
import { isMatch } from './embedded-glob.ts'
import { help } from './embedded-help.ts'
import type { Server } from './embedded-server.ts'
import { FunctionLibraries, type Library } from './script-functions.ts'

const kept = new WeakMap<Server, FunctionLibraries>()

function librariesOf({ server }: Call): FunctionLibraries {
  const found = kept.get(server) ?? new FunctionLibraries(server)
  kept.set(server, found)
  return found
}

function run(call: Call, isReadOnly: boolean): void {
  const libraries = librariesOf(call)
  const name = call.arg(1)
  if (!libraries.functions.has(name)) throw refuse('Function not found')
  if (!isInteger64(call.arg(2))) throw refuse('Bad number of keys provided')
  const keyCount = Number(call.arg(2))
  if (keyCount > call.count - 3) throw refuse("Number of keys can't be greater than number of args")
  if (keyCount < 0) throw refuse("Number of keys can't be negative")
  libraries.call(call, name, { keys: call.args.slice(3, 3 + keyCount), args: call.args.slice(3 + keyCount), isReadOnly })
}

function load(call: Call): void {
  let replaces = false
  for (let i = 2; i < call.count - 1; i += 1) {
    if (!call.is(i, 'replace')) throw refuse(`Unknown option given: ${call.arg(i)}`)
    replaces = true
  }
  call.out.str(librariesOf(call).load(call.arg(call.count - 1), replaces))
}

function remove(call: Call): void {
  if (!librariesOf(call).delete(call.arg(2))) throw refuse('Library not found')
  call.out.ok()
}

function flush(call: Call): void {
  if (call.count > 3 || (call.count === 3 && !call.is(2, 'sync') && !call.is(2, 'async'))) {
    throw refuse('FUNCTION FLUSH only supports SYNC|ASYNC option')
  }
  librariesOf(call).clear()
  call.out.ok()
}

function list(call: Call): void {
  let pattern: string | undefined
  let withCode = false
  for (let i = 2; i < call.count; i += 1) {
    if (call.is(i, 'withcode') && !withCode) withCode = true
    else if (call.is(i, 'libraryname') && pattern === undefined) {
      i += 1
      if (i >= call.count) throw refuse('library name argument was not given')
      pattern = call.arg(i)
    } else throw refuse(`Unknown argument ${call.arg(i)}`)
  }
  const shown = [...librariesOf(call).libraries.values()].filter(({ name }) => pattern === undefined || isMatch(pattern, name))
  call.out.array(shown.length)
  for (const library of shown) describe(call, library, withCode)
}

function describe({ out }: Call, { name, code, functions }: Library, withCode: boolean): void {
  out.map(withCode ? 4 : 3)
  for (const text of ['library_name', name, 'engine', 'LUA', 'functions']) out.str(text)
  out.array(functions.length)
  for (const one of functions) {
    out.map(3)
    out.str('name')
    out.str(one.name)
    out.str('description')
    out.strOrNull(one.description)
    out.str('flags')
    out.setOf(one.flags)
  }
  if (!withCode) return
  out.str('library_code')
  out.str(code)
}

function stats(call: Call): void {
  const { libraries, functions } = librariesOf(call)
  const { out } = call
  out.map(2)
  out.str('running_script')
  out.null()
  out.str('engines')
  out.map(1)
  out.str('LUA')
  out.map(2)
  out.str('libraries_count')
  out.integer(libraries.size)
  out.str('functions_count')
  out.integer(functions.size)
}

export const FUNCTION_COMMANDS: Readonly<Record<string, Handler>> = {
  fcall: (call) => run(call, false),
  fcall_ro: (call) => run(call, true),
  function: () => undefined,
  'function delete': remove,
  'function flush': flush,
  'function help': help,
  'function kill': (call) => {
    if (call.count !== 2) throw wrongSubcommand(call.arg(1), 'FUNCTION')
    throw refuseAs('NOTBUSY No scripts in execution right now.')
  },
  'function list': list,
  'function load': load,
  'function stats': stats,
}
