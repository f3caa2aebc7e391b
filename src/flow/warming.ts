/**
 * Warming: what is read most is asked for before anybody waits for it. After a start and after an invalidation at once, before
 * the hour in which it is usually read, and when the origin is idle.
 *
 * Floor 3, room flow. A hit costs nothing more. Everything is a fill like any other, through the fence: what was read before an
 * invalidation is not stored after it. Nothing is done while the origin is slow, fails or is busy with others, while memory is
 * short, or where it does not pay; nothing is repeated because it failed. Without a call of `noted` there is no timer.
 */
import type { Way } from '../model/audit.ts'
import type { Timer } from '../model/clock.ts'
import { ACCOUNT } from '../model/ledger.ts'
import type { LogRecord } from '../model/log.ts'
import { HotBook, type HotKey } from './warm-book.ts'
import { WarmBudget } from './warm-budget.ts'
import { createCalendar } from './warm-calendar.ts'
import { type ChoiceParts, chooseAfterBump, chooseForHour, chooseForQuiet, chooseForStart } from './warm-choice.ts'
import { WarmCrew } from './warm-crew.ts'
import type { WarmAgain, WarmPartsInput } from './warm-parts.ts'
import { packWarmth, type SavedWarmth } from './warm-saved.ts'
import { Rhythm } from './warm-rhythm.ts'
import type { WarmSettings } from './warm-options.ts'
import { WarmOutcomes, type WarmStanding } from './warm-outcomes.ts'

/** Between two looks, and while something waits to be asked for. */
const TICK_MS = 1000
const BUSY_TICK_MS = 50
/** Every key's row is looked at once in so many ticks. */
const SCAN_TICKS = 10
/** Between two choices of what to ask for in quiet times. */
const CHOOSE_EVERY_MS = 10_000
/** Several invalidations in a row are one; and what a look at all keys costs stays a part in a hundred or so. */
const BUMP_EVERY_MS = 1000
const BUMP_EVERY_MS_A_KEY = 0.1
/** Shorter windows are over before anybody comes; longer ones need no warming. */
const MIN_FRESH_MS = 1000
const MAX_READS = 255

/** See the module's header. */
export class Warming {
  readonly #parts: WarmPartsInput
  readonly #book: HotBook
  readonly #budget: WarmBudget
  readonly #outcomes: WarmOutcomes
  readonly #crew: WarmCrew
  #rename: (key: string) => string = (key) => key
  #timer: Timer | undefined
  #unsubscribe: (() => void) | undefined
  #scan: IterableIterator<HotKey> | undefined
  #scannedAtMs = 0
  #chooseAtMs = 0
  #bumpAtMs = Number.POSITIVE_INFINITY
  #bumpedAtMs = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: WarmPartsInput) {
    this.#parts = parts
    const { settings, clock, meter, memory, maxBytes } = parts
    const { keys: maxKeys, halfLife: halfLifeMs, extra, rate, urgentRate, minPrecision } = settings
    this.#book = new HotBook({ maxKeys, maxBytes, halfLifeMs, calendar: createCalendar(settings.timeZone) })
    this.#budget = new WarmBudget({ extra, rate, urgentRate, maxTokens: maxKeys })
    this.#outcomes = new WarmOutcomes({ meter, memory, budget: this.#budget, minPrecision })
    const own = { book: this.#book, budget: this.#budget, outcomes: this.#outcomes }
    this.#crew = new WarmCrew({ ...parts, ...own, look: (hot) => this.#lookAt(hot, clock.now()) })
    this.#chooseAtMs = clock.now() + CHOOSE_EVERY_MS
  }

  get settings(): WarmSettings {
    return this.#parts.settings
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#book.size
  }

  /** Keys that wait to be asked for. */
  get waiting(): number {
    return this.#crew.waiting
  }

  /** How each cause does on each route. */
  standings(): readonly WarmStanding[] {
    return this.#outcomes.standings(this.#parts.clock.now())
  }

