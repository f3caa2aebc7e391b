/**
 * One life of the tracking connection, from its opening to its end.
 *
 * Floor 4, room resp. Replies come in the order of the questions, so what is to be done with each stands in a queue. Its
 * end is told to `Coherence` before anybody else hears of it. Every step has a deadline: the greeting as a whole, and each
 * answer while questions are open.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Coherence } from './coherence.ts'
import type { FencePort } from './coherence-lease.ts'
import { type CommandRow, CommandTable } from './command-table.ts'
import {
  encodeCommand,
  type Greeting,
  greetingOf,
  hello,
  infoField,
  isLasting,
  isThreaded,
  type Login,
  PING,
  trackingOn,
} from './tracking-commands.ts'
import type { TrackingPort, TrackingSocket } from './tracking-port.ts'
import { type Reply, ReplyError, TrackingReader } from './tracking-reader.ts'
import { Watch } from './tracking-watch.ts'

/** What is known of the upstream. */
export interface Upstream extends Greeting {
  readonly table: CommandTable
  /** Whether the rules of access can be looked at: else only our own user's readings are kept. */
  readonly seesGrants: boolean
  /** Random name of this run of the server; '' where we may not ask. */
  readonly runId: string
}

/** What a life is made of. */
export interface LifeParts {
  readonly clock: Clock
  readonly coherence: Coherence
  readonly login: Login
  readonly prefixes: readonly string[]
  /** The first fence was answered: memory may answer from now on. */
  readonly onProven: () => void
  /** Once. @param isLasting it will be no different next time */
  readonly onEnd: (reason: string, isLasting: boolean) => void
}

const GREETING_MS = 5000
/** An open question is answered within so long, or so many spans of allowed staleness. */
const SILENCE_MS = 2000
const SILENCE_SPANS = 4
/** Longest string of a reply or name of a key. */
const MAX_BULK_BYTES = 16 * 1024 * 1024
/** Rules of access are compared as text up to this. */
const MAX_GRANTS = 1024 * 1024

/** See the module's header. */
export class TrackingLife implements FencePort {
  readonly #parts: LifeParts
  readonly #reader: TrackingReader
  readonly #expected: ((reply: Reply) => void)[] = []
  #next = 0
  #socket: TrackingSocket | undefined
  #deadline: Timer | undefined
  #heardMs = 0
  #isOver = false
  #isProven = false
  #grants: string | undefined
  #grantsAskedMs = 0
  #isAskingGrants = false
  #database = 0
  /** The database asked for last, and the one that the answers are of. */
  #chosen = 0
  #watch: Watch | undefined
  upstream: Upstream | undefined

