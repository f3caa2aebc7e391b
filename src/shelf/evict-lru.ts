/**
 * Least recently used: the plain yardstick. A hit moves links, so it writes six words where S3-FIFO writes a byte.
 *
 * Floor 1, room shelf.
 */
import type { Eviction, EvictionHost } from './evict.ts'
import { DoubleLinks, List } from './list.ts'

/** See the module's header. */
export class Lru implements Eviction {
  readonly #host: EvictionHost
  readonly #links = new DoubleLinks()
  readonly #list = new List(this.#links)

  constructor(host: EvictionHost) {
    this.#host = host
  }

  grow(slots: number): void {
    this.#links.grow(slots)
  }

  arrive(): void {}

  insert(slot: number, weight: number): void {
    this.#list.push(slot, weight)
  }

  touch(slot: number): boolean {
    if (this.#list.newest === slot) return false
    this.#list.unlink(slot, 0)
    this.#list.push(slot, 0)
    return false
  }

  reweigh(_slot: number, delta: number): void {
    this.#list.weight += delta
  }

  remove(slot: number): void {
    this.#list.unlink(slot, this.#host.weightOf(slot))
    this.#host.release(slot)
  }

  evict(): number {
    const slot = this.#list.oldest
    if (slot >= 0) this.#list.unlink(slot, this.#host.weightOf(slot))
    return slot
  }
}
