/**
 * W-TinyLFU: a small LRU window before a segmented LRU; whoever leaves the window must have been asked for more often
 * than the entry it would push out.
 *
 * Floor 1, room shelf. An alternative for stable popularity; it forgets slowly, so shifting interests hurt it. A hit
 * moves links and counts in a sketch.
 *
 * @see Einziger, Friedman, Manes, TinyLFU: a highly efficient cache admission policy, ACM ToS 2017
 */
import type { Eviction, EvictionHost } from './evict.ts'
import { DoubleLinks, List } from './list.ts'
import { Sketch } from './sketch.ts'

const PROTECTED_SHARE = 0.8
const WINDOW = 0
const PROBATION = 1
const PROTECTED = 2

/** See the module's header. */
export class WTinyLfu implements Eviction {
  readonly #host: EvictionHost
  readonly #links = new DoubleLinks()
  readonly #lists = [new List(this.#links), new List(this.#links), new List(this.#links)] as const
  readonly #sketch = new Sketch()
  readonly #windowShare: number
  #where = new Uint8Array(0)
  #hash = new Int32Array(0)
  #arriving = 0

  /** @param windowShare share of the weight that the window may hold, 0 to 1 */
  constructor(host: EvictionHost, windowShare: number) {
    this.#host = host
    this.#windowShare = windowShare
  }

  grow(slots: number): void {
    if (slots <= this.#where.length) return
    const where = new Uint8Array(slots)
    where.set(this.#where)
    this.#where = where
    const hash = new Int32Array(slots)
    hash.set(this.#hash)
    this.#hash = hash
    this.#links.grow(slots)
  }

  arrive(hash: number): void {
    this.#arriving = hash
    this.#sketch.grow(this.#lists[WINDOW].count + this.#lists[PROBATION].count + this.#lists[PROTECTED].count)
    this.#sketch.add(hash)
  }

  insert(slot: number, weight: number): void {
    this.#hash[slot] = this.#arriving
    this.#move(slot, weight, WINDOW)
  }

  touch(slot: number): boolean {
    this.#sketch.add(this.#hash[slot] as number)
    const from = this.#listOf(slot)
    if (from.newest === slot && from !== this.#lists[PROBATION]) return false
    const weight = this.#host.weightOf(slot)
    from.unlink(slot, weight)
    this.#move(slot, weight, from === this.#lists[WINDOW] ? WINDOW : PROTECTED)
    const [, probation, kept] = this.#lists
    while (kept.weight > (kept.weight + probation.weight) * PROTECTED_SHARE && kept.count > 1) {
      this.#shift(kept, PROBATION)
    }
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
    const [window, probation, kept] = this.#lists
    const whole = window.weight + probation.weight + kept.weight
    const windowLimit = whole * this.#windowShare
    while (window.weight > windowLimit && this.#fitsMain(window.oldest, whole - windowLimit)) this.#shift(window, PROBATION)
    if (kept.count > 0 && probation.count === 0) this.#shift(kept, PROBATION)
    const victim = probation.oldest
    const candidate = window.oldest
    if (candidate < 0 || (victim >= 0 && window.weight < windowLimit)) return this.#take(victim)
    if (victim < 0 || this.#frequencyOf(candidate) <= this.#frequencyOf(victim)) return this.#take(candidate)
    this.#shift(window, PROBATION)
    return this.#take(victim)
  }

  #fitsMain(slot: number, limit: number): boolean {
    return this.#lists[PROBATION].weight + this.#lists[PROTECTED].weight + this.#host.weightOf(slot) <= limit
  }

  #frequencyOf(slot: number): number {
    return this.#sketch.estimate(this.#hash[slot] as number)
  }

  #take(slot: number): number {
    if (slot >= 0) this.#listOf(slot).unlink(slot, this.#host.weightOf(slot))
    return slot
  }

  #shift(from: List, to: 0 | 1 | 2): void {
    const slot = from.oldest
    const weight = this.#host.weightOf(slot)
    from.unlink(slot, weight)
    this.#move(slot, weight, to)
  }

  #move(slot: number, weight: number, to: 0 | 1 | 2): void {
    this.#where[slot] = to
    this.#lists[to].push(slot, weight)
  }

  #listOf(slot: number): List {
    return this.#lists[this.#where[slot] as 0 | 1 | 2]
  }
}
