/**
 * EVAL, EVALSHA, their kin that only read, and SCRIPT.
 *
 * Floor 4, room resp.
 */
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, refuseAs, wrongSubcommand } from './embedded-errors.ts'
import { help } from './embedded-help.ts'
import type { Server } from './embedded-server.ts'
import { ScriptEngine } from './script-engine.ts'

const SHA_LENGTH = 40
const engines = new WeakMap<Server, ScriptEngine>()

/** The engine of a server; made when the first script comes. */
function engineOf({ server }: Call): ScriptEngine {
  const found = engines.get(server) ?? new ScriptEngine(server)
  engines.set(server, found)
  return found
}

function evaluate(call: Call, isReadOnly: boolean): void {
  if (call.session.isInScript) throw refuse('This Redis command is not allowed from script')
  const isSha = call.command.name.startsWith('evalsha')
  if (isSha && call.arg(1).length !== SHA_LENGTH) throw REFUSED.noScript
  const keyCount = call.int(2)
  if (keyCount > call.count - 3) throw refuse("Number of keys can't be greater than number of args")
  if (keyCount < 0) throw refuse("Number of keys can't be negative")
  const engine = engineOf(call)
  const sha = isSha ? call.arg(1).toLowerCase() : engine.load(call.arg(1))
  engine.run(call, { sha, keys: call.args.slice(3, 3 + keyCount), args: call.args.slice(3 + keyCount), isReadOnly })
}

function exists(call: Call): void {
  const engine = engineOf(call)
  call.out.array(call.count - 2)
  for (let i = 2; i < call.count; i += 1) call.out.integer(engine.has(call.arg(i)) ? 1 : 0)
}

function flush(call: Call): void {
  const isPlain = call.count === 2 || (call.count === 3 && (call.is(2, 'sync') || call.is(2, 'async')))
  if (!isPlain) throw refuse('SCRIPT FLUSH only support SYNC|ASYNC option')
  engineOf(call).flush()
  call.out.ok()
}

export const SCRIPT_COMMANDS: Readonly<Record<string, Handler>> = {
  eval: (call) => evaluate(call, false),
  eval_ro: (call) => evaluate(call, true),
  evalsha: (call) => evaluate(call, false),
  evalsha_ro: (call) => evaluate(call, true),
  script: () => undefined,
  'script debug': (call) => {
    if (call.is(2, 'no')) return call.out.ok()
    if (call.is(2, 'yes') || call.is(2, 'sync')) throw refuse('scripts cannot be debugged here')
    throw refuse('Use SCRIPT DEBUG YES/SYNC/NO')
  },
  'script exists': exists,
  'script flush': flush,
  'script help': help,
  'script kill': (call) => {
    if (call.count !== 2) throw wrongSubcommand(call.arg(1), 'SCRIPT')
    throw refuseAs('NOTBUSY No scripts in execution right now.')
  },
  'script load': (call) => call.out.str(engineOf(call).load(call.arg(2))),
}
