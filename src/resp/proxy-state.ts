/**
 * What a client's connection to the upstream is: database, protocol, user, transaction, and what is not modelled.
 *
 * Floor 4, room resp. Changed by the upstream's replies alone, in their order; while a command that may change it is under
 * way the connection is not plain, and nothing is answered from memory. What cannot be followed makes it not plain until
 * RESET.
 */
import { TYPE } from '../wire/resp-reply.ts'
import type { Subscriber } from './proxy-subscriber.ts'

/** Runs with the first bytes of the reply, before it is handed on. */
export type StateChange = (head: string) => void

/** Commands that change what a connection is; `pipe`: nothing behind them can be framed for sure. */
export const STATE_COMMANDS: ReadonlySet<string> = new Set([
  ...['select', 'auth', 'hello', 'reset', 'quit', 'multi', 'exec', 'discard', 'watch', 'unwatch'],
  ...['client', 'readonly', 'readwrite', 'asking', 'monitor', 'sync', 'psync'],
  ...['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe', 'ssubscribe', 'sunsubscribe'],
])
/** Commands that run at once within MULTI. */
const AT_ONCE: ReadonlySet<string> = new Set(['exec', 'discard', 'reset', 'quit', 'multi', 'watch'])
const DEFAULT_USER = 'default'

/** See the module's header. */
export class ProxyState {
  database = 0
  version: 2 | 3 = 2
  user = DEFAULT_USER
  /** Some reply has shown that this connection may read: it is logged in, or need not be. */
  isProven = false
  /** Reads from a replica of a cluster. */
  isReadonly = false
  /** Grows with each change of one of these. */
  changes = 0
  readonly #subscriber: Subscriber
  /** State commands under way. */
  #changing = 0
  #isMulti = false
  #isWatching = false
  /** How often it was lost since a RESET was answered that knew of it. */
  #losses = 0
  /** MULTIs and WATCHes sent: a reply to what was sent before the newest says nothing about it. */
  #opened = 0

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber
  }

  /** Whether replies may be answered from memory, and kept. */
  get isPlain(): boolean {
    return this.#changing === 0 && !this.#isMulti && !this.#isWatching && this.#losses === 0 && !this.#subscriber.isActive
  }

  /** Commands are being queued. */
  get isMulti(): boolean {
    return this.#isMulti
  }

  /** No longer followed, until RESET. */
  lose(): void {
    this.#losses += 1
  }

  /**
   * A state command is being sent.
   *
   * @param args all arguments behind the name, latin1
   * @returns what its reply does
   */
  sent(name: string, args: readonly string[]): StateChange {
    this.#changing += 1
    const change = this.#changeOf(name, args)
    return (head) => {
      this.#changing -= 1
      this.changes += 1
      change(head)
    }
  }

  #changeOf(name: string, args: readonly string[]): StateChange {
    if (this.#isMulti && !AT_ONCE.has(name)) {
      this.#losses += 1 // it takes effect with EXEC, whose reply does not name it
      return nothing
    }
    switch (name) {
      case 'multi':
        this.#isMulti = true
        this.#opened += 1
        return nothing
      case 'watch':
        this.#isWatching = true
        this.#opened += 1
        return nothing
      case 'exec':
        return this.#closing(() => true)
      case 'discard':
        return this.#closing((head) => !isError(head))
      case 'unwatch':
        return this.#unwatching()
      case 'quit':
        this.#losses += 1
        return nothing
      case 'client':
        return this.#client(args)
      default:
        return this.#connection(name, args)
    }
  }

  /** What a connection speaks, as whom, where. */
  #connection(name: string, args: readonly string[]): StateChange {
    switch (name) {
      case 'select':
        return (head) => {
          if (!isError(head)) this.database = Number(args[0])
        }
      case 'auth':
        return (head) => {
          if (!isError(head)) this.#login(args.length > 1 ? (args[0] as string) : DEFAULT_USER)
        }
      case 'hello':
        return (head) => {
          if (!isError(head)) this.#hello(args)
        }
      case 'reset':
        return this.#resetting()
      case 'readonly':
      case 'readwrite':
        return (head) => {
          if (!isError(head)) this.isReadonly = name === 'readonly'
        }
      default:
        return nothing
    }
  }

  #closing(closes: (head: string) => boolean): StateChange {
    const opened = this.#opened
    return (head) => {
      if (!closes(head) || opened !== this.#opened) return
      this.#isMulti = false
      this.#isWatching = false
    }
  }

  #unwatching(): StateChange {
    const opened = this.#opened
    return (head) => {
      if (!isError(head) && opened === this.#opened) this.#isWatching = false
    }
  }

  /** The client's own tracking counts on the upstream seeing his reads. */
  #client(args: readonly string[]): StateChange {
    const sub = (args[0] ?? '').toLowerCase()
    if (sub === 'tracking' || sub === 'caching') this.#losses += 1
    return nothing
  }

  #hello(args: readonly string[]): void {
    const [version] = args
    if (version !== undefined) {
      this.version = version === '3' ? 3 : 2
      this.#subscriber.speak(this.version)
    }
    const auth = args.findIndex((one, i) => i > 0 && one.toLowerCase() === 'auth')
    this.isProven = true
    if (auth > 0) this.#login(args[auth + 1] as string)
  }

  #login(user: string): void {
    this.user = user
    this.isProven = true
  }

  /** As a new connection, but for what was sent behind it. */
  #resetting(): StateChange {
    const [opened, losses] = [this.#opened, this.#losses]
    return (head) => {
      if (isError(head)) return
      this.database = 0
      this.version = 2
      this.user = DEFAULT_USER
      this.isProven = false
      this.isReadonly = false
      if (opened === this.#opened) this.#isMulti = this.#isWatching = false
      this.#losses -= losses
      this.#subscriber.reset()
    }
  }
}

/** Whether a reply is an error. @param head its first bytes */
export function isError(head: string): boolean {
  const type = head.charCodeAt(0)
  return type === TYPE.error || type === TYPE.bulkError
}

const nothing: StateChange = () => undefined
