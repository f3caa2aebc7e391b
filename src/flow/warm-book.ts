/**
 * The keys that are read most, counted with decay, with what is needed to ask for them again.
 *
 * Floor 3, room flow. Keys come in when they are loaded; how often they are read stands in their rows anyway and is looked at
 * now and then, so that a hit costs nothing more. Bounded in keys and bytes: the coldest quarter goes when it is full. Two
 * counts: one of the half-life that was asked for, one of ten minutes, for what is hot just now.
 */
import type { RouteId } from '../model/meter.ts'
import type { Calendar, Moment } from './warm-calendar.ts'
import { Rhythm } from './warm-rhythm.ts'

/** How a key is asked for again: words that a door has taught to understand, or a function of the key as it is by then. */
export type WarmAsk = string | ((key: string) => Promise<void>)

/** A key that is remembered. */
export interface HotKey {
  key: string
  ask: WarmAsk
  route: RouteId
  /** Reads, faded to `heatAtMs`. */
  heat: number
  recent: number
  heatAtMs: number
  bornAtMs: number
  /** Reads of its row when it was looked at last, and of which entry that was. */
  rowReads: number
  storedAt: number
  /** How long its entries are fresh, and until when the last one is; `clock.now()`. */
  freshMs: number
  endMs: number
  rhythm: Rhythm
  /** Times in a row that asking brought nothing to store. */
  failures: number
}

/** What a book is made with. */
export interface HotBookOptions {
  readonly maxKeys: number
  readonly maxBytes: number
  readonly halfLifeMs: number
  readonly calendar: Calendar
}

/** What is known of a key when it was loaded. */
export type Loaded = Pick<HotKey, 'ask' | 'route' | 'storedAt' | 'freshMs'>

const RECENT_HALF_LIFE_MS = 600_000
/** A record with its numbers, its places and its rhythm. */
const RECORD_BYTES = 640
/** So many hours of a day, that it counts as watched: one is missing when the clocks go forward. */
const WHOLE_HOURS = 18
const MIN_WINDOW_MS = 60_000

/** See the module's header. */
export class HotBook {
  readonly #options: HotBookOptions
  readonly #keys = new Map<string, HotKey>()
  readonly #byWords = new Map<string, HotKey>()
  #bytes = 0
  #moment: Moment | undefined
  /** Hours of today in which this was running, a bit each. */
  #watched = 0

