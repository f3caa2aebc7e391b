/**
 * The policies of freshness that are compared: a plain TTL, stale-while-revalidate, a refresh by the reads of the last tenth,
 * XFetch, and the clairvoyant.
 *
 * XFetch: A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
 */
import type { Random } from '../../src/model/random.ts'
import { EARLY, FRESH, MISS, type Outcome, type Policy, STALE, type Timed } from './replay.ts'

/** What all have in common. */
export interface Wish {
  readonly distinct: number
  readonly ttlMs: number
  /** How long something may be served stale while it is refreshed; 0: not at all. */
  readonly staleMs: number
}

/** When each key's entry ends. */
abstract class Windows implements Policy {
  abstract readonly name: string
  protected readonly wish: Wish
  protected readonly endMs: Float64Array

  constructor(wish: Wish) {
    this.wish = wish
    this.endMs = new Float64Array(wish.distinct).fill(Number.NEGATIVE_INFINITY)
  }

  advance(_nowMs: number): number {
    return 0
  }

  ask(id: number, nowMs: number): Outcome {
    const end = this.endMs[id] as number
    if (nowMs < end) return this.read(id, nowMs)
    this.store(id, nowMs)
    return nowMs < end + this.wish.staleMs ? STALE : MISS
  }

  protected read(_id: number, _nowMs: number): Outcome {
    return FRESH
  }

  protected store(id: number, nowMs: number): void {
    this.endMs[id] = nowMs + this.wish.ttlMs
  }
}

/** A plain TTL; with a stale window stale-while-revalidate. */
export class Plain extends Windows {
  override get name(): string {
    return this.wish.staleMs > 0 ? 'swr' : 'ttl'
  }
}

/** Whoever reads in the last tenth of the window has it refreshed. */
export class LastTenth extends Windows {
  readonly name = 'last 10 %'

  protected override read(id: number, nowMs: number): Outcome {
    if (nowMs < (this.endMs[id] as number) - this.wish.ttlMs / 10) return FRESH
    this.store(id, nowMs)
    return EARLY
  }
}

/** Reads refresh by chance, the likelier the nearer the end. */
export class XFetch extends Windows {
  readonly name = 'xfetch'
  readonly #random: Random
  readonly #loadMs: number

  constructor(wish: Wish, { random, loadMs }: { readonly random: Random; readonly loadMs: number }) {
    super(wish)
    this.#random = random
    this.#loadMs = loadMs
  }

  protected override read(id: number, nowMs: number): Outcome {
    if (nowMs - this.#loadMs * Math.log(1 - this.#random()) < (this.endMs[id] as number)) return FRESH
    this.store(id, nowMs)
    return EARLY
  }
}

/** Knows what comes: refreshes at the end exactly what is read within one more window. Costs no request that a TTL would not. */
export class Oracle extends Windows {
  readonly name = 'oracle'
  readonly #next: Float64Array
  readonly #nextOf: Float64Array
  #at = 0

  constructor(wish: Wish, { ids, atMs, distinct }: Timed) {
    super(wish)
    this.#nextOf = new Float64Array(distinct).fill(Number.POSITIVE_INFINITY)
    this.#next = new Float64Array(ids.length)
    for (let i = ids.length - 1; i >= 0; i -= 1) {
      const id = ids[i] as number
      this.#next[i] = this.#nextOf[id] as number
      this.#nextOf[id] = atMs[i] as number
    }
  }

  override ask(id: number, nowMs: number): Outcome {
    const end = this.endMs[id] as number
    const isFresh = nowMs < end
    if (!isFresh) this.store(id, nowMs)
    const next = this.#next[this.#at] as number
    this.#at += 1
    const newEnd = this.endMs[id] as number
    const isAhead = next >= newEnd && next < newEnd + this.wish.ttlMs
    if (isAhead) this.endMs[id] = newEnd + this.wish.ttlMs
    const outcome = isFresh ? FRESH : MISS
    return isAhead ? { served: outcome.served, origin: outcome.origin + 1 } : outcome
  }
}
