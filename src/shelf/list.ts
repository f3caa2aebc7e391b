/**
 * Doubly linked queues of slots over two shared columns: for policies that take slots out of the middle.
 *
 * Floor 1, room shelf. Eight bytes per slot, whatever the number of queues; a slot is in one queue at most. All O(1).
 */

/** The columns of links. */
export class DoubleLinks {
  newer = new Int32Array(0)
  older = new Int32Array(0)

  grow(slots: number): void {
    if (slots <= this.newer.length) return
    const newer = new Int32Array(slots)
    newer.set(this.newer)
    this.newer = newer
    const older = new Int32Array(slots)
    older.set(this.older)
    this.older = older
  }
}

/** One queue from newest to oldest. */
export class List {
  readonly #links: DoubleLinks
  newest = -1
  oldest = -1
  count = 0
  weight = 0

  constructor(links: DoubleLinks) {
    this.#links = links
  }

  /** Links a slot at the newest end. */
  push(slot: number, weight: number): void {
    const { newer, older } = this.#links
    newer[slot] = -1
    older[slot] = this.newest
    if (this.newest < 0) this.oldest = slot
    else newer[this.newest] = slot
    this.newest = slot
    this.count += 1
    this.weight += weight
  }

  unlink(slot: number, weight: number): void {
    const { newer, older } = this.#links
    const after = newer[slot] as number
    const before = older[slot] as number
    if (after < 0) this.newest = before
    else older[after] = before
    if (before < 0) this.oldest = after
    else newer[before] = after
    this.count -= 1
    this.weight -= weight
  }

  /** The slot that came next after this one, or -1. */
  newerThan(slot: number): number {
    return this.#links.newer[slot] as number
  }
}
