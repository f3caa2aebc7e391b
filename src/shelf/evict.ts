/**
 * What an eviction policy is: it orders slots, small integers that stand for entries, and names the next victim.
 *
 * Floor 1, room shelf. A policy knows no keys and no values; weights come from its host, 32-bit key hashes with `arrive`. It never
 * frees a slot itself: `release` hands back what it no longer links. `touch` is the hot path: no allocation, no calls out.
 */

/** What a policy asks of the table it serves. */
export interface EvictionHost {
  /** Weight of a linked slot: charged bytes, or 1 where entries are counted. */
  weightOf(slot: number): number
  /** Touches of a slot whose `touch` answered true matter again. */
  cool(slot: number): void
  /** The policy no longer links a slot given to `remove`; it may be used again. */
  release(slot: number): void
}

/** An eviction policy. Call order for a new key: `arrive`, then `evict` until it fits, then `insert`. */
export interface Eviction {
  /** Makes room for slots below `slots`. */
  grow(slots: number): void
  /** A key that is not stored asks to come in; ghosts are looked up here, before evictions move them. */
  arrive(hash: number): void
  /** Links a slot with this weight; ends what `arrive` began. */
  insert(slot: number, weight: number): void
  /** A hit. @returns true when further hits would change nothing, until `cool` is called for the slot */
  touch(slot: number): boolean
  /** The weight of a linked slot changed by `delta`. */
  reweigh(slot: number, delta: number): void
  /** Unlinks a slot that left for another reason than eviction; `release` follows at once or later. */
  remove(slot: number): void
  /** Chooses, unlinks and returns a victim; -1 when nothing is linked. */
  evict(): number
  /** Drops what it remembers of keys that are gone; policies that remember little have none. */
  shed?(): void
}