  constructor(options: HotBookOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#keys.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Hours of today in which it was watched, a bit each; and which day that is. */
  get today(): { readonly day: number; readonly watched: number } {
    return { day: this.#moment?.day ?? 0, watched: this.#watched }
  }

  /** Keys that have their hours. */
  get rhythmic(): number {
    let count = 0
    for (const { rhythm } of this.#keys.values()) if (rhythm.isSound) count += 1
    return count
  }

  get(key: string): HotKey | undefined {
    return this.#keys.get(key)
  }

  all(): IterableIterator<HotKey> {
    return this.#keys.values()
  }

  /** Time goes on: at the end of a day rhythms learn what it was. A clock that was stepped back begins a day anew. */
  watch(wallMs: number): Moment {
    const moment = this.#options.calendar(wallMs)
    const before = this.#moment
    if (before !== undefined && before.day !== moment.day) {
      const isWhole = moment.day > before.day && countBits(this.#watched) >= WHOLE_HOURS
      for (const hot of this.#keys.values()) hot.rhythm.close(before.weekday, isWhole)
      this.#watched = 0
    }
    this.#moment = moment
    this.#watched |= 1 << moment.hour
    return moment
  }

  /** A key was loaded. What is asked for with the same words is the same, though it stand under another key now. */
  loaded(key: string, loaded: Loaded, now: number): HotKey {
    const former = typeof loaded.ask === 'string' ? this.#byWords.get(loaded.ask) : undefined
    if (former !== undefined && former.key !== key) this.move(former, key)
    const known = this.#keys.get(key)
    if (known === undefined && this.#isFull) this.#prune(now)
    const hot = known ?? newcomer(key, loaded, now)
    if (known !== undefined) this.#drop(key)
    Object.assign(hot, loaded, { endMs: loaded.storedAt + loaded.freshMs, rowReads: 0, failures: 0 })
    this.#put(hot)
    return hot
  }

  /** A key of before, from whoever kept it. */
  restore(hot: HotKey, now: number): void {
    this.#drop(hot.key)
    this.#put(hot)
    if (this.#isFull) this.#prune(now)
  }

  /** It was today, before this process began. */
  resume(day: number, watched: number, wallMs: number): void {
    if (this.watch(wallMs).day === day) this.#watched |= watched
    else for (const { rhythm } of this.#keys.values()) rhythm.close(0, false)
  }

  /** So many more reads. */
  read(hot: HotKey, reads: number, now: number): void {
    if (reads <= 0) return
    this.#fade(hot, now)
    hot.heat += reads
    hot.recent += reads
    if (this.#moment !== undefined) hot.rhythm.note(this.#moment.hour, reads)
  }

  drop(key: string): void {
    this.#drop(key)
  }

  /** It stands under another key from now on. */
  move(hot: HotKey, key: string): void {
    this.#drop(hot.key)
    this.#drop(key)
    hot.key = key
    this.#put(hot)
  }

  heatOf(hot: HotKey, now: number): number {
    return hot.heat * 2 ** (-Math.max(0, now - hot.heatAtMs) / this.#options.halfLifeMs)
  }

  /** Reads a ms, over the half-life; the read that brought it in says nothing. */
  rateOf(hot: HotKey, now: number): number {
    return rateOf(this.heatOf(hot, now), this.#options.halfLifeMs, now - hot.bornAtMs)
  }

  /** Reads a ms, of late. */
  recentRateOf(hot: HotKey, now: number): number {
    const recent = hot.recent * 2 ** (-Math.max(0, now - hot.heatAtMs) / RECENT_HALF_LIFE_MS)
    return rateOf(recent, RECENT_HALF_LIFE_MS, now - hot.bornAtMs)
  }

  /** Some, hottest first. */
  sorted(some: Iterable<HotKey>, now: number): HotKey[] {
    const heats = Array.from(some, (hot) => ({ hot, heat: this.heatOf(hot, now) }))
    return heats.sort((a, b) => b.heat - a.heat).map(({ hot }) => hot)
  }

  /** All, hottest first. */
  hottest(now: number): HotKey[] {
    return this.sorted(this.#keys.values(), now)
  }

  get #isFull(): boolean {
    const { maxKeys, maxBytes } = this.#options
    return this.#keys.size >= maxKeys || this.#bytes > maxBytes
  }

  #put(hot: HotKey): void {
    this.#keys.set(hot.key, hot)
    if (typeof hot.ask === 'string') this.#byWords.set(hot.ask, hot)
    this.#bytes += RECORD_BYTES + hot.key.length * 2 + bytesOf(hot.ask)
  }

  #drop(key: string): void {
    const hot = this.#keys.get(key)
    if (hot === undefined) return
    this.#keys.delete(key)
    if (typeof hot.ask === 'string' && this.#byWords.get(hot.ask) === hot) this.#byWords.delete(hot.ask)
    this.#bytes -= RECORD_BYTES + key.length * 2 + bytesOf(hot.ask)
  }

  #fade(hot: HotKey, now: number): void {
    const ms = Math.max(0, now - hot.heatAtMs)
    hot.heat *= 2 ** (-ms / this.#options.halfLifeMs)
    hot.recent *= 2 ** (-ms / RECENT_HALF_LIFE_MS)
    hot.heatAtMs = now
  }

  /** A pass over all, paid for by as many keys as it lets go. */
  #prune(now: number): void {
    const maxBytes = (this.#options.maxBytes * 3) / 4
    const maxKeys = Math.floor((this.#options.maxKeys * 3) / 4)
    for (const { key } of this.hottest(now).reverse()) {
      if (this.#keys.size <= maxKeys && this.#bytes <= maxBytes) break
      this.#drop(key)
    }
  }
}

function newcomer(key: string, loaded: Loaded, now: number): HotKey {
  const counts = { heat: 0, recent: 0, heatAtMs: now, bornAtMs: now, rowReads: 0, endMs: 0, failures: 0 }
  return { ...loaded, ...counts, key, rhythm: new Rhythm() }
}

function rateOf(heat: number, halfLifeMs: number, ageMs: number): number {
  const scaleMs = halfLifeMs / Math.LN2
  const windowMs = scaleMs * (1 - Math.exp(-Math.max(0, ageMs) / scaleMs))
  return Math.max(0, heat - Math.exp(-Math.max(0, ageMs) / scaleMs)) / Math.max(MIN_WINDOW_MS, windowMs)
}

/** A closure holds what its caller gave it; that is not known here. */
function bytesOf(ask: WarmAsk): number {
  return typeof ask === 'string' ? ask.length * 2 : 256
}

function countBits(mask: number): number {
  let count = 0
  for (let left = mask; left !== 0; left &= left - 1) count += 1
  return count
}
