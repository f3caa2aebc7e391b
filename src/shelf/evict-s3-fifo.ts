/**
 * The default policy: S3-FIFO, promoting after one re-read, its small queue steered by what both ghosts regret.
 *
 * Floor 1, room shelf. New keys enter the small queue; at its end a key that was read again moves to the main queue, the
 * others leave behind a ghost. The main queue gives every re-read (two bits) another round. A miss that finds itself in
 * the ghost of the small queue was given too little time there; one in the ghost of the main queue was crowded out by the
 * small one: each moves the boundary, between 2 and 60 % of the weight. Nothing moves on a hit.
 *
 * @see Yang et al., FIFO queues are all you need for cache eviction, SOSP 2023
 */
import { Chain, Links } from './chain.ts'
import type { Eviction, EvictionHost } from './evict.ts'
import { Ghost } from './ghost.ts'

const FREQUENCY = 0b0011
const MAIN = 0b0100
const GONE = 0b1000

const START_SHARE = 0.1
const MIN_SHARE = 0.02
const MAX_SHARE = 0.6
/** How long ghosts count, and how near a miss must be to move the boundary, in evictions per stored entry. */
const SMALL_GHOST = { window: 0.5, near: 0.1, step: 2 } as const
const MAIN_GHOST = { window: 1, near: 0.3, step: 1 } as const
/** Gone slots that may stay linked before a queue is sifted, beside a quarter of the living. */
const GONE_SLACK = 64

/** See the module's header. */
export class S3Fifo implements Eviction {
  readonly #host: EvictionHost
  readonly #links = new Links()
  readonly #small = new Chain(this.#links)
  readonly #main = new Chain(this.#links)
  readonly #smallGhost = new Ghost()
  readonly #mainGhost = new Ghost()
  #state = new Uint8Array(0)
  #hash = new Int32Array(0)
  #arriving = 0
  #share = START_SHARE
  #gone = 0
  #returning = false

  constructor(host: EvictionHost) {
    this.#host = host
  }

  /** Share of the weight that the small queue may hold now. */
  get share(): number {
    return this.#share
  }

  grow(slots: number): void {
    if (slots <= this.#state.length) return
    const wider = new Uint8Array(slots)
    wider.set(this.#state)
    this.#state = wider
    const hash = new Int32Array(slots)
    hash.set(this.#hash)
    this.#hash = hash
    this.#links.grow(slots)
  }

  arrive(hash: number): void {
    this.#arriving = hash
    const entries = Math.max(this.#small.count + this.#main.count, 1)
    const small = this.#smallGhost.take(hash)
    if (small >= 0 && small < entries * SMALL_GHOST.window) {
      this.#returning = true
      if (small < entries * SMALL_GHOST.near) this.#share = Math.min(MAX_SHARE, this.#share + SMALL_GHOST.step / entries)
      return
    }
    const main = this.#mainGhost.take(hash)
    this.#returning = main >= 0 && main < entries * MAIN_GHOST.window
    if (main >= 0 && main < entries * MAIN_GHOST.near) this.#share = Math.max(MIN_SHARE, this.#share - MAIN_GHOST.step / entries)
  }

  insert(slot: number, weight: number): void {
    const queue = this.#returning ? this.#main : this.#small
    this.#state[slot] = this.#returning ? MAIN : 0
    this.#hash[slot] = this.#arriving
    this.#returning = false
    queue.push(slot)
    queue.count += 1
    queue.weight += weight
  }

  touch(slot: number): boolean {
    const state = this.#state[slot] as number
    if ((state & FREQUENCY) < FREQUENCY) this.#state[slot] = state + 1
    return (state & FREQUENCY) >= FREQUENCY - 1
  }

  reweigh(slot: number, delta: number): void {
    this.#queueOf(slot).weight += delta
  }

  remove(slot: number): void {
    const queue = this.#queueOf(slot)
    queue.count -= 1
    queue.weight -= this.#host.weightOf(slot)
    this.#state[slot] = (this.#state[slot] as number) | GONE
    this.#gone += 1
    if (queue.oldest === slot) {
      queue.shift()
      this.#letGo(slot)
    } else if (this.#gone > GONE_SLACK && this.#gone * 4 > this.#small.count + this.#main.count) {
      this.#small.sift(this.#isGone, this.#letGo)
      this.#main.sift(this.#isGone, this.#letGo)
    }
  }

  evict(): number {
    for (;;) {
      const small = this.#small.weight
      const fromSmall = this.#main.count === 0 || small > (small + this.#main.weight) * this.#share
      const victim = fromSmall && this.#small.count > 0 ? this.#evictSmall() : this.#evictMain()
      if (victim >= 0) return victim
      if (this.#small.count + this.#main.count === 0) return -1
    }
  }

  shed(): void {
    this.#smallGhost.clear()
    this.#mainGhost.clear()
  }

  /** One step at the small queue's end: a victim, or -1 when the slot moved to the main queue or was gone. */
  #evictSmall(): number {
    const slot = this.#small.shift()
    if (slot < 0) return -1
    const state = this.#state[slot] as number
    if ((state & GONE) !== 0) return this.#letGo(slot)
    const weight = this.#host.weightOf(slot)
    this.#small.count -= 1
    this.#small.weight -= weight
    if ((state & FREQUENCY) === 0) {
      this.#smallGhost.add(this.#hash[slot] as number, (this.#small.count + this.#main.count + 1) * SMALL_GHOST.window)
      return slot
    }
    this.#state[slot] = MAIN
    if ((state & FREQUENCY) === FREQUENCY) this.#host.cool(slot)
    this.#main.push(slot)
    this.#main.count += 1
    this.#main.weight += weight
    return -1
  }

  #evictMain(): number {
    const slot = this.#main.shift()
    if (slot < 0) return -1
    const state = this.#state[slot] as number
    if ((state & GONE) !== 0) return this.#letGo(slot)
    if ((state & FREQUENCY) > 0) {
      this.#state[slot] = state - 1
      if ((state & FREQUENCY) === FREQUENCY) this.#host.cool(slot)
      this.#main.push(slot)
      return -1
    }
    this.#main.count -= 1
    this.#main.weight -= this.#host.weightOf(slot)
    this.#mainGhost.add(this.#hash[slot] as number, (this.#small.count + this.#main.count + 1) * MAIN_GHOST.window)
    return slot
  }

  #queueOf(slot: number): Chain {
    return ((this.#state[slot] as number) & MAIN) === 0 ? this.#small : this.#main
  }

  readonly #isGone = (slot: number): boolean => ((this.#state[slot] as number) & GONE) !== 0

  readonly #letGo = (slot: number): number => {
    this.#gone -= 1
    this.#host.release(slot)
    return -1
  }
}
