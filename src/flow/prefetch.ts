/**
 * Prefetching: what a client is likely to ask for next is fetched before he does, within a budget of extra requests.
 *
 * Floor 3, room flow. Told of every answer on routes that want it, lane included. It decides whether; the door says how, and
 * whether the client could ask for it himself at all. What was fetched and read within its patience was right; rules and
 * routes that are not right often enough stop by themselves (prefetch-worth.ts). Nothing waits: what finds no place, no calm
 * or no budget is left. Never chained: what was prefetched tells of nobody's wish.
 */
import type { Clock } from '../model/clock.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'
import type { Meter, RouteId } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import { Wheel, type WheelPlace } from '../shelf/wheel.ts'
import { PrefetchBook, type Source } from './prefetch-book.ts'
import type { Mentions } from './prefetch-mentions.ts'
import type { PrefetchSettings } from './prefetch-options.ts'
import { PrefetchPace } from './prefetch-pace.ts'
import { PrefetchRules, type RuleLimits } from './prefetch-rules.ts'
import { PrefetchSample } from './prefetch-sample.ts'
import { settleRule } from './prefetch-worth.ts'
import { type Link, Successions } from './successions.ts'

/** What it works with. */
export interface PrefetchParts {
  readonly clock: Clock
  readonly meter: Meter
  readonly ledger: Ledger
  readonly limits: RuleLimits
  /** Whether there is memory for it, and the log that instances share is in sight. */
  isCalm(): boolean
}

/** An answer that a client got. */
export interface Asked {
  /** Digest of who he is; undefined: nothing is learned from it, and nothing fetched for him. */
  readonly client: string | undefined
  /** What he asked for, as a URL: what rules are about. */
  readonly url: string
  /** Where its answer stands. */
  readonly key: string
  readonly route: RouteId
  readonly settings: PrefetchSettings
  /** How long the load took that he waited for, ms; undefined: it stood. */
  readonly loadMs: number | undefined
  /** What its answer mentions. */
  readonly mentions?: Mentions | undefined
}

/**
 * What came of a prefetch. `spared`: it stood by then, or another process or client had asked for it; `unkept`: it is not for
 * storing; `lost`: it was, but did not stay, invalidated meanwhile or too much for the memory.
 */
export type Fetched =
  | { readonly outcome: 'kept'; readonly freshMs: number }
  | { readonly outcome: 'spared' | 'unkept' | 'lost' | 'failed' }

/** How a URL is fetched for a client. */
export interface Way {
  readonly key: string
  readonly route: RouteId
  readonly settings: PrefetchSettings
  /** Must carry its own deadline; never rejects. */
  run(): Promise<Fetched>
}

/** @returns undefined for what stands already, and for what the client could not ask for, or not be answered from the store */
export type Planner = (url: string) => Way | undefined

interface Pending {
  readonly way: Way
  readonly source: Source
  readonly counted: number
  readonly chance: number
  readonly link: Link
  readonly book: PrefetchBook
  readonly startedAtMs: number
  place: WheelPlace | undefined
  isRunning: boolean
  /** How long what was kept is fresh; 0 before. */
  freshMs: number
}

interface Candidate {
  readonly url: string
  readonly source: Source
  readonly counted: number
  readonly link: Link
}

const TICK_MS = 50
const SLOTS = 2048
const MAX_PENDING = 8192
const PENDING_BYTES = 512
const BOOK_BYTES = 2048
/** What stood is looked at again after so long: a page's successors are not looked up at each of its hits. */
const LOOK_EVERY_MS = 1000
/** What proved not to be stored is left alone for so long. */
const UNKEPT_REST_MS = 10 * 60_000
/** How likely what an origin hints at is, before anything is known of its hints. */
const HINT_CHANCE = 0.7
const HINT_LIMITS = { keys: 4096, successors: 16, maxBytes: 2 * 1024 * 1024 }

/** See the module's header. */
export class Prefetch {
  readonly #parts: PrefetchParts
  readonly #rules: PrefetchRules
  readonly #hints = new Successions(HINT_LIMITS)
  readonly #sample = new PrefetchSample()
  readonly #books = new Map<string, PrefetchBook>()
  readonly #paces = new Map<RouteId, PrefetchPace>()
  readonly #pending = new Map<string, Pending>()
  readonly #wheel: Wheel<Pending>
  #isClosed = false

  constructor(parts: PrefetchParts) {
    this.#parts = parts
    this.#rules = new PrefetchRules(parts.limits)
    this.#wheel = new Wheel({ tickMs: TICK_MS, slots: SLOTS, maxItems: MAX_PENDING, nowMs: parts.clock.now() })
  }

  /** Fetched and not yet read, or under way. */
  get pending(): number {
    return this.#pending.size
  }

