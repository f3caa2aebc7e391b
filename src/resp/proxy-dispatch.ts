/**
 * What each request of a client is: a reading, a write, a change of the connection, or the end of all framing.
 *
 * Floor 4, room resp. Where Redis may answer with no reply, or with what is no reply (CLIENT REPLY, MONITOR, replication), the
 * connection becomes a pipe: bytes pass both ways, and its writes are marked until it ends.
 */
import type { RequestScanner } from '../wire/resp-request.ts'
import type { CommandRule } from './command-table.ts'
import { EXPECT, type Pending } from './pending.ts'
import type { Execution, ProxyInbound } from './proxy-inbound.ts'
import type { ProxySender } from './proxy-sender.ts'
import type { ProxyShared } from './proxy-shared.ts'
import { type ProxyState, STATE_COMMANDS, type StateChange } from './proxy-state.ts'
import { MARK_REQUEST, type Subscriber } from './proxy-subscriber.ts'

/** What it works with. */
export interface DispatchParts {
  readonly shared: ProxyShared
  readonly sender: ProxySender
  readonly state: ProxyState
  readonly pending: Pending
  readonly subscriber: Subscriber
  readonly inbound: ProxyInbound
  readonly gate: LoginGate
}

/** Lets attempts to log in through one at a time, and slowly where passwords are guessed. */
export interface LoginGate {
  /** @returns false: not now; the same request is dispatched again later */
  admit(): boolean
  /** It is on its way: nothing further is read before `ended`. */
  sent(): void
  ended(isRight: boolean): void
}

/** Longest name that is looked up; all names of Redis are shorter. */
const MAX_NAME_BYTES = 64
/** Arguments of a state command that are looked at, and their bytes: HELLO 3 AUTH user password SETNAME name. */
const MAX_LOOKED_AT = 16
const MAX_LOOKED_AT_BYTES = 4096

/** See the module's header. */
export class Dispatch {
  readonly #parts: DispatchParts
  #isPipe = false

  constructor(parts: DispatchParts) {
    this.#parts = parts
  }

  /** A whole request. @returns false: it has to wait, and comes again */
  pass(frame: RequestScanner): boolean {
    const { sender } = this.#parts
    const rule = sender.ruleOf(frame)
    if (this.#isPipe) {
      this.#parts.shared.counts.piped += 1
      sender.mark(frame, rule)
      sender.send(frame)
      return true
    }
    const name = this.#stateName(frame, rule)
    if (name !== undefined) return this.#state(name, frame)
    sender.pass(frame, rule)
    return true
  }

  /** A request too long to be gathered has begun. */
  passBegun(frame: RequestScanner): void {
    const { sender, state } = this.#parts
    const rule = sender.ruleOf(frame)
    if (this.#isPipe) {
      sender.mark(frame, rule)
      sender.send(frame)
      return
    }
    if (this.#stateName(frame, rule) !== undefined) state.lose() // so long a one is none that we follow
    sender.passBegun(frame, rule)
  }

  /** The name of a command that changes the connection, a subcommand cut off; undefined for all others. */
  #stateName(frame: RequestScanner, rule: CommandRule): string | undefined {
    if (rule.effect === 'read' || rule.effect === 'write') return undefined
    const start = frame.starts[0] as number
    const end = frame.ends[0] as number
    if (end - start > MAX_NAME_BYTES) return undefined
    const name = frame.bytes.toString('latin1', start, end).toLowerCase()
    return STATE_COMMANDS.has(name) ? name : undefined
  }

  #state(name: string, frame: RequestScanner): boolean {
    const { pending, sender, state, subscriber, shared, gate } = this.#parts
    const args = argumentsOf(frame)
    const isLogin = !state.isMulti && isLoggingIn(name, args)
    if (isLogin && !gate.admit()) return false
    shared.counts.state += 1
    if (isPiping(name, args) || (name.endsWith('subscribe') && state.isMulti)) {
      this.#becomePipe(frame)
      return true
    }
    if (name.endsWith('subscribe')) {
      subscriber.use()
      pending.push(EXPECT.subscribe, undefined)
    } else if (name === 'exec') {
      const execution: Execution = { effect: sender.exec(), change: state.sent(name, args) }
      pending.push(EXPECT.exec, execution)
    } else {
      if (name === 'discard' || name === 'reset') sender.discard()
      const change = state.sent(name, args)
      pending.push(EXPECT.state, isLogin ? this.#login(change) : change)
    }
    sender.send(frame)
    if (name.endsWith('subscribe')) sender.put(MARK_REQUEST)
    if (isLogin) gate.sent()
    return true
  }

  #login(change: StateChange): StateChange {
    return (head) => {
      change(head)
      this.#parts.gate.ended(!head.startsWith('-WRONGPASS'))
    }
  }

  #becomePipe(frame: RequestScanner): void {
    const { sender, state, inbound } = this.#parts
    this.#isPipe = true
    state.lose()
    inbound.becomeRaw()
    sender.send(frame)
  }
}

/** AUTH, or HELLO with it. */
function isLoggingIn(name: string, args: readonly string[]): boolean {
  return name === 'auth' || (name === 'hello' && args.some((one) => one.toLowerCase() === 'auth'))
}

/** Whether replies can no longer be counted behind it. */
function isPiping(name: string, args: readonly string[]): boolean {
  if (name === 'monitor' || name === 'sync' || name === 'psync') return true
  return name === 'client' && args[0]?.toLowerCase() === 'reply'
}

function argumentsOf({ bytes, starts, ends, count }: RequestScanner): string[] {
  const args: string[] = []
  let total = 0
  for (let i = 1; i < count && i <= MAX_LOOKED_AT; i += 1) {
    const [start, end] = [starts[i] as number, ends[i] as number]
    total += end - start
    if (total > MAX_LOOKED_AT_BYTES) break
    args.push(bytes.toString('latin1', start, end))
  }
  return args
}
