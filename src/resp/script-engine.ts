/**
 * Scripts of the embedded mode: kept by their SHA-1, run one at a time.
 *
 * Floor 4, room resp. A script ends by force after `lua-time-limit`: nobody could say SCRIPT KILL while it runs. The oldest
 * scripts are forgotten beyond a bound; clients then get NOSCRIPT and send them again.
 */
import { caught, messageOf } from '../lua/base-library.ts'
import { compileLua } from '../lua/compile.ts'
import type { Native } from '../lua/library.ts'
import type { Machine } from '../lua/machine.ts'
import { createSandbox, shutGlobals } from '../lua/sandbox.ts'
import { LuaTable } from '../lua/table.ts'
import { LuaError, LuaFunction, LuaTimeout, type LuaValue } from '../lua/value.ts'
import type { Call } from './embedded-call.ts'
import { refuse, refuseAs } from './embedded-errors.ts'
import { Session } from './embedded-session.ts'
import type { Server } from './embedded-server.ts'
import { installRedis, type ScriptRun, sha1 } from './script-redis.ts'
import { readFlags, type ScriptFlags } from './script-flags.ts'
import { writeValue } from './script-values.ts'

const MOST_SCRIPTS = 10_000

interface Script {
  readonly run: LuaFunction
  readonly flags: ScriptFlags
}

/** What scripts and functions differ in. */
export interface ScriptDialect {
  readonly chunk: string
  readonly functions: Readonly<Record<string, Native>>
}

const SCRIPTS: ScriptDialect = { chunk: 'user_script', functions: {} }

/** One run as a command asks for it. */
export interface ScriptWish {
  readonly sha: string
  readonly keys: readonly string[]
  readonly args: readonly string[]
  /** EVAL_RO and EVALSHA_RO. */
  readonly isReadOnly: boolean
}

/** What is to be run, however it came to be. */
export interface Performance {
  /** For messages: the script's SHA-1, or the function's name. */
  readonly name: string
  readonly flags: ScriptFlags
  readonly isReadOnly: boolean
  invoke(): LuaValue[]
}

/** See the module's header. */
export class ScriptEngine {
  readonly server: Server
  readonly machine: Machine
  running: ScriptRun | undefined
  readonly #scripts = new Map<string, Script>()
  #startedAt = 0

  /** @param own the name of chunks in messages, and what the library `redis` has beside */
  constructor(server: Server, own: ScriptDialect = SCRIPTS) {
    this.server = server
    this.machine = createSandbox({
      isOver: () => this.#isOver(),
      cpuSeconds: () => process.cpuUsage().user / 1e6,
      seed: server.random() * 2 ** 32,
    })
    this.machine.chunk = own.chunk
    installRedis(this, own.functions)
    this.#softenCatching()
    shutGlobals(this.machine)
  }

  get size(): number {
    return this.#scripts.size
  }

  has(sha: string): boolean {
    return this.#scripts.has(sha)
  }

  flush(): void {
    this.#scripts.clear()
  }

  /** Compiles and keeps a script. @returns its SHA-1 @throws where it is no Lua */
  load(source: string): string {
    const sha = sha1(source)
    if (this.#scripts.has(sha)) return sha
    const { flags, bytes } = readFlags(source)
    let run: LuaFunction
    try {
      this.machine.lines[0] = 0
      run = compileLua(source.slice(bytes), this.machine)
    } catch (error) {
      if (!(error instanceof LuaError)) throw error
      throw refuse(`Error compiling script (new function): ${messageOf(error.value)}`)
    }
    this.#scripts.set(sha, { run, flags })
    if (this.#scripts.size > MOST_SCRIPTS) {
      const [oldest] = this.#scripts.keys()
      if (oldest !== undefined) this.#scripts.delete(oldest)
    }
    return sha
  }

  /** Runs a script that is kept, and answers. */
  run(call: Call, wish: ScriptWish): void {
    const script = this.#scripts.get(wish.sha)
    if (script === undefined) throw refuseAs('NOSCRIPT No matching script. Please use EVAL.')
    const { machine } = this
    this.perform(call, {
      name: wish.sha,
      flags: script.flags,
      isReadOnly: wish.isReadOnly,
      invoke: () => {
        machine.globals.set('KEYS', arrayOf(wish.keys))
        machine.globals.set('ARGV', arrayOf(wish.args))
        return script.run.call([])
      },
    })
  }

  /** Runs something and answers. @throws where it may not run, or fails */
  perform(call: Call, given: Performance): void {
    const { server } = this
    const { flags } = given
    if (flags.isDeclared && !flags.noWrites && given.isReadOnly)
      throw refuse('Can not execute a script with write flag using *_ro command.')
    const isFull = server.space.isOver
    if (isFull && flags.isDeclared && !flags.allowsOom) {
      throw refuseAs("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'")
    }
    const session = new Session(call.session.peer, call.db, true)
    session.mayNotWait = true
    session.isInScript = true
    session.tracking = call.session.tracking
    session.mayCache = call.session.mayCache
    const isReadOnly = given.isReadOnly || (flags.isDeclared && flags.noWrites)
    this.running = { session, isReadOnly, isShort: isFull && !flags.allowsOom, hasWritten: false, speaks: 2 }
    try {
      this.#answer(call, given)
    } finally {
      this.running = undefined
    }
  }

  /** Time counts from now on. */
  begin(): void {
    this.machine.depth = 0
    this.machine.lines[0] = 0
    this.#startedAt = this.server.clock.now()
  }

  #answer({ out }: Call, { name, invoke }: Performance): void {
    const { machine } = this
    this.begin()
    try {
      const [value] = invoke()
      writeValue(out, value, { speaks: this.running?.speaks ?? 2 })
    } catch (error) {
      if (error instanceof LuaTimeout)
        throw refuse(`Error running script (call to ${name}): Script killed by user with SCRIPT KILL.`)
      const line = error instanceof LuaError ? error.line : (machine.lines[machine.depth] ?? 0)
      throw refuseAs(describe(caught(error), `script: ${name}, on @${machine.chunk}`, line))
    } finally {
      machine.depth = 0
    }
  }

  #isOver(): boolean {
    const limit = this.server.settings.number('lua-time-limit')
    return limit > 0 && this.server.clock.now() - this.#startedAt > limit
  }

  /** `pcall` gives the text of a failed command, not its table. */
  #softenCatching(): void {
    const { globals } = this.machine
    const plain = globals.get('pcall') as LuaFunction
    const soft = new LuaFunction('pcall', (given) => {
      const result = plain.call(given)
      const [isGood, value] = result
      if (isGood === false && value instanceof LuaTable) {
        const text = value.get('err')
        if (typeof text === 'string') return [false, text]
      }
      return result
    })
    globals.set('pcall', soft)
  }
}

/** KEYS and ARGV. */
export function arrayOf(texts: readonly string[]): LuaTable {
  const table = new LuaTable()
  for (const text of texts) table.push(text)
  return table
}

/** @param where the script, behind which the line is told */
function describe(value: LuaValue, where: string, line: number): string {
  const given = value instanceof LuaTable ? value.get('err') : `ERR ${messageOf(value)}`
  const text = typeof given === 'string' ? given : 'ERR unknown error'
  return line > 0 ? `${text} ${where}:${line}.` : text
}