  /** A client got an answer that stood, or may stand: what is he likely to ask for next? */
  asked(asked: Asked, plan: Planner): void {
    if (this.#isClosed) return // answers under way when the door was replaced
    const now = this.#parts.clock.now()
    if (this.#pending.size > 0) this.#wheel.turn(now, this.#onDue)
    this.#note(asked, now)
    if (asked.client === undefined || !this.#sample.takes(asked.client, now)) return
    const step = { session: asked.client, key: asked.url, nowMs: now, mentions: asked.mentions }
    for (const { key: url, chance: counted, lesson: source, link } of this.#rules.follow(step))
      this.#consider({ url, source, counted, link }, plan, now)
    this.#charge()
  }

  /** The origin says itself what will be asked for next. */
  hinted(url: string, next: readonly string[], plan: Planner): void {
    if (this.#isClosed) return
    const now = this.#parts.clock.now()
    const { followed } = this.#hints.ask(url, now)
    for (const one of next) {
      const link = this.#hints.link(followed, one)
      link.count += 1
      if (link.lookAtMs > now || link.restUntilMs > now) continue
      this.#consider({ url: one, source: 'hint', counted: HINT_CHANCE, link }, plan, now)
    }
    this.#charge()
  }

  /** A load on a route failed: the origin is left in peace. */
  failed(route: RouteId): void {
    this.#pace(route).failed(this.#parts.clock.now())
  }

  close(): void {
    this.#isClosed = true
    for (const pending of [...this.#pending.values()]) this.#drop(pending)
    this.#rules.clear()
    this.#hints.clear()
    this.#parts.ledger.set(ACCOUNT.prefetch, 0)
  }

  /** What the answer says of what was fetched before, and of the origin. */
  #note({ key, route, settings, loadMs }: Asked, now: number): void {
    const pending = this.#pending.size === 0 ? undefined : this.#pending.get(key)
    // What was fetched and is gone by now was of no use to him.
    if (pending !== undefined) this.#settle(pending, loadMs === undefined || pending.isRunning, now)
    if (loadMs === undefined) return
    this.#book(route, 'key', settings).budget.missed()
    if (settings.hints) this.#book(route, 'hint', settings).budget.missed()
    this.#pace(route).loaded(loadMs, now)
  }

  #consider({ url, source, counted, link }: Candidate, plan: Planner, now: number): void {
    const way = plan(url)
    if (way === undefined) {
      if (source !== 'shape') link.lookAtMs = now + LOOK_EVERY_MS // one URL of a shape says nothing of the others
      return
    }
    if (this.#pending.has(way.key) || this.#pending.size >= MAX_PENDING) return
    const { route, settings } = way
    const book = this.#book(route, source, settings)
    book.refresh(now)
    const chance = book.chance(source, counted)
    if (chance < settings.minChance || book.worth.isOff(now)) return
    if (book.running >= settings.concurrency || book.pace.isBusy(now) || !this.#parts.isCalm()) {
      this.#parts.meter.count(COUNTER.prefetchAbandoned, route)
      return
    }
    if (!book.budget.grants(chance)) return
    const begun = { place: undefined, isRunning: true, freshMs: 0, startedAtMs: now }
    this.#start({ way, source, counted, chance, link, book, ...begun }, now)
  }

  #start(pending: Pending, now: number): void {
    const { way, book } = pending
    book.running += 1
    this.#pending.set(way.key, pending)
    this.#await(pending, now + way.settings.patience)
    this.#parts.meter.count(COUNTER.prefetchStarted, way.route)
    void way.run().then((fetched) => this.#ended(pending, fetched))
  }

  #ended(pending: Pending, fetched: Fetched): void {
    const { way, book, link } = pending
    const now = this.#parts.clock.now()
    book.running -= 1
    pending.isRunning = false
    if (fetched.outcome === 'failed') book.pace.failed(now)
    if (fetched.outcome === 'unkept' && pending.source !== 'shape') link.restUntilMs = now + UNKEPT_REST_MS
    if (this.#pending.get(way.key) !== pending) return
    if (fetched.outcome === 'kept') {
      pending.freshMs = fetched.freshMs
      return this.#await(pending, now + Math.min(fetched.freshMs, way.settings.patience))
    }
    if (fetched.outcome === 'spared') {
      this.#parts.meter.count(COUNTER.prefetchSpared, way.route)
      return this.#drop(pending)
    }
    this.#settle(pending, false, now)
  }

  #await(pending: Pending, untilMs: number): void {
    if (pending.place !== undefined) this.#wheel.drop(pending.place)
    pending.place = this.#wheel.set(pending, untilMs)
  }

  readonly #onDue = (pending: Pending): void => {
    pending.place = undefined
    this.#settle(pending, false, this.#parts.clock.now())
  }

  #settle(pending: Pending, wasRead: boolean, now: number): void {
    const { way, source, counted, chance, link, book } = pending
    const { meter } = this.#parts
    this.#drop(pending)
    book.learn(source, counted, wasRead)
    // It ends so much sooner than a load at the request would have: a part of a load is not spared.
    const gap = pending.freshMs === 0 ? 0 : (now - pending.startedAtMs) / pending.freshMs
    book.budget.settle(wasRead, { chance, gap })
    meter.count(wasRead ? COUNTER.prefetchUsed : COUNTER.prefetchWasted, way.route)
    if (settleRule(link, wasRead, now)) meter.count(COUNTER.prefetchDropped, way.route)
    if (book.worth.settle(wasRead, now)) meter.count(COUNTER.prefetchPauses, way.route)
  }

  #drop(pending: Pending): void {
    if (pending.place !== undefined) this.#wheel.drop(pending.place)
    pending.place = undefined
    if (this.#pending.get(pending.way.key) === pending) this.#pending.delete(pending.way.key)
  }

  #book(route: RouteId, source: Source, settings: PrefetchSettings): PrefetchBook {
    const name = source === 'hint' ? `${route} hints` : `${route}`
    let book = this.#books.get(name)
    if (book === undefined) {
      book = new PrefetchBook(settings, { pace: this.#pace(route), nowMs: this.#parts.clock.now() })
      this.#books.set(name, book)
    }
    return book
  }

  #pace(route: RouteId): PrefetchPace {
    let pace = this.#paces.get(route)
    if (pace === undefined) {
      pace = new PrefetchPace()
      this.#paces.set(route, pace)
    }
    return pace
  }

  #charge(): void {
    const held = this.#rules.bytes + this.#hints.bytes + this.#pending.size * PENDING_BYTES + this.#books.size * BOOK_BYTES
    this.#parts.ledger.set(ACCOUNT.prefetch, held)
  }
}
