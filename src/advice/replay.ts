/**
 * Replays requests over a table with the product's own eviction policy, bounded in bytes, with windows for each route.
 *
 * Floor 4, room advice. Time is the log's; a load takes none. About 100 ns a request.
 */
import { LargeBodies } from '../shelf/large-bodies.ts'
import { createEviction, type Eviction } from '../shelf/policies.ts'
import { ENTRY_BYTES } from '../shelf/holdings.ts'
import { mix } from './hash.ts'
import type { Trace } from './trace.ts'

/** How long a route's answers are served; both 0: it is not cached. */
export interface Windows {
  readonly freshMs: number
  readonly staleMs: number
}

/** What came of requests. */
export interface Served {
  requests: number
  fresh: number
  stale: number
  misses: number
}

/** Head of a response, its key, and what an entry takes beside them. */
export const OVERHEAD_BYTES = ENTRY_BYTES + 384

/** Larger bodies stream through and are not stored: the default of `limits.body`. */
export const MAX_BODY_BYTES = 1024 * 1024

/** What a replay is to be like. */
export interface ReplayWish {
  readonly maxBytes: number
  /** By place of the route. */
  readonly windows: readonly Windows[]
  /** Bytes beside each answer's own; default OVERHEAD_BYTES. */
  readonly overheadBytes?: number
}

/** @returns by place of the route */
export function replay(trace: Trace, { maxBytes, windows, overheadBytes = OVERHEAD_BYTES }: ReplayWish): Served[] {
  const served = windows.map(() => ({ requests: 0, fresh: 0, stale: 0, misses: 0 }))
  const shelf = new Shelf(trace.distinct, maxBytes)
  const endMs = new Float64Array(trace.distinct).fill(Number.NEGATIVE_INFINITY)
  for (let i = 0; i < trace.ids.length; i += 1) {
    const id = trace.ids[i] as number
    const route = trace.routes[i] as number
    const now = trace.atMs[i] as number
    const { freshMs, staleMs } = windows[route] as Windows
    const tally = served[route] as Served
    tally.requests += 1
    const isHeld = shelf.read(id)
    const end = endMs[id] as number
    if (isHeld && now < end) {
      tally.fresh += 1
      continue
    }
    if (isHeld && now < end + staleMs) tally.stale += 1
    else tally.misses += 1
    if (freshMs === 0 || (trace.bytes[i] as number) > MAX_BODY_BYTES) continue
    shelf.store(id, (trace.bytes[i] as number) + overheadBytes)
    endMs[id] = now + freshMs
  }
  return served
}

/** All routes together. */
export function sumServed(all: readonly Served[]): Served {
  const sum = { requests: 0, fresh: 0, stale: 0, misses: 0 }
  for (const one of all) {
    sum.requests += one.requests
    sum.fresh += one.fresh
    sum.stale += one.stale
    sum.misses += one.misses
  }
  return sum
}

/** What is held, by dense number: the slot of a key is its number. */
class Shelf {
  readonly #policy: Eviction
  readonly #weights: Float64Array
  readonly #large = new LargeBodies()
  readonly #maxBytes: number
  #bytes = 0
  #entries = 0

  constructor(distinct: number, maxBytes: number) {
    this.#weights = new Float64Array(distinct)
    this.#maxBytes = maxBytes
    const host = { weightOf: (slot: number) => this.#weights[slot] as number, cool: () => {}, release: () => {} }
    this.#policy = createEviction('s3-fifo', host, maxBytes)
    this.#policy.grow(Math.max(1, distinct))
  }

  /** Whether it is held; a read counts for the policy. */
  read(id: number): boolean {
    if (this.#weights[id] === 0) return false
    this.#policy.touch(id)
    return true
  }

  store(id: number, weight: number): void {
    const former = this.#weights[id] as number
    if (former > 0) return this.#replace(id, weight - former)
    if (weight > this.#maxBytes) return
    const meanBytes = this.#bytes / Math.max(1, this.#entries)
    const isFull = this.#bytes + weight > this.#maxBytes
    if (isFull && !this.#large.admits(mix(id, 0x77), weight, { entries: this.#entries, meanBytes })) return
    this.#policy.arrive(mix(id, 0x77))
    this.#makeRoom(weight)
    this.#weights[id] = weight
    this.#bytes += weight
    this.#entries += 1
    this.#policy.insert(id, weight)
  }

  #replace(id: number, delta: number): void {
    this.#makeRoom(delta)
    if (this.#weights[id] === 0) return // it was itself the victim
    this.#weights[id] = (this.#weights[id] as number) + delta
    this.#bytes += delta
    if (delta !== 0) this.#policy.reweigh(id, delta)
  }

  #makeRoom(weight: number): void {
    while (this.#bytes + weight > this.#maxBytes) {
      const victim = this.#policy.evict()
      if (victim < 0) return
      this.#bytes -= this.#weights[victim] as number
      this.#entries -= 1
      this.#weights[victim] = 0
    }
  }
}
