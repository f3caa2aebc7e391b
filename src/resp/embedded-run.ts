/**
 * Runs commands: what Redis checks before each, what is queued, what waits, and what a change sets going.
 *
 * Floor 4, room resp. The order of the checks is Redis 7.0's (server.c, processCommand), since it decides which of several
 * errors a client sees.
 */
import { KeyspaceFull } from '../keyspace/full.ts'
import type { Waiting } from '../keyspace/waiting.ts'
import { Call, type Command, type Wait } from './embedded-call.ts'
import { REFUSED, Refusal, refuse, untilZero, wrongCount } from './embedded-errors.ts'
import { keysOf } from './embedded-key-specs.ts'
import { feedMonitors } from './embedded-monitor.ts'
import { leaveChannels } from './embedded-publish.ts'
import { Reply } from './embedded-reply.ts'
import type { Runner, Server } from './embedded-server.ts'
import type { Parked, Session } from './embedded-session.ts'

/** Commands that are run, not queued, between MULTI and EXEC. */
const NOT_QUEUED = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset'])
/** Commands that may be sent between MULTI and EXEC though memory is full. */
const NEVER_FULL = new Set(['exec', 'discard', 'quit', 'reset'])
/** What a subscriber of RESP2 may send. */
const FOR_SUBSCRIBERS = new Set([
  'ping',
  'subscribe',
  'ssubscribe',
  'unsubscribe',
  'sunsubscribe',
  'psubscribe',
  'punsubscribe',
  'quit',
  'reset',
])
const SHOWN = 128

/** See the module's header. */
export class CommandRunner implements Runner {
  readonly catalog: ReadonlyMap<string, Command>
  readonly #server: Server
  readonly #aside = new Reply()
  #running: { readonly session: Session; readonly out: Reply } | undefined

  constructor(server: Server, catalog: ReadonlyMap<string, Command>) {
    this.#server = server
    this.catalog = catalog
  }

  get current(): Session | undefined {
    return this.#running?.session
  }

