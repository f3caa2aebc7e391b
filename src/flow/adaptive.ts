/**
 * Adaptive windows: how often what is loaded has really changed, learned by key and by route; fresh windows chosen by it inside
 * what was promised; routes that a cache cannot help taken out of it.
 *
 * Floor 3, room flow. Learned at the only writer (flow/keep), whether anybody wants windows to be chosen or not; a hit knows
 * nothing of it. What an invalidation has told is no change that a window must guard against: readings with one between them
 * are not compared. Choosing is deterministic: the same comparisons, the same window. A route that is out goes on trying with
 * one key in 16, others each time, and comes back by what these show. Books are those of the meter's routes, so bounded.
 */
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { Standing } from '../model/log.ts'
import { DEFAULT_ROUTE, type Meter, type RouteId } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import { noteChange, readChange } from '../shelf/change-word.ts'
import type { Former } from '../shelf/departed.ts'
import { KeyScan } from '../shelf/fingerprint.ts'
import type { AdaptiveSettings } from './adaptive-options.ts'
import { ChangeBook, type Comparison, isNear } from './change-book.ts'
import { changeChance, estimateRate } from './change-rate.ts'
import { chooseWindow, rateOf, type WindowChoice, type WindowWish } from './choose-window.ts'
import { type Flaw, ReuseBook, type ReuseCounts } from './reuse-book.ts'

/** What it works with. */
export interface AdaptiveParts {
  readonly clock: Clock
  readonly meter: Meter
  readonly memory: {
    former(key: string): Former | undefined
    look(key: string): { readonly value: unknown } | undefined
    /** Answers of `peek`, which tell no route. */
    readonly counts: { readonly hits: number }
  }
  readonly fence: {
    standing(stored: { key: string; asOf: Position; namespace: number; tags: readonly string[] }): Standing
  }
}

/** A reading that is about to be stored. */
export interface Arrival {
  readonly key: string
  readonly namespace: number
  readonly tags: readonly string[]
  readonly route: RouteId
  readonly startedAt: number
  readonly settings: AdaptiveSettings | undefined
  /** Digest of what was read; 0: it cannot be compared. */
  readonly mark: number
  /** Whether it is what stands although the digests differ: it bears the same entity tag. */
  readonly sameAs?: ((standing: unknown) => boolean) | undefined
  /** For which it was promised, ms: until it may not be served any more. */
  readonly windowMs: number
  /** The same reading was stored already, in another form. */
  readonly repeats: boolean
}

/** What of a route is known, of late: all counts fade. */
export interface RouteChange {
  readonly route: string
  /** Refreshes that were compared with what stood. */
  readonly compared: number
  readonly changed: number
  /** Mean time between two changes of one key, ms; null: none was seen. */
  readonly everyMs: number | null
  /** Answers for each load; null: not known yet. */
  readonly reuse: number | null
  readonly flaw: Flaw | null
}

interface Book {
  readonly changes: ChangeBook
  readonly reuse: ReuseBook
  fills: number
  windowMs: number
}

/** One key in so many goes on trying, for this many windows. */
const TRIAL_MASK = 15
const TRIAL_WINDOWS = 8
const MIN_TRIAL_MS = 60_000
const MAX_TRIAL_MS = 3_600_000

/** See the module's header. */
export class Adaptive {
  readonly #parts: AdaptiveParts
  readonly #books = new Map<RouteId, Book>()
  readonly #scan = new KeyScan()

  constructor(parts: AdaptiveParts) {
    this.#parts = parts
  }

