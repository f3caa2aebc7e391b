/**
 * Refresh-ahead: entries that will be read again are refreshed before they end, within a budget of extra requests.
 *
 * Floor 3, room flow. A hit costs nothing more: what is known of a key's readers stands in its row anyway and is looked at
 * once, shortly before the entry ends. One refresh per key, ever, through the fence like any fill; the odds and the budget
 * are a route's own, so that what buys nothing there stops there. Watched keys are bounded and charged; who finds no place
 * is not refreshed ahead.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Entry } from '../model/entry.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'
import type { Meter, RouteId } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import type { RecentArrivals } from '../shelf/arrivals.ts'
import { Wheel, type WheelPlace } from '../shelf/wheel.ts'
import { AheadBudget, type AheadQuestion } from './ahead-budget.ts'
import type { AheadSettings } from './ahead-options.ts'
import { type Cell, Odds } from './predict-odds.ts'
import type { Refreshes } from './refresh.ts'

/** What it works with. */
export interface AheadParts {
  readonly clock: Clock
  readonly meter: Meter
  readonly ledger: Ledger
  readonly refreshes: Refreshes
  readonly memory: {
    look(key: string): Entry | undefined
    arrivals(key: string): RecentArrivals | undefined
  }
  readonly maxKeys: number
  /** What watched keys may hold together. */
  readonly maxBytes: number
}

/** How one key can be read again. */
export interface Again {
  /** What it holds until it is run. */
  readonly bytes: number
  readonly route: RouteId
  readonly settings: AheadSettings
  /** Reads it anew and has it kept. Must carry its own deadline. */
  run(): Promise<void>
}

/** What of a route is known. */
export interface AheadRoute {
  readonly route: string
  /** Chance from which on an entry is refreshed. */
  readonly threshold: number
  /** Extra requests, as a share of what would have been asked without; fading. */
  readonly extra: number
  readonly granted: number
  readonly read: number
}

interface Open {
  readonly cell: Cell
  readonly question: AheadQuestion
  readonly untilMs: number
}

interface Watch {
  readonly key: string
  /** Charged. */
  bytes: number
  again: Again
  place: WheelPlace | undefined
  open: Open | undefined
  /** Its refresh is under way. */
  isOwn: boolean
  /** Somebody waited for what stands: it was read once, though no row says so. */
  wasAsked: boolean
  /** How long its readings take, ms; smoothed. */
  loadMs: number
  /** Of the period before, where the row was lost meanwhile. */
  former: { readonly before: readonly [boolean, boolean]; readonly gapMs: number } | undefined
}

interface RouteBook {
  readonly odds: Odds
  readonly budget: AheadBudget
  running: number
  granted: number
  read: number
}

const TICK_MS = 50
const SLOTS = 2048
/** A watch with its closure and its places, beside what the reading holds; docs/decisions/027. */
const WATCH_BYTES = 2048
/** Periods out of these bounds are left alone: shorter ones cannot be met, longer ones are not worth a place. */
const MIN_PERIOD_MS = 500
const MAX_PERIOD_MS = 24 * 3_600_000

/** See the module's header. */
export class Ahead {
  readonly #parts: AheadParts
  readonly #watched = new Map<string, Watch>()
  readonly #books = new Map<RouteId, RouteBook>()
  readonly #wheel: Wheel<Watch>
  #timer: Timer | undefined
  #bytes = 0
  #isClosed = false

  constructor(parts: AheadParts) {
    this.#parts = parts
    const { maxKeys } = parts
    this.#wheel = new Wheel({ tickMs: TICK_MS, slots: SLOTS, maxItems: maxKeys, nowMs: parts.clock.now() })
  }

  /** Keys that are watched. */
  get size(): number {
    return this.#watched.size
  }

  /** Whether a key is refreshed ahead, as far as that pays. */
  watches(key: string): boolean {
    return this.#watched.has(key)
  }

  /** Something was stored that can be read again. */
  kept({ key, startedAt }: { readonly key: string; readonly startedAt: number }, again: Again): void {
    if (this.#isClosed) return
    const { route, settings } = again
    const entry = this.#parts.memory.look(key)
    if (entry === undefined) return this.#drop(key)
    const { freshMs } = entry.budget
    if (entry.kind !== 'value' || freshMs < MIN_PERIOD_MS || freshMs > MAX_PERIOD_MS) return this.#drop(key)
    const now = this.#parts.clock.now()
    const watch = this.#watched.get(key) ?? this.#begin(key, again)
    if (watch === undefined) return
    const tookMs = Math.max(0, now - startedAt)
    watch.loadMs += (tookMs - watch.loadMs) / (watch.loadMs === 0 ? 1 : 4)
    watch.wasAsked = !watch.isOwn
    if (!watch.isOwn) this.#waited(watch, this.#book(route, settings), now)
    watch.isOwn = false
    if (!this.#charge(watch, again)) return this.#drop(key)
    watch.again = again
    this.#wait(watch, entry.storedAt + freshMs - watch.loadMs)
  }

  /** What was learned, by route. */
  routes(): readonly AheadRoute[] {
    return [...this.#books].map(([route, { budget, granted, read }]) => ({
      route: this.#parts.meter.routes[route] ?? '',
      threshold: budget.threshold,
      extra: budget.extra,
      granted,
      read,
    }))
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    for (const key of [...this.#watched.keys()]) this.#drop(key)
  }

  /** A load that somebody waited for, or that ran behind a stale answer: it would have been made anyway. */
  #waited(watch: Watch, book: RouteBook, now: number): void {
    book.budget.missed()
    this.#settle(watch, watch.open !== undefined && now <= watch.open.untilMs ? 1 : 0)
  }

  #begin(key: string, again: Again): Watch | undefined {
    const { maxKeys } = this.#parts
    if (this.#watched.size >= maxKeys) return undefined
    const watch: Watch = {
      key,
      bytes: 0,
      again,
      place: undefined,
      open: undefined,
      isOwn: false,
      wasAsked: true,
      loadMs: 0,
      former: undefined,
    }
    this.#watched.set(key, watch)
    return watch
  }

  /** @returns whether there is room for it */
  #charge(watch: Watch, again: Again): boolean {
    const bytes = WATCH_BYTES + again.bytes
    const more = bytes - watch.bytes
    if (this.#bytes + more > this.#parts.maxBytes) return false
    this.#bytes += more
    watch.bytes = bytes
    this.#parts.ledger.charge(ACCOUNT.ahead, more)
    return true
  }

  #wait(watch: Watch, atMs: number): void {
    if (watch.place !== undefined) this.#wheel.drop(watch.place)
    watch.place = this.#wheel.set(watch, atMs)
    this.#timer ??= this.#parts.clock.after(TICK_MS, this.#turn)
  }

