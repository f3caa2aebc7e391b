/**
 * A table of what follows what: for each key its successors, with how often they followed and what fetching them brought.
 *
 * Floor 3, room flow. Bounded by keys, successors of a key and bytes, the keys that were not asked for longest going first.
 * Counts are halved again and again, so that what has changed is learned anew.
 */
import { OldestFirst } from '../model/oldest.ts'

/** One rule: this follows that. */
export interface Link {
  /** How often it did; fading with its key's. */
  count: number
  /** Fetched because of it, and read in time; since it was last dropped. */
  tried: number
  read: number
  /** Dropped until then. */
  restUntilMs: number
  /** Not looked at before: it stood when it was last looked at, or nobody could ask for it. */
  lookAtMs: number
}

/** A key and its rules. */
export interface Followed {
  /** How often it was asked for; fading. */
  seen: number
  readonly next: Map<string, Link>
  /** When it was last made the youngest. */
  touchedMs: number
  /** It was forgotten: nothing is counted for it any more. */
  isGone: boolean
}

/** Bounds of a table. */
export interface SuccessionLimits {
  readonly keys: number
  /** Of one key. */
  readonly successors: number
  readonly maxBytes: number
}

const HALVED_AT = 64
const KEY_BYTES = 224
const LINK_BYTES = 136
/** What was made the youngest just now need not be again. */
const TOUCH_EVERY_MS = 1000

/** See the module's header. */
export class Successions {
  readonly #limits: SuccessionLimits
  readonly #table = new OldestFirst<Followed>()
  #bytes = 0

  constructor(limits: SuccessionLimits) {
    this.#limits = limits
  }

  /** Keys with their rules. */
  get size(): number {
    return this.#table.size
  }

  /** What it holds, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** What is known of a key. */
  at(key: string): Followed | undefined {
    return this.#table.get(key)
  }

  /** A key was asked for. @returns what is known of it, and how often it was asked for before */
  ask(key: string, nowMs: number): { readonly followed: Followed; readonly before: number } {
    let followed = this.#table.get(key)
    if (followed === undefined) {
      followed = { seen: 0, next: new Map(), touchedMs: Number.NEGATIVE_INFINITY, isGone: false }
      this.#bytes += KEY_BYTES + key.length
    }
    const before = followed.seen
    followed.seen += 1
    if (followed.seen > HALVED_AT) this.#halve(followed)
    if (nowMs - followed.touchedMs >= TOUCH_EVERY_MS) {
      followed.touchedMs = nowMs
      this.#table.set(key, followed)
    }
    this.#shrink()
    return { followed, before }
  }

  /** One followed. */
  count(followed: Followed, next: string): void {
    if (followed.isGone) return
    const link = this.link(followed, next)
    link.count += 1
  }

  /** The rule that one follows; made where there is none. */
  link(followed: Followed, next: string): Link {
    const known = followed.next.get(next)
    if (known !== undefined) return known
    if (followed.next.size >= this.#limits.successors) this.#dropRarest(followed)
    const link: Link = { count: 0, tried: 0, read: 0, restUntilMs: 0, lookAtMs: 0 }
    followed.next.set(next, link)
    this.#bytes += LINK_BYTES + next.length
    return link
  }

  clear(): void {
    this.#table.clear()
    this.#bytes = 0
  }

  #halve(followed: Followed): void {
    followed.seen /= 2
    for (const [key, link] of followed.next) {
      if (link.count < 1) this.#drop(followed, key)
      else link.count /= 2
    }
  }

  #dropRarest(followed: Followed): void {
    let rarest: string | undefined
    let least = Number.POSITIVE_INFINITY
    for (const [key, { count }] of followed.next) {
      if (count >= least) continue
      least = count
      rarest = key
    }
    if (rarest !== undefined) this.#drop(followed, rarest)
  }

  #drop(followed: Followed, key: string): void {
    if (followed.next.delete(key)) this.#bytes -= LINK_BYTES + key.length
  }

  #shrink(): void {
    const { keys, maxBytes } = this.#limits
    while (this.#table.size > keys || (this.#bytes > maxBytes && this.#table.size > 1)) {
      const oldest = this.#table.takeOldest()
      if (oldest === undefined) return
      const [key, gone] = oldest
      gone.isGone = true
      this.#bytes -= KEY_BYTES + key.length
      for (const successor of gone.next.keys()) this.#bytes -= LINK_BYTES + successor.length
    }
  }
}
