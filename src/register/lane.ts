/**
 * One client of the application as the hook sees it: what state its connection is in, and what each command means to it.
 *
 * Floor 5, room register. Knows no client library: adapters tell it what is sent (`depart`), what came back (`Flight`) and
 * when the connection comes and goes. A hit is given only in a state that is modelled: connected, no MULTI, no WATCH, no
 * subscription of RESP2, no command under way that changes the connection. In doubt it stays shut until the next connection.
 */
import { Reader } from '../resp/coherence-reader.ts'
import type { Written } from '../resp/coherence.ts'
import type { Command, CommandKind } from './commands.ts'
import type { Entry } from './shelf.ts'
import type { Upstream } from './upstream.ts'
import type { View } from './view.ts'
import { give, SAME } from './value.ts'

/** No entry may be given: ask the server. */
export const MISS = Symbol('miss')
/** An entry stands, and is given as soon as memory is known to have followed: see `wait`. */
export const WAIT = Symbol('wait')

/** Hits that wait for the tracking connection go to the server after this time, ms. */
const WAIT_MS = 20
const MAX_WAITING = 1024
/** More written keys in a transaction count as everything. */
const MAX_QUEUED = 10_000

/** What a connection has selected, and where its replies are kept. */
export interface Berth {
  readonly view: View
  readonly database: number
}

interface Waiting {
  readonly entry: Entry
  readonly go: (isProven: boolean) => void
  isOver: boolean
}

/** See the module's header. */
export class Lane {
  readonly reader = new Reader()
  /** Whether the connection's state allows hits. */
  isOpen = false
  upstream: Upstream | undefined
  /** Where replies for the database and form of replies of now are kept. */
  view: View | undefined
  /** Number of that database. */
  database = 0
  /** The entry that `take` answered WAIT for. */
  found: Entry | undefined
  #isConnected = false
  #isQueueing = false
  #isWatching = false
  #isSubscribed = false
  /** In a state that is not modelled, until the next connection. */
  #isAside = false
  #changing = 0
  /** Entries of up to this fence teach nothing new. */
  #provenFence = 0
  #queued: number[] | 'everything' = []
  #waiting: Waiting[] = []
  /** What has waited goes to the server, and does not wait once more. */
  #isPassing = false

  get isQueueing(): boolean {
    return this.#isQueueing
  }

  /** The connection stands and is logged in. */
  connected(upstream: Upstream, { view, database }: Berth): void {
    this.upstream = upstream
    this.view = view
    this.database = database
    this.#isConnected = true
    this.#isQueueing = false
    this.#isWatching = false
    this.#isSubscribed = false
    this.#isAside = false
    this.#queued = []
    this.#settle()
  }

  /** The connection has ended, is being ended, or is not to be trusted. */
  disconnected(): void {
    this.#isConnected = false
    this.#settle()
    this.#pass()
  }

  /** Its replies are of another database from now on. */
  moved({ view, database }: Berth): void {
    this.view = view
    this.database = database
  }

  subscribed(isSubscribed: boolean): void {
    this.#isSubscribed = isSubscribed
    this.#settle()
  }

  /** The connection's state is not known any more. */
  aside(): void {
    this.#isAside = true
    this.#settle()
  }