  readonly #turn = (): void => {
    this.#timer = undefined
    if (this.#isClosed) return
    this.#wheel.turn(this.#parts.clock.now(), this.#onDue)
    if (this.#wheel.size > 0) this.#timer ??= this.#parts.clock.after(TICK_MS, this.#turn)
  }

  readonly #onDue = (watch: Watch): void => {
    watch.place = undefined
    const { clock, memory } = this.#parts
    const { key } = watch
    const now = clock.now()
    if (watch.open !== undefined && !watch.open.question.granted) {
      this.#settle(watch, 0)
      return this.#drop(key)
    }
    const entry = memory.look(key)
    const row = memory.arrivals(key)
    if (entry === undefined || row === undefined) {
      return this.#drop(key) // evicted or invalidated: what would have been read is not known
    }
    const endMs = entry.storedAt + entry.budget.freshMs
    if (endMs - watch.loadMs > now + TICK_MS) return this.#wait(watch, endMs - watch.loadMs) // renewed by another way
    this.#settle(watch, row.reads)
    this.#decide(watch, { endMs, periodMs: entry.budget.freshMs, row })
  }

  #decide(watch: Watch, { endMs, periodMs, row }: { endMs: number; periodMs: number; row: RecentArrivals }): void {
    const { again, former } = watch
    const book = this.#book(again.route, again.settings)
    const reads = row.reads + (watch.wasAsked ? 1 : 0)
    const gapMs = row.gapMs === 0 ? (former?.gapMs ?? 0) : row.gapMs
    const before = former === undefined || row.before[0] || row.before[1] ? row.before : former.before
    const cell = book.odds.cell({ reads, gapMs, before }, row.sinceReadMs, periodMs)
    const question = book.budget.ask(book.odds.chance(cell), reads)
    watch.former = { before: [reads > 0, before[0]], gapMs }
    const granted = question.granted && book.running < again.settings.concurrency && this.#start(watch, book)
    if (question.granted && !granted) book.budget.withdraw(question)
    watch.open = { cell, question: { ...question, granted }, untilMs: endMs + periodMs }
    if (!granted) this.#wait(watch, endMs + periodMs)
  }

  #start(watch: Watch, book: RouteBook): boolean {
    const { refreshes, meter } = this.#parts
    const { key } = watch
    const { route } = watch.again
    const run = async (): Promise<void> => {
      try {
        await watch.again.run()
      } finally {
        book.running -= 1
        if (watch.isOwn) this.#lost(watch) // it was not kept
      }
    }
    if (!refreshes.start(key, run, route)) return false
    watch.isOwn = true
    book.running += 1
    book.granted += 1
    meter.count(COUNTER.aheadRefreshes, route)
    return true
  }

  /** Asked for and not kept: spent, and nothing to wait for. */
  #lost(watch: Watch): void {
    watch.isOwn = false
    this.#settle(watch, 0)
    this.#drop(watch.key)
  }

  /** @param reads within the period that was asked for */
  #settle(watch: Watch, reads: number): void {
    const { open } = watch
    if (open === undefined) return
    watch.open = undefined
    const { route, settings } = watch.again
    const book = this.#book(route, settings)
    const wasRead = reads > 0
    book.odds.learn(open.cell, wasRead)
    book.budget.settle(open.question, reads)
    if (!open.question.granted) return
    if (wasRead) book.read += 1
    this.#parts.meter.count(wasRead ? COUNTER.aheadRead : COUNTER.aheadWasted, route)
  }

  #drop(key: string): void {
    const watch = this.#watched.get(key)
    if (watch === undefined) return
    if (watch.place !== undefined) this.#wheel.drop(watch.place)
    watch.place = undefined
    if (watch.open?.question.granted === true) this.#books.get(watch.again.route)?.budget.withdraw(watch.open.question)
    this.#watched.delete(key)
    this.#bytes -= watch.bytes
    this.#parts.ledger.release(ACCOUNT.ahead, watch.bytes)
  }

  #book(route: RouteId, { extra, minChance }: AheadSettings): RouteBook {
    let book = this.#books.get(route)
    if (book === undefined) {
      book = { odds: new Odds(), budget: new AheadBudget({ extra, minChance }), running: 0, granted: 0, read: 0 }
      this.#books.set(route, book)
      this.#parts.ledger.charge(ACCOUNT.ahead, Odds.BYTES)
    }
    return book
  }
}
