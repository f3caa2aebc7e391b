/**
 * The library `redis` that scripts call commands by.
 *
 * Floor 4, room resp. What is refused, and how, is as in Redis 7.0 (script.c, script_lua.c).
 */
import { createHash } from 'node:crypto'
import { type Args, installLibrary, type Native } from '../lua/library.ts'
import type { Machine } from '../lua/machine.ts'
import { LuaTable } from '../lua/table.ts'
import { LuaError, type LuaValue } from '../lua/value.ts'
import type { Command } from './embedded-call.ts'
import { REFUSED } from './embedded-errors.ts'
import { formatDouble } from '../wire/resp-double.ts'
import { Reply } from './embedded-reply.ts'
import type { Server } from './embedded-server.ts'
import type { Session } from './embedded-session.ts'
import { ReplyReader, single } from './script-values.ts'

/** A script that runs. */
export interface ScriptRun {
  /** Its own: SELECT in a script does not last. */
  readonly session: Session
  readonly isReadOnly: boolean
  /** Memory was full when it began, and it has no leave to go on. */
  readonly isShort: boolean
  /** It has changed something. */
  hasWritten: boolean
  /** RESP version of what it gets. */
  speaks: 2 | 3
}

/** What the library needs. */
export interface ScriptHost {
  readonly server: Server
  readonly machine: Machine
  readonly running: ScriptRun | undefined
}

const VERSION_NUMBER = 0x00070000 + 15

/** An error as scripts see it: a table with `err`. */
function failure(text: string): LuaTable {
  return single('err', text)
}

function argumentsOf({ values }: Args): string[] | undefined {
  const texts: string[] = []
  for (const value of values) {
    if (typeof value === 'string') texts.push(value)
    else if (typeof value === 'number') texts.push(formatDouble(value))
    else return undefined
  }
  return texts
}

/** Why a command may not run. */
function refusal(run: ScriptRun, command: Command | undefined, args: readonly string[]): string | undefined {
  if (command === undefined) return 'ERR Unknown Redis command called from script'
  const { arity, flags } = command
  if ((arity > 0 && arity !== args.length) || args.length < -arity) {
    return 'ERR Wrong number of args calling Redis command from script'
  }
  if (flags.has('noscript')) return 'ERR This Redis command is not allowed from script'
  if (run.isReadOnly && (command.isWrite || MAY_REPLICATE.has(command.name))) {
    return 'ERR Write commands are not allowed from read-only scripts.'
  }
  return run.isShort && !run.hasWritten && command.deniesMemory ? REFUSED.noMemory.message : undefined
}

const MAY_REPLICATE = new Set(['publish', 'spublish', 'pfcount', 'eval', 'evalsha', 'fcall'])

/** @param out used again by every command */
function call(host: ScriptHost, args: Args, out: Reply): LuaValue {
  const { running: run, server } = host
  const { runner } = server
  if (run === undefined || runner === undefined)
    return failure('ERR redis.call/pcall can only be called inside a script invocation')
  if (args.count === 0) return failure('ERR Please specify at least one argument for this redis lib call')
  const texts = argumentsOf(args)
  if (texts === undefined) return failure('ERR Lua redis lib command arguments must be strings or integers')
  const command = runner.find(texts) as Command | undefined
  const refused = refusal(run, command, texts)
  if (refused !== undefined || command === undefined) return failure(refused ?? '')
  if (command.isWrite) run.hasWritten = true
  out.version = run.speaks
  run.session.version = run.speaks
  runner.execute(run.session, texts, out)
  return new ReplyReader(out.take()).take()
}

function isFailure(value: LuaValue): boolean {
  return value instanceof LuaTable && typeof value.get('err') === 'string'
}

function errorReply(args: Args): LuaValue {
  const given = args.at(0)
  if (args.count !== 1 || typeof given !== 'string') return failure('ERR wrong number or type of arguments')
  const text = (given.startsWith('-') ? given.slice(1) : given).replace(/[\r\n]+$/, '')
  return failure(text.includes(' ') ? text : `ERR ${text}`)
}

function statusReply(args: Args): LuaValue {
  const given = args.at(0)
  if (args.count !== 1 || typeof given !== 'string') return failure('ERR wrong number or type of arguments')
  return single('ok', given)
}

function setVersion(host: ScriptHost, args: Args): LuaValue[] {
  if (args.count !== 1) throw raised(args, 'redis.setresp() requires one argument.')
  const version = args.number(0)
  if (version !== 2 && version !== 3) throw raised(args, 'RESP version must be 2 or 3.')
  if (host.running !== undefined) host.running.speaks = version
  return []
}

function raised({ machine }: Args, text: string): LuaError {
  return new LuaError(failure(`ERR ${text}`), machine.lines[machine.depth])
}

function log(args: Args): LuaValue[] {
  if (args.count < 2)
    throw new LuaError(failure('ERR redis.log() requires two arguments or more.'), args.machine.lines[args.machine.depth])
  if (typeof args.at(0) !== 'number') {
    throw new LuaError(failure('ERR First argument must be a number (log level).'), args.machine.lines[args.machine.depth])
  }
  return []
}

/** See the module's header. */
export function installRedis(host: ScriptHost, more: Readonly<Record<string, Native>>): void {
  const { machine } = host
  const out = new Reply()
  const functions: Readonly<Record<string, Native>> = {
    breakpoint: () => [false],
    call: (args) => {
      const value = call(host, args, out)
      if (isFailure(value)) throw new LuaError(value, machine.lines[machine.depth])
      return [value]
    },
    debug: () => [],
    error_reply: (args) => [errorReply(args)],
    log,
    pcall: (args) => [call(host, args, out)],
    replicate_commands: () => [true],
    set_repl: () => [],
    setresp: (args) => setVersion(host, args),
    sha1hex: (args) => [sha1(args.text(0))],
    status_reply: (args) => [statusReply(args)],
  }
  const library = installLibrary(machine, 'redis', { ...functions, ...more })
  const constants = {
    LOG_DEBUG: 0,
    LOG_VERBOSE: 1,
    LOG_NOTICE: 2,
    LOG_WARNING: 3,
    REPL_NONE: 0,
    REPL_SLAVE: 2,
    REPL_REPLICA: 2,
    REPL_AOF: 1,
    REPL_ALL: 3,
  }
  for (const [name, value] of Object.entries(constants)) library.set(name, value)
  library.set('REDIS_VERSION', '7.0.15')
  library.set('REDIS_VERSION_NUM', VERSION_NUMBER)
}

/** @param text bytes as latin1 */
export function sha1(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('hex')
}