  /**
   * The hit, if there is one.
   *
   * @param entry found in a drawer of `view`, while the lane is open
   * @returns a fresh value, MISS, or WAIT: then `wait` on `found`, or ask the server
   */
  take(entry: Entry): unknown {
    const upstream = this.upstream as Upstream
    const now = upstream.clock.now()
    if (now >= entry.deadlineMs || !upstream.stands(entry)) {
      upstream.shelf.drop(entry)
      return MISS
    }
    if (!upstream.turn.allows(now)) return MISS
    if (!upstream.coherence.mayHit(this.reader, now)) {
      if (this.#isPassing || this.#waiting.length >= MAX_WAITING || !upstream.coherence.isBehind(this.reader, now)) return MISS
      this.found = entry
      return WAIT
    }
    entry.isVisited = true
    upstream.tally.hits += 1
    if (entry.fence > this.#provenFence) this.#serve(entry)
    if (upstream.hot.isSampled()) upstream.hot.add(this.database, bytesOf(entry.key))
    return entry.shape === SAME ? entry.value : give(entry.shape, entry.value)
  }

  /** Runs `go` once memory has followed what this client has learned, or when it is time to ask the server. */
  wait(go: (isProven: boolean) => void): void {
    const upstream = this.upstream as Upstream
    const waiting: Waiting = { entry: this.found as Entry, go, isOver: false }
    this.#waiting.push(waiting)
    if (this.#waiting.length === 1) upstream.clock.after(WAIT_MS, () => this.#pass())
    upstream.coherence.whenProven(this.reader.watermark, () => this.#proven(waiting))
  }

  /**
   * A command is about to be sent.
   *
   * @returns whether it counts at once; else it has nothing to do with the data, or is queued until EXEC
   */
  sends(command: Command): boolean {
    if (this.#waiting.length > 0 && command.kind !== 'read') this.#pass()
    return command.kind !== 'pass' && !(this.#isQueueing && this.#queues(command))
  }

  /** A command that changes the connection's state sets out. */
  changing(kind: CommandKind): void {
    if (kind === 'multi') this.#isQueueing = true
    else if (kind === 'watch') this.#isWatching = true
    else if (kind === 'unwatch') this.#isWatching = false
    else if (kind === 'exec' || kind === 'discard') {
      this.#isWatching = false
      this.#isQueueing = false
      if (kind === 'discard') this.#queued = []
    } else if (kind === 'aside') this.#isAside = true
    else if (kind === 'close') this.#isConnected = false
    this.#changing += 1
    this.#settle()
  }

  /** Its reply is there, or it failed. */
  changed(): void {
    this.#changing -= 1
    this.#settle()
  }

  /** What the transaction that is sent now has written in all. */
  takeQueued(): Written {
    const queued = this.#queued
    this.#queued = []
    return queued
  }

  /** Inside MULTI everything is answered QUEUED; what is written counts at EXEC. @returns whether that is all */
  #queues({ kind, hashes }: Command): boolean {
    if (kind === 'exec' || kind === 'discard') return false
    if (kind === 'read' || kind === 'tell' || kind === 'unwatch') return true
    const isNamed = kind === 'write' && this.#queued !== 'everything' && this.#queued.length + hashes.length <= MAX_QUEUED
    if (isNamed) (this.#queued as number[]).push(...hashes)
    else this.#queued = 'everything'
    if (kind !== 'write' && kind !== 'unknown' && kind !== 'everything') this.#isAside = true
    return true
  }

  /** What is given may be newer than other entries are known to be. */
  #serve(entry: Entry): void {
    const upstream = this.upstream as Upstream
    upstream.served(this.reader, entry.fence)
    this.#provenFence = upstream.coherence.state().fencesAnswered
  }

  #settle(): void {
    const isAside = this.#isQueueing || this.#isWatching || this.#isSubscribed || this.#isAside
    this.isOpen = this.#isConnected && !isAside && this.#changing === 0
  }

  #proven(waiting: Waiting): void {
    if (waiting.isOver) return
    const upstream = this.upstream as Upstream
    const now = upstream.clock.now()
    const stands = this.isOpen && now < waiting.entry.deadlineMs && upstream.stands(waiting.entry)
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
    this.#finish(waiting, stands && upstream.coherence.mayHit(this.reader, now))
  }

  /** Runs what asks the server now. */
  passing<T>(run: () => T): T {
    const former = this.#isPassing
    this.#isPassing = true
    try {
      return run()
    } finally {
      this.#isPassing = former
    }
  }

  /** Sends all that wait to the server, in their order. */
  #pass(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) this.#finish(one, false)
  }

  #finish(waiting: Waiting, isProven: boolean): void {
    if (waiting.isOver) return
    waiting.isOver = true
    if (isProven && this.upstream !== undefined) this.upstream.tally.waits += 1
    waiting.go(isProven)
  }
}

function bytesOf(key: string | Buffer): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key) : key
}