  constructor(parts: LifeParts) {
    this.#parts = parts
    const { coherence } = parts
    this.#reader = new TrackingReader(
      {
        reply: (value) => this.#answer(value),
        invalidated: (hash) => coherence.invalidate(hash),
        invalidatedAll: () => coherence.invalidateAll(),
      },
      MAX_BULK_BYTES,
    )
  }

  start(port: TrackingPort): void {
    this.#deadline = this.#parts.clock.after(GREETING_MS, () => this.#fail(`no greeting within ${GREETING_MS} ms`))
    this.#socket = port.open({
      connected: () => this.ask(hello(this.#parts.login), (reply) => this.#greeted(reply)),
      data: (chunk) => this.#read(chunk),
      ended: (reason) => this.#fail(reason),
    })
  }

  /** Ends it without a word. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#deadline?.cancel()
    this.#parts.coherence.closed()
    this.#socket?.destroy()
    for (const answered of this.#expected.splice(0).slice(this.#next)) answered(GONE)
    this.#next = 0
  }

  ping(): void {
    this.#watch?.look()
    this.ask(PING, (reply) => {
      if (reply !== 'PONG') return this.#fail(`PING was answered ${said(reply)}`)
      this.#parts.coherence.proven()
      if (this.#isProven || !this.#parts.coherence.isOn) return
      this.#isProven = true
      this.#deadline?.cancel()
      this.#parts.onProven()
    })
  }

  askGrants(): void {
    if (this.#grants === undefined || this.#isAskingGrants) return
    this.#isAskingGrants = true
    const askedMs = this.#parts.clock.now()
    this.#lookAtGrants((reply, grants) => {
      this.#isAskingGrants = false
      if (grants === undefined) return this.#fail(`ACL LIST was answered ${said(reply)}`)
      if (grants !== this.#grants) this.#parts.coherence.regranted()
      this.#grants = grants
      this.#parts.coherence.granted(askedMs)
    })
  }

  /** The rules, and how often they were changed before: rules that are what they were may have been others in between. */
  #lookAtGrants(told: (reply: Reply, grants: string | undefined) => void): void {
    let changes = ''
    this.ask(STATS, (reply) => (changes = ruleChangesOf(reply)))
    this.ask(ACL_LIST, (reply) => {
      const rules = grantsOf(reply)
      told(reply, rules === undefined ? undefined : `${changes}\n${rules}`)
    })
  }

  /** Asks anything, such as TOUCH; the answer comes in turn. */
  ask(command: Uint8Array, answered: (reply: Reply) => void): void {
    if (this.#isOver || this.#socket === undefined) return answered(GONE)
    if (this.#next === this.#expected.length) this.#heardMs = this.#parts.clock.now()
    this.#expected.push(answered)
    if (this.#isProven) this.#guard()
    this.#socket.write(command)
  }

  /**
   * Asks how long keys of a database still live, in ms.
   *
   * @param told once for each key, in order; as PTTL answers, NaN where it does not
   */
  lifetimes(database: number, keys: readonly (string | Uint8Array)[], told: (pttlMs: number) => void): void {
    this.choose(database)
    for (const key of keys) {
      this.ask(encodeCommand(['PTTL', key]), (reply) => {
        told(typeof reply === 'number' && this.#database === database ? reply : Number.NaN)
      })
    }
  }

  /** Has what is asked next run in a database, if the server lets us. */
  choose(database: number): void {
    if (database === this.#chosen) return
    this.#chosen = database
    this.ask(encodeCommand(['SELECT', String(database)]), (reply) => {
      if (reply === 'OK') this.#database = database
    })
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return
    this.#heardMs = this.#parts.clock.now()
    try {
      this.#reader.read(chunk)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#fail(`what came is no RESP3: ${error.message}`)
    }
  }

  #answer(value: Reply): void {
    if (this.#isOver) return
    const answered = this.#expected[this.#next]
    if (answered === undefined) return this.#fail('an answer without a question')
    this.#next += 1
    if (this.#next >= 1024 || this.#next === this.#expected.length) {
      this.#expected.splice(0, this.#next)
      this.#next = 0
    }
    answered(value)
  }

  #greeted(reply: Reply): void {
    const greeting = greetingOf(reply)
    if (greeting === undefined) {
      const lasting = !(reply instanceof ReplyError) || isLasting(reply)
      return this.#fail(reply instanceof ReplyError ? `HELLO 3: ${reply.text}` : 'the server speaks no RESP3', lasting)
    }
    let table: CommandTable | undefined
    this.ask(trackingOn(this.#parts.prefixes), (answer) => {
      if (answer instanceof ReplyError) this.#fail(`CLIENT TRACKING: ${answer.text}`, isLasting(answer))
    })
    this.ask(COMMAND, (answer) => {
      if (answer instanceof ReplyError || !Array.isArray(answer)) this.#fail(`COMMAND: ${said(answer)}`, true)
      else table = new CommandTable((answer as readonly unknown[]).filter(isRow))
    })
    this.#grantsAskedMs = this.#parts.clock.now()
    this.#lookAtGrants((_, grants) => (this.#grants = grants))
    this.ask(encodeCommand(['CLIENT', 'NO-EVICT', 'ON']), () => undefined) // may be refused: then we are as others are
    this.ask(encodeCommand(['INFO', 'server']), (info) => {
      if (table !== undefined) this.#opened(greeting, table, info)
    })
  }

  #opened(greeting: Greeting, table: CommandTable, info: Reply): void {
    const { coherence } = this.#parts
    const seesGrants = this.#grants !== undefined
    this.upstream = { ...greeting, table, seesGrants, runId: infoField(info, 'run_id') }
    const { clock } = this.#parts
    this.#watch = new Watch({ clock, coherence, table, greeting, ask: this.ask.bind(this), fail: (reason) => this.#fail(reason) })
    coherence.opened(this, { isClustered: greeting.isClustered, seesGrants, isThreaded: isThreaded(info) })
    if (seesGrants) coherence.granted(this.#grantsAskedMs)
  }

  /** While a question is open something has to be heard. */
  #guard(): void {
    const { clock, coherence } = this.#parts
    if (this.#isGuarded) return
    this.#isGuarded = true
    const allowedMs = Math.max(SILENCE_MS, coherence.maxStaleMs * SILENCE_SPANS)
    this.#deadline?.cancel()
    this.#deadline = clock.after(this.#heardMs + allowedMs - clock.now(), () => {
      this.#isGuarded = false
      if (this.#expected.length === 0) return
      if (clock.now() - this.#heardMs >= allowedMs) this.#fail(`silent for ${allowedMs} ms`)
      else this.#guard()
    })
  }
  #isGuarded = false

  #fail(reason: string, lasting = false): void {
    if (this.#isOver) return
    this.end()
    this.#parts.onEnd(reason, lasting)
  }
}

const GONE = new ReplyError('the connection is gone')
const ACL_LIST = encodeCommand(['ACL', 'LIST'])
const COMMAND = encodeCommand(['COMMAND'])
const STATS = encodeCommand(['INFO', 'commandstats'])
/** As servers count since Redis 7; elder ones count all of ACL together, our own questions included. */
const RULE_CHANGES = /^cmdstat_acl\|(?:setuser|deluser|load):calls=\d+/gm

/** How often the rules of access were changed, as text to compare; '' where the server does not tell. */
function ruleChangesOf(reply: Reply): string {
  return typeof reply === 'string' ? (reply.match(RULE_CHANGES) ?? []).join(' ') : ''
}

function grantsOf(reply: Reply): string | undefined {
  if (!Array.isArray(reply)) return undefined
  const text = reply.join('\n')
  return text.length <= MAX_GRANTS ? text : undefined
}

function isRow(row: unknown): row is CommandRow {
  return Array.isArray(row) && typeof row[0] === 'string' && Array.isArray(row[2])
}

function said(reply: Reply): string {
  return reply instanceof ReplyError ? reply.text : JSON.stringify(reply).slice(0, 100)
}
