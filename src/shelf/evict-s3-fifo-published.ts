/**
 * S3-FIFO as published and as libCacheSim runs it: small queue 10 %, promotion at the second re-read, a ghost of 90 %.
 *
 * Floor 1, room shelf. For checking and comparison: the figures of the paper's own simulator must come out of it.
 *
 * @see Yang et al., FIFO queues are all you need for cache eviction, SOSP 2023
 */
import type { Eviction, EvictionHost } from './evict.ts'
import { DoubleLinks, List } from './list.ts'

const SMALL_SHARE = 0.1
const GHOST_SHARE = 0.9
const PROMOTE_AT = 2
const MAX_ROUNDS = 3
const SMALL = 0
const MAIN = 1

/** See the module's header. */
export class S3FifoPublished implements Eviction {
  readonly #host: EvictionHost
  readonly #links = new DoubleLinks()
  readonly #queues = [new List(this.#links), new List(this.#links)] as const
  /** Hash to the weight evicted before it, in order of eviction. */
  readonly #ghost = new Map<number, number>()
  readonly #mainLimit: number
  readonly #ghostLimit: number
  /** Weight that has left the small queue since the start. */
  #evicted = 0
  #frequency = new Uint8Array(0)
  #hash = new Int32Array(0)
  #arriving = 0
  #queue = new Uint8Array(0)
  #returning = false

  /** @param capacity the whole weight the host will hold: the queues' limits are shares of it */
  constructor(host: EvictionHost, capacity: number) {
    this.#host = host
    this.#mainLimit = capacity - Math.floor(capacity * SMALL_SHARE)
    this.#ghostLimit = Math.floor(capacity * GHOST_SHARE)
  }

  grow(slots: number): void {
    if (slots <= this.#queue.length) return
    const frequency = new Uint8Array(slots)
    frequency.set(this.#frequency)
    this.#frequency = frequency
    const queue = new Uint8Array(slots)
    queue.set(this.#queue)
    this.#queue = queue
    const hash = new Int32Array(slots)
    hash.set(this.#hash)
    this.#hash = hash
    this.#links.grow(slots)
  }

  arrive(hash: number): void {
    this.#arriving = hash
    const before = this.#ghost.get(hash)
    this.#returning = before !== undefined && this.#evicted - before <= this.#ghostLimit
    if (before !== undefined) this.#ghost.delete(hash)
  }

  insert(slot: number, weight: number): void {
    const queue = this.#returning ? MAIN : SMALL
    this.#returning = false
    this.#frequency[slot] = 0
    this.#hash[slot] = this.#arriving
    this.#queue[slot] = queue
    this.#queues[queue].push(slot, weight)
  }

  touch(slot: number): boolean {
    const frequency = this.#frequency[slot] as number
    if (frequency < 255) this.#frequency[slot] = frequency + 1
    return false
  }

  reweigh(slot: number, delta: number): void {
    this.#listOf(slot).weight += delta
  }

  remove(slot: number): void {
    this.#listOf(slot).unlink(slot, this.#host.weightOf(slot))
    this.#host.release(slot)
  }

  evict(): number {
    const [small, main] = this.#queues
    if (main.weight > this.#mainLimit || small.count === 0) return this.#evictMain()
    while (small.count > 0) {
      const slot = small.oldest
      const weight = this.#host.weightOf(slot)
      small.unlink(slot, weight)
      if ((this.#frequency[slot] as number) < PROMOTE_AT) {
        this.#remember(this.#hash[slot] as number, weight)
        return slot
      }
      this.#frequency[slot] = 0
      this.#queue[slot] = MAIN
      main.push(slot, weight)
    }
    return this.#evictMain()
  }

  #evictMain(): number {
    const main = this.#queues[MAIN]
    for (;;) {
      const slot = main.oldest
      if (slot < 0) return -1
      const weight = this.#host.weightOf(slot)
      main.unlink(slot, weight)
      const frequency = this.#frequency[slot] as number
      if (frequency === 0) return slot
      this.#frequency[slot] = Math.min(frequency, MAX_ROUNDS) - 1
      main.push(slot, weight)
    }
  }

  #listOf(slot: number): List {
    return this.#queues[this.#queue[slot] === MAIN ? MAIN : SMALL]
  }

  /** The ghost is a window over what was evicted: a key that was asked for again leaves it, but frees no room. */
  #remember(hash: number, weight: number): void {
    for (const [oldest, before] of this.#ghost) {
      if (this.#evicted + weight - before <= this.#ghostLimit) break
      this.#ghost.delete(oldest)
    }
    this.#ghost.delete(hash)
    this.#ghost.set(hash, this.#evicted)
    this.#evicted += weight
  }
}
