/**
 * Who is to leave: two queues, a small one for newcomers and a large one for those that were read again (S3-FIFO).
 *
 * Floor 1, room shelf. A reading costs a bit, no move. What passes by once, such as a scan, drives out newcomers only. Hashes
 * of newcomers that had to leave are remembered: who returns goes into the large queue at once. Links stand in the rows.
 */
import { type ByteRows, FLAGS, HASH, NEWER, OLDER } from './byte-rows.ts'

/** Bits of FLAGS; those below are the user's kind. */
export const KIND_MASK = 0xff
const READS_SHIFT = 8
const READS_MASK = 0x300
const IS_LARGE = 0x400
/** Newcomers are driven out first while they are more than this part of all. */
const SMALL_SHARE = 0.1
const GHOST_BITS = 16
/** Entries looked at for one that may leave; then the next leaves, read or not: a bound on what one call takes. */
const MAX_LOOKS = 1000
const NONE = -1

interface Queue {
  oldest: number
  newest: number
  size: number
}

/** See the module's header. */
export class ByteQueues {
  readonly #rows: ByteRows
  readonly #small: Queue = { oldest: NONE, newest: NONE, size: 0 }
  readonly #large: Queue = { oldest: NONE, newest: NONE, size: 0 }
  /** By the low bits of their hash: the hashes of newcomers that left. */
  readonly #ghosts = new Int32Array(2 ** GHOST_BITS)

  constructor(rows: ByteRows) {
    this.#rows = rows
  }

  get bytes(): number {
    return this.#ghosts.byteLength
  }

  add(slot: number): void {
    const hash = this.#rows.get(slot, HASH)
    const ghost = hash & (2 ** GHOST_BITS - 1)
    const isKnown = this.#ghosts[ghost] === hash
    if (isKnown) this.#ghosts[ghost] = 0
    this.#push(isKnown ? this.#large : this.#small, slot)
  }

  /** It was read. */
  touch(slot: number): void {
    const rows = this.#rows
    const flags = rows.get(slot, FLAGS)
    if ((flags & READS_MASK) !== READS_MASK) rows.set(slot, FLAGS, flags + (1 << READS_SHIFT))
  }

  remove(slot: number): void {
    this.#unlink(this.#queueOf(slot), slot)
  }

  /** Who is to leave next, still in its queue; -1 when nobody is. @param pinned never this one, -1 for none */
  victim(pinned: number): number {
    for (let looks = 0; ; looks += 1) {
      const isSmall = this.#large.size === 0 || this.#small.size > (this.#small.size + this.#large.size) * SMALL_SHARE
      const queue = isSmall && this.#small.size > 0 ? this.#small : this.#large
      const slot = queue.oldest
      if (slot === NONE) return NONE
      if (slot === pinned) {
        if (this.#small.size + this.#large.size === 1) return NONE
        this.#again(slot)
        continue
      }
      const reads = (this.#rows.get(slot, FLAGS) & READS_MASK) >>> READS_SHIFT
      if (reads === 0 || looks >= MAX_LOOKS) {
        if (queue === this.#small) this.#remember(slot)
        return slot
      }
      this.#again(slot)
    }
  }

  clear(): void {
    for (const queue of [this.#small, this.#large]) {
      queue.oldest = queue.newest = NONE
      queue.size = 0
    }
    this.#ghosts.fill(0)
  }

  /** To the young end of the large queue, one reading poorer; from the small one with none. */
  #again(slot: number): void {
    const queue = this.#queueOf(slot)
    this.#unlink(queue, slot)
    const flags = this.#rows.get(slot, FLAGS)
    const reads = (flags & READS_MASK) >>> READS_SHIFT
    const left = queue === this.#small || reads === 0 ? 0 : reads - 1
    this.#rows.set(slot, FLAGS, (flags & ~READS_MASK) | (left << READS_SHIFT))
    this.#push(this.#large, slot)
  }

  #remember(slot: number): void {
    const hash = this.#rows.get(slot, HASH)
    this.#ghosts[hash & (2 ** GHOST_BITS - 1)] = hash
  }

  #queueOf(slot: number): Queue {
    return (this.#rows.get(slot, FLAGS) & IS_LARGE) === 0 ? this.#small : this.#large
  }

  #push(queue: Queue, slot: number): void {
    const rows = this.#rows
    const flags = rows.get(slot, FLAGS)
    rows.set(slot, FLAGS, queue === this.#large ? flags | IS_LARGE : flags & ~IS_LARGE)
    rows.set(slot, OLDER, queue.newest)
    rows.set(slot, NEWER, NONE)
    if (queue.newest === NONE) queue.oldest = slot
    else rows.set(queue.newest, NEWER, slot)
    queue.newest = slot
    queue.size += 1
  }

  #unlink(queue: Queue, slot: number): void {
    const rows = this.#rows
    const older = rows.get(slot, OLDER)
    const newer = rows.get(slot, NEWER)
    if (older === NONE) queue.oldest = newer
    else rows.set(older, NEWER, newer)
    if (newer === NONE) queue.newest = older
    else rows.set(newer, OLDER, older)
    queue.size -= 1
  }
}
