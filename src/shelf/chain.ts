/**
 * First-in first-out queues of slots over one shared column of links: four bytes per slot, whatever the number of queues.
 *
 * Floor 1, room shelf. Links run from old to new only, so a slot cannot be cut out of the middle: its owner marks it gone
 * and skips it when it reaches the end, or calls `sift` once too many are gone. All operations but `sift` are O(1).
 */

/** The column of links; a slot is in one queue at most. */
export class Links {
  next = new Int32Array(0)

  grow(slots: number): void {
    if (slots <= this.next.length) return
    const wider = new Int32Array(slots)
    wider.set(this.next)
    this.next = wider
  }
}

/** One queue. `count` and `weight` are kept by the owner's calls and cover living slots only. */
export class Chain {
  readonly #links: Links
  #oldest = -1
  #newest = -1
  /** Living slots. */
  count = 0
  /** Summed weight of living slots. */
  weight = 0

  constructor(links: Links) {
    this.#links = links
  }

  /** The next to leave, or -1. */
  get oldest(): number {
    return this.#oldest
  }

  push(slot: number): void {
    const next = this.#links.next
    next[slot] = -1
    if (this.#newest < 0) this.#oldest = slot
    else next[this.#newest] = slot
    this.#newest = slot
  }

  /** Unlinks and returns the oldest, living or gone; -1 when empty. */
  shift(): number {
    const slot = this.#oldest
    if (slot < 0) return -1
    this.#oldest = this.#links.next[slot] as number
    if (this.#oldest < 0) this.#newest = -1
    return slot
  }

  /** Unlinks every slot that `isGone`, handing it to `drop`; O(n). */
  sift(isGone: (slot: number) => boolean, drop: (slot: number) => void): void {
    const next = this.#links.next
    let slot = this.#oldest
    this.#oldest = -1
    this.#newest = -1
    while (slot >= 0) {
      const following = next[slot] as number
      if (isGone(slot)) drop(slot)
      else this.push(slot)
      slot = following
    }
  }
}