  /** Requests that may be spent in quiet times. */
  get tokens(): number {
    return this.#budget.tokens
  }

  /** Lets a door say how its words are asked for. */
  teach(ask: (words: string) => Promise<void>): void {
    this.#crew.teach(ask)
  }

  /** Lets keys follow the versions of their namespaces. */
  follow(rename: (key: string) => string): void {
    this.#rename = rename
    this.#crew.follow(rename)
  }

  /** Says whether invalidations of others would be heard of; default: they would. */
  heed(isSighted: () => boolean): void {
    this.#crew.heed(isSighted)
  }

  /** Something was stored that can be asked for again. */
  noted({ key, way }: { readonly key: string; readonly way?: Way }, warm: WarmAgain): void {
    if (this.#isClosed) return
    const { clock, memory } = this.#parts
    const entry = memory.look(key)
    if (entry === undefined || entry.kind !== 'value' || entry.budget.freshMs < MIN_FRESH_MS) return
    if (this.#book.get(key)?.storedAt === entry.storedAt) return // the same reading in another form
    const ask = warm.ask()
    if (ask === undefined) return
    const now = clock.now()
    this.#book.watch(clock.wall())
    const { storedAt, budget } = entry
    const hot = this.#book.loaded(key, { ask, route: warm.route, storedAt, freshMs: budget.freshMs }, now)
    if (this.#crew.isOwn(hot)) this.#crew.kept(hot, entry)
    else if (way === undefined || way === 'load') {
      this.#book.read(hot, 1, now) // somebody asked for it
      this.#budget.earn()
    }
    this.#unsubscribe ??= this.#parts.fence.onAppend((record) => this.#heard(record))
    this.#arm(TICK_MS)
  }

  /** What is worth keeping for the next process; undefined: nothing is. */
  save(): Buffer | undefined {
    const { clock, meter, settings } = this.#parts
    if (this.#book.size === 0) return undefined
    this.#lookAll()
    const { routes } = meter
    const nameOf = (route: number): string => routes[route] ?? ''
    return packWarmth(this.#book, { now: clock.now(), wallMs: clock.wall(), maxKeys: settings.keys, nameOf })
  }

  /** Takes what a process before has kept. @returns how many keys */
  restore(saved: SavedWarmth): number {
    const { clock, meter, settings } = this.#parts
    const now = clock.now()
    const awayMs = Math.max(0, clock.wall() - saved.at) // a clock that was set back: as if no time had passed
    for (const { rhythm: words, today, route, ageMs, ...one } of saved.keys.slice(0, settings.keys)) {
      const rhythm = words.length === 0 ? new Rhythm() : new Rhythm(Float32Array.from(words))
      rhythm.today = today
      const place = Math.max(0, meter.routes.indexOf(route))
      const times = { heatAtMs: now - awayMs, bornAtMs: now - awayMs - ageMs, storedAt: 0, endMs: 0 }
      this.#book.restore({ ...one, ...times, route: place, rhythm, rowReads: 0, failures: 0 }, now)
    }
    this.#book.resume(saved.day, saved.watched, clock.wall())
    if (this.#book.size > 0) this.#arm(TICK_MS)
    return this.#book.size
  }

  /**
   * Asks for what is read most and does not stand, hottest first.
   *
   * @returns when all is there, or after `withinMs`: then the rest goes on behind
   */
  async begin(withinMs: number): Promise<void> {
    const { clock } = this.#parts
    this.#crew.add(chooseForStart(this.#choice(), clock.now()))
    if (this.#crew.waiting === 0) return
    this.#arm(0)
    const endMs = clock.now() + withinMs
    while (!this.#isClosed && !this.#crew.isIdle && clock.now() < endMs)
      await new Promise<void>((resolve) => void clock.after(Math.min(BUSY_TICK_MS, Math.max(1, endMs - clock.now())), resolve))
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#unsubscribe?.()
    this.#crew.close()
    this.#parts.ledger.set(ACCOUNT.warm, 0)
  }

  #heard({ targets }: LogRecord): void {
    if (this.#bumpAtMs !== Number.POSITIVE_INFINITY || targets.every(({ kind }) => kind === 'key')) return
    const everyMs = Math.max(BUMP_EVERY_MS, this.#book.size * BUMP_EVERY_MS_A_KEY)
    this.#bumpAtMs = Math.max(this.#parts.clock.now(), this.#bumpedAtMs + everyMs)
    this.#arm(0)
  }

  /** @param afterMs 0: as soon as whoever is at work now has finished */
  #arm(afterMs: number): void {
    const isUrgent = afterMs === 0
    if (this.#timer !== undefined && !isUrgent) return
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(afterMs, this.#turn)
  }

  readonly #turn = (): void => {
    this.#timer = undefined
    if (this.#isClosed) return
    const { clock, ledger } = this.#parts
    const now = clock.now()
    const moment = this.#book.watch(clock.wall())
    if (now - this.#scannedAtMs >= TICK_MS) {
      this.#look(now)
      this.#outcomes.look(now)
      ledger.set(ACCOUNT.warm, this.#book.bytes)
    }
    if (now >= this.#bumpAtMs) {
      this.#bumpAtMs = Number.POSITIVE_INFINITY
      this.#bumpedAtMs = now
      this.#lookAll()
      this.#crew.add(chooseAfterBump(this.#choice(), now))
    }
    if (now >= this.#chooseAtMs) {
      this.#chooseAtMs = now + CHOOSE_EVERY_MS
      this.#budget.expect(this.#book.rhythmic)
      this.#crew.add(chooseForHour(this.#choice(), now, moment))
      if (this.#crew.waiting === 0 && this.#budget.tokens >= 1) this.#crew.add(chooseForQuiet(this.#choice(), now, moment))
    }
    this.#crew.run()
    if (this.#book.size > 0) this.#arm(this.#crew.isIdle && this.#bumpAtMs === Number.POSITIVE_INFINITY ? TICK_MS : BUSY_TICK_MS)
  }

  #choice(): ChoiceParts {
    const { settings, memory, ahead } = this.#parts
    return {
      book: this.#book,
      memory,
      minChance: settings.minChance,
      leadMs: settings.lead,
      rename: this.#rename,
      isWatched: (key) => ahead.watches(key),
    }
  }

  /** Some keys' rows: how often they were read since. */
  #look(now: number): void {
    this.#scannedAtMs = now
    const count = Math.ceil(this.#book.size / SCAN_TICKS)
    for (let seen = 0; seen < count; seen += 1) {
      const next = this.#scan?.next()
      if (next === undefined || next.done === true) {
        this.#scan = this.#book.all()
        continue
      }
      this.#lookAt(next.value, now)
    }
  }

  /** Before something is decided for all of them. */
  #lookAll(): void {
    const now = this.#parts.clock.now()
    for (const hot of this.#book.all()) this.#lookAt(hot, now)
  }

  #lookAt(hot: HotKey, now: number): void {
    const { memory } = this.#parts
    const row = memory.arrivals(hot.key)
    if (row === undefined) return
    const entry = memory.look(hot.key) // without it: the row of what was just invalidated
    if (entry !== undefined && entry.storedAt !== hot.storedAt) {
      hot.storedAt = entry.storedAt
      hot.endMs = entry.storedAt + entry.budget.freshMs
      hot.rowReads = 0
    }
    const isFull = row.reads === MAX_READS && hot.rowReads === MAX_READS && row.sinceReadMs < SCAN_TICKS * TICK_MS
    const reads = isFull ? (SCAN_TICKS * TICK_MS) / Math.max(4, row.gapMs) : Math.max(0, row.reads - hot.rowReads)
    hot.rowReads = row.reads
    this.#book.read(hot, reads, now)
  }
}
