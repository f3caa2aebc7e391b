/**
 * SIEVE as published: one queue, one bit, and a hand that walks from old to new, sparing what was read since it passed.
 *
 * Floor 1, room shelf. For checking and comparison; new entries stay at the newest end, spared ones where they are.
 *
 * @see Zhang et al., SIEVE is simpler than LRU, NSDI 2024
 */
import type { Eviction, EvictionHost } from './evict.ts'
import { DoubleLinks, List } from './list.ts'

/** See the module's header. */
export class Sieve implements Eviction {
  readonly #host: EvictionHost
  readonly #links = new DoubleLinks()
  readonly #list = new List(this.#links)
  #visited = new Uint8Array(0)
  #hand = -1

  constructor(host: EvictionHost) {
    this.#host = host
  }

  grow(slots: number): void {
    if (slots <= this.#visited.length) return
    const wider = new Uint8Array(slots)
    wider.set(this.#visited)
    this.#visited = wider
    this.#links.grow(slots)
  }

  arrive(): void {}

  insert(slot: number, weight: number): void {
    this.#visited[slot] = 0
    this.#list.push(slot, weight)
  }

  touch(slot: number): boolean {
    this.#visited[slot] = 1
    return true
  }

  reweigh(_slot: number, delta: number): void {
    this.#list.weight += delta
  }

  remove(slot: number): void {
    if (this.#hand === slot) this.#hand = this.#list.newerThan(slot)
    this.#list.unlink(slot, this.#host.weightOf(slot))
    this.#host.release(slot)
  }

  evict(): number {
    let slot = this.#hand < 0 ? this.#list.oldest : this.#hand
    if (slot < 0) return -1
    while (this.#visited[slot] === 1) {
      this.#visited[slot] = 0
      this.#host.cool(slot)
      slot = this.#list.newerThan(slot)
      if (slot < 0) slot = this.#list.oldest
    }
    this.#hand = this.#list.newerThan(slot)
    this.#list.unlink(slot, this.#host.weightOf(slot))
    return slot
  }
}