  /** Learns from a reading that the fence has admitted. @returns what is known of the key's changes by now */
  learn(arrival: Arrival): number {
    const { route, repeats, windowMs } = arrival
    const former = this.#parts.memory.former(arrival.key)
    const book = this.#book(route)
    const comparison = this.#compare(arrival, former, book)
    const word = former?.word ?? 0
    if (!repeats) {
      book.fills += 1
      book.windowMs = windowMs
      book.reuse.look(this.#parts.clock.now(), windowMs, () => this.#countsOf(route, book))
    }
    if (comparison !== undefined) this.#note(route, book, comparison)
    book.reuse.judge(book.changes)
    return comparison === undefined ? word : noteChange(word, comparison.hasChanged, comparison.gapMs)
  }

  /** The fresh window by what is known. @param word of the key; default: what is known of it now */
  choose(at: { readonly route: RouteId; readonly key: string; readonly word?: number }, wish: WindowWish): WindowChoice {
    return chooseWindow({ key: readChange(at.word ?? this.wordOf(at.key)), route: this.#books.get(at.route)?.changes }, wish)
  }

  /** Counts how a window was chosen that is being stored. */
  tell(route: RouteId, { promisedMs, freshMs }: { readonly promisedMs: number; readonly freshMs: number }): void {
    const { meter } = this.#parts
    if (freshMs > promisedMs) meter.count(COUNTER.windowsLonger, route)
    else if (freshMs < promisedMs) meter.count(COUNTER.windowsShorter, route)
    else meter.count(COUNTER.windowsKept, route)
  }

  /** Whether what is read under a key of a route does not go there. */
  isOutOf(place: 'l2' | 'cache', { route, key, settings }: Pick<Arrival, 'route' | 'key' | 'settings'>): boolean {
    if (settings?.demote !== place) return false
    const book = this.#books.get(route)
    if (book?.reuse.flaw === undefined || this.#isTrying(key, book)) return false
    return true
  }

  /** Whether what is read under a key of a route is not for the second level. */
  isLocal(at: Pick<Arrival, 'route' | 'key' | 'settings'>): boolean {
    return at.settings !== undefined && at.settings.demote !== 'off' && (this.isOutOf('l2', at) || this.isOutOf('cache', at))
  }

  /** See shelf/change-word; 0: nothing is known. */
  wordOf(key: string): number {
    return this.#parts.memory.former(key)?.word ?? 0
  }

  /** What is known of one key, of late. */
  ofKey(key: string): Pick<RouteChange, 'compared' | 'changed' | 'everyMs'> {
    const { seen, changed, quietMs, changedMs } = readChange(this.wordOf(key))
    const [quiet, gaps] = [seen - changed, changed === 0 ? [] : [{ count: changed, gapMs: changedMs }]]
    const rate = seen === 0 ? 0 : estimateRate({ changed: gaps, quiet, quietMs: quiet * quietMs })
    return { compared: seen, changed, everyMs: rate === 0 ? null : Math.round(1 / rate) }
  }

  /** The chance that what is read under a key has changed so long after; undefined: too little is known. */
  chanceAfter(ms: number, { key, route }: { readonly key: string; readonly route: RouteId }): number | undefined {
    const book = this.#books.get(route)
    if (book?.changes.isKnown !== true) return undefined
    return changeChance(rateOf(readChange(this.wordOf(key)), book.changes.cautious), ms)
  }

  /** What was learned, by route. */
  routes(): readonly RouteChange[] {
    return [...this.#books.keys()].map((route) => this.ofRoute(route))
  }

  ofRoute(route: RouteId): RouteChange {
    const book = this.#books.get(route)
    const rate = book?.changes.rate() ?? 0
    const reuse = book?.reuse.reuse
    return {
      route: this.#parts.meter.routes[route] ?? '',
      compared: round(book?.changes.seen ?? 0),
      changed: round(book?.changes.changed ?? 0),
      everyMs: rate === 0 ? null : Math.round(1 / rate),
      reuse: reuse === undefined ? null : round(reuse),
      flaw: book?.reuse.flaw ?? null,
    }
  }

  #compare(arrival: Arrival, former: Former | undefined, book: Book): Comparison | undefined {
    const { key, namespace, tags, mark, startedAt } = arrival
    if (former === undefined || former.mark === 0 || mark === 0) return undefined
    const gapMs = startedAt - former.storedAt
    if (!(gapMs > 0) || gapMs > this.#longestGap(arrival, book)) return undefined
    const { fence, memory } = this.#parts
    if (fence.standing({ key, namespace, tags, asOf: former.asOf }) !== 'current') return undefined
    const hasChanged = former.mark !== mark && arrival.sameAs?.(memory.look(key)?.value) !== true
    return { hasChanged, gapMs, isNear: isNear(gapMs, former.freshMs) }
  }

  /** Where a route is out, what a key was when it tried the last time says nothing of one window. */
  #longestGap({ settings }: Arrival, book: Book): number {
    const isOut = book.reuse.flaw !== undefined && settings !== undefined && settings.demote !== 'off'
    return isOut ? trialMs(book) : Number.POSITIVE_INFINITY
  }

  #note(route: RouteId, book: Book, comparison: Comparison): void {
    const { meter } = this.#parts
    const seconds = book.changes.learn(comparison)
    meter.count(comparison.hasChanged ? COUNTER.comparedChanged : COUNTER.comparedSame, route)
    meter.add(comparison.hasChanged ? COUNTER.changedSeconds : COUNTER.sameSeconds, route, seconds)
  }

  /** What `peek` answered may have been any route's: in doubt it was this one's. */
  #countsOf(route: RouteId, { fills }: Book): ReuseCounts {
    const { meter, memory } = this.#parts
    const own =
      meter.read('hits', route) +
      meter.read('staleServes', route) +
      meter.read('reserveServes', route) +
      meter.read('coalesced', route)
    return { fills, answers: route === DEFAULT_ROUTE ? own : own + memory.counts.hits }
  }

  #isTrying(key: string, book: Book): boolean {
    this.#scan.read(key)
    const turn = Math.floor(this.#parts.clock.now() / trialMs(book))
    return (((this.#scan.print >>> 4) + turn) & TRIAL_MASK) === 0
  }

  #book(route: RouteId): Book {
    let book = this.#books.get(route)
    if (book === undefined) {
      book = { changes: new ChangeBook(), reuse: new ReuseBook(), fills: 0, windowMs: 0 }
      this.#books.set(route, book)
    }
    return book
  }
}

function trialMs({ windowMs }: Book): number {
  return Math.min(MAX_TRIAL_MS, Math.max(MIN_TRIAL_MS, windowMs * TRIAL_WINDOWS))
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