  /** A command as it came from a client. @param args used by the command: not to be changed later */
  process(session: Session, args: string[], out: Reply): void {
    this.#running = { session, out }
    const command = this.find(args)
    try {
      if (command === undefined) throw unknown(this.catalog, args)
      this.#admit(session, command, args)
      if (session.queued !== undefined && !NOT_QUEUED.has(command.name)) {
        if (!session.isDirty && !session.isSpoiled) session.queued.push(args)
        out.text('+QUEUED\r\n')
      } else {
        this.#run(session, { command, args, out })
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#reject(session, { command, error, out })
    }
    this.#serveWaiting()
    if (this.#server.tracking.isUsed) this.#server.tracking.settle()
    if (session.mayCache && !session.isQueueing && command?.name.startsWith('client|') !== true) session.mayCache = false
    this.#running = undefined
  }

  execute(session: Session, args: string[], out: Reply): void {
    const command = this.find(args)
    if (command !== undefined) this.#run(session, { command, args, out })
  }

  deliver(session: Session, bytes: Uint8Array): void {
    if (this.#running?.session === session) this.#running.out.put(bytes)
    else session.peer.send(bytes)
  }

  /** The command or subcommand that the arguments name. */
  find(args: readonly string[]): Command | undefined {
    const container = this.catalog.get((args[0] as string).toLowerCase())
    if (container?.subcommands === undefined || args.length === 1) return container
    return container.subcommands.get((args[1] as string).toLowerCase())
  }

  #admit(session: Session, command: Command, args: readonly string[]): void {
    const { arity, flags, name } = command
    if ((arity > 0 && arity !== args.length) || args.length < -arity) throw wrongCount(name)
    if (!session.isAuthenticated && !flags.has('no_auth')) throw REFUSED.noAuth
    if (session.isQueueing && flags.has('no_multi')) throw refuse('Command not allowed inside a transaction')
    this.#admitMemory(session, command)
    if (session.isSubscriber && session.version === 2 && !FOR_SUBSCRIBERS.has(name)) {
      throw refuse(
        `Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
      )
    }
  }

  #admitMemory(session: Session, command: Command): void {
    const { space } = this.#server
    if (!space.isOver || space.makeRoom()) return
    const { name } = command
    const queued = session.queued ?? []
    const denied = name === 'exec' ? queued.some((args) => this.find(args)?.deniesMemory === true) : command.deniesMemory
    if (denied || (session.isQueueing && !NEVER_FULL.has(name))) throw REFUSED.noMemory
  }

  #run(session: Session, given: { readonly command: Command; readonly args: readonly string[]; readonly out: Reply }): void {
    const { command, args, out } = given
    const server = this.#server
    const call = new Call(session, { ...given, server })
    const begun = out.length
    if (server.monitors.size > 0) feedMonitors(call)
    server.stats.commands += 1
    session.lastCommand = command.name
    try {
      command.run(call)
    } catch (error) {
      const refusal = this.#refusalFor(error)
      out.cut(begun)
      server.stats.errors += 1
      out.error(refusal.message)
    }
    if (command.isRead && session.tracking !== undefined) server.tracking.remember(session, keysOf(command, args) ?? [])
    if (call.wait !== undefined) this.#wait(session, call.wait, out)
  }

  /** What a client is told; what nobody foresaw is told to `onFault`, and ends nothing but its command. */
  #refusalFor(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    if (error instanceof KeyspaceFull) return REFUSED.noMemory
    if (error instanceof RangeError) return REFUSED.tooLong
    this.#server.onFault?.(error)
    return refuse('internal error')
  }

  #wait(session: Session, wait: Wait, out: Reply): void {
    if (session.mayNotWait) return wait.deny(out)
    const server = this.#server
    const waiting: Waiting = {
      database: session.db.number,
      keys: wait.keys,
      kind: wait.kind,
      serve: (key) => {
        this.#aside.version = session.version === 3 ? 3 : 2
        try {
          if (!wait.serve(key, this.#aside)) return false
        } catch (error) {
          this.#aside.take()
          this.#aside.error(this.#refusalFor(error).message)
        }
        this.wake(session)
        return true
      },
    }
    const onTimeout = (): void => {
      this.#aside.version = session.version === 3 ? 3 : 2
      this.#aside.nullArray()
      this.wake(session)
    }
    const timer = wait.timeoutMs > 0 ? server.clock.after(wait.timeoutMs, onTimeout) : undefined
    const answer = (write: (out: Reply) => void): void => this.#answer(session, write)
    session.parked = { waiting, timer, onTimeout, answer, breakOff: (error) => answer((to) => to.error(error)) } satisfies Parked
    server.space.waiting.add(waiting)
    wait.begun?.(session.parked)
  }

  /** A parked command is over; its reply stands aside. */
  wake(session: Session): void {
    this.forget(session)
    const bytes = Buffer.from(this.#aside.take())
    session.peer.send(bytes)
    session.peer.resume()
  }

  /** Ends a parked command. */
  #answer(session: Session, write: (out: Reply) => void): void {
    this.#aside.version = session.version === 3 ? 3 : 2
    write(this.#aside)
    this.wake(session)
  }

  /** A parked command is no more. */
  forget(session: Session): void {
    const { parked } = session
    if (parked === undefined) return
    parked.timer?.cancel()
    this.#server.space.waiting.remove(parked.waiting)
    session.parked = undefined
  }

  /** The connection is gone. */
  end(session: Session): void {
    this.forget(session)
    leaveChannels(this.#server, session)
    this.#server.space.watches.unwatchAll(session)
    this.#server.monitors.delete(session)
    this.#server.tracking.stop(session)
  }

  #serveWaiting(): void {
    const { waiting } = this.#server.space
    while (waiting.hasReady) {
      for (const ready of waiting.takeReady()) {
        const db = this.#server.space.databases[ready.database]
        for (const one of waiting.waitingFor(ready)) {
          if (db?.look(ready.key)?.kind === one.kind) one.serve(ready.key)
        }
      }
    }
  }

  #reject(
    session: Session,
    given: { readonly command: Command | undefined; readonly error: Refusal; readonly out: Reply },
  ): void {
    const { command, error, out } = given
    this.#server.stats.errors += 1
    if (command?.name === 'exec') {
      discard(this.#server, session)
      out.error(`EXECABORT Transaction discarded because of: ${error.message.replace(/^ERR /, '')}`)
      return
    }
    if (session.isQueueing) session.isSpoiled = true
    out.error(error.message)
  }
}

/** Ends a transaction. */
export function discard(server: Server, session: Session): void {
  session.queued = undefined
  session.isSpoiled = false
  session.isDirty = false
  server.space.watches.unwatchAll(session)
}

function unknown(catalog: ReadonlyMap<string, Command>, args: readonly string[]): Refusal {
  const name = args[0] as string
  if (catalog.has(name.toLowerCase())) {
    const given = untilZero(args[1] as string).slice(0, SHOWN)
    return refuse(`unknown subcommand '${given}'. Try ${untilZero(name).toUpperCase()} HELP.`)
  }
  let shown = ''
  for (let i = 1; i < args.length && shown.length < SHOWN; i += 1) {
    shown += `'${untilZero(args[i] as string).slice(0, SHOWN - shown.length)}' `
  }
  return refuse(`unknown command '${untilZero(name).slice(0, SHOWN)}', with args beginning with: ${shown}`)
}
