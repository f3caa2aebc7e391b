/**
 * From a hash to slots: open addressing over pairs (hash, slot), grown a few places at a time.
 *
 * Floor 1, room shelf. A place is chosen by the upper bits of the hash, so that the order of hashes is the order of places
 * in tables of any size: a SCAN's cursor is a hash, and growing or shrinking between two calls hides no key and repeats
 * none. While it grows, what is not moved yet is looked for in the former table, too. 8 bytes a place, 11 to 22 a key.
 */

const FIRST_BITS = 8
const MAX_BITS = 28
/** Slot of a place that is free, and of one whose key has gone to the next table. */
const FREE = 0
const MOVED = -1
/** Places of the former table moved with each change. */
const MOVES = 8
const HASHES = 2 ** 32

interface Half {
  /** Hash and slot + 1, in turn. */
  readonly pairs: Int32Array
  readonly shift: number
  readonly mask: number
}

function createHalf(bits: number): Half {
  return { pairs: new Int32Array(2 << bits), shift: 32 - bits, mask: 2 ** bits - 1 }
}

/** See the module's header. */
export class ByteIndex {
  #now: Half = createHalf(FIRST_BITS)
  /** What keys are moved out of; undefined most of the time. */
  #former: Half | undefined
  #moved = 0
  #size = 0
  /** Where `next` goes on. */
  #probe = 0
  #inFormer = false

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#now.pairs.byteLength + (this.#former?.pairs.byteLength ?? 0)
  }

  /** Bytes that the next `add` may ask for at most. */
  get growthBytes(): number {
    return this.#isFull() ? this.#now.pairs.byteLength * 2 : 0
  }

  /** The first slot under a hash, -1 when there is none; `next` gives further ones. */
  first(hash: number): number {
    const now = this.#now
    this.#inFormer = false
    return this.#look(now, hash, hash >>> now.shift)
  }

  next(hash: number): number {
    return this.#look(this.#inFormer ? (this.#former as Half) : this.#now, hash, this.#probe)
  }

  #look(half: Half, hash: number, from: number): number {
    const { pairs, mask } = half
    for (let at = from; ; at = (at + 1) & mask) {
      const slot = pairs[at * 2 + 1] as number
      if (slot === FREE) break
      if (pairs[at * 2] !== hash || slot === MOVED) continue
      this.#probe = (at + 1) & mask
      return slot - 1
    }
    return this.#former === undefined || this.#inFormer ? -1 : this.#lookInFormer(this.#former, hash)
  }

  #lookInFormer(former: Half, hash: number): number {
    this.#inFormer = true
    return this.#look(former, hash, hash >>> former.shift)
  }

  add(hash: number, slot: number): void {
    if (this.#isFull()) this.#resize(1)
    this.#put(hash, slot + 1)
    this.#size += 1
    if (this.#former !== undefined) this.move(MOVES)
  }

  /** Only of a pair that was added. */
  remove(hash: number, slot: number): void {
    if (!this.#take(this.#now, hash, slot + 1)) this.#mark(this.#former as Half, hash, slot + 1)
    this.#size -= 1
    if (this.#former !== undefined) this.move(MOVES)
  }

  /** Bytes that `shrink` asks for, until all has moved; 0 when there is nothing to gain. */
  get shrinkBytes(): number {
    const { shift, mask, pairs } = this.#now
    const isSparse = this.#former === undefined && shift < 32 - FIRST_BITS && this.#size * 10 < mask
    return isSparse ? pairs.byteLength / 2 : 0
  }

  /** Halves a sparse table. */
  shrink(): void {
    if (this.shrinkBytes > 0) this.#resize(-1)
  }

  /** Moves what stands in so many places of the former table. */
  move(places: number): void {
    const former = this.#former
    if (former === undefined) return
    const end = Math.min(this.#moved + places, former.mask + 1)
    for (let at = this.#moved; at < end; at += 1) {
      const slot = former.pairs[at * 2 + 1] as number
      if (slot === FREE || slot === MOVED) continue
      this.#put(former.pairs[at * 2] as number, slot)
      former.pairs[at * 2 + 1] = MOVED
    }
    this.#moved = end
    if (end > former.mask) this.#former = undefined
  }

  /**
   * Collects the slots of the next keys in the order of their hashes.
   *
   * @param cursor 0, or what the former call returned
   * @param into at least about `wanted` slots are put behind what it holds
   * @returns the next cursor, 0 at the end; each key that stood all the time has come up then, exactly once
   */
  scan(cursor: number, wanted: number, into: number[]): number {
    const enough = into.length + wanted
    const shift = Math.max(this.#now.shift, this.#former?.shift ?? 0)
    const step = 2 ** shift
    // A sparse table is left after some places, too: a call may find nothing.
    let places = Math.max(wanted, 1) * 10
    let from = cursor
    while (from < HASHES && into.length < enough && places > 0) {
      const to = Math.floor(from / step) * step + step
      this.#collect(this.#now, { from, to, into })
      if (this.#former !== undefined) this.#collect(this.#former, { from, to, into })
      from = to
      places -= 1
    }
    return from >= HASHES ? 0 : from
  }

  #collect(half: Half, { from, to, into }: { from: number; to: number; into: number[] }): void {
    const { pairs, mask, shift } = half
    let at = from >>> shift
    const homes = ((to - 1) >>> shift) - at
    for (let seen = 0; seen <= mask; seen += 1, at = (at + 1) & mask) {
      const slot = pairs[at * 2 + 1] as number
      // Behind the last home, keys that found their place taken stand up to the next free one.
      if (slot === FREE && seen >= homes) return
      if (slot === FREE || slot === MOVED) continue
      const hash = (pairs[at * 2] as number) >>> 0
      if (hash >= from && hash < to) into.push(slot - 1)
    }
  }

  /** The slot at or behind a place, which is chosen by a number from 0 to below 1; -1 when empty. */
  sample(random: number): number {
    if (this.#size === 0) return -1
    const former = this.#former
    const all = this.#now.mask + 1 + (former === undefined ? 0 : former.mask + 1)
    let at = Math.floor(random * all)
    for (;;) {
      const half = at <= this.#now.mask ? this.#now : (former as Half)
      const slot = half.pairs[(half === this.#now ? at : at - this.#now.mask - 1) * 2 + 1] as number
      if (slot > 0) return slot - 1
      at = at + 1 === all ? 0 : at + 1
    }
  }

  clear(): void {
    this.#now = createHalf(FIRST_BITS)
    this.#former = undefined
    this.#size = 0
  }

  #isFull(): boolean {
    return this.#former === undefined && this.#now.shift > 32 - MAX_BITS && this.#size * 4 >= this.#now.mask * 3
  }

  #resize(by: number): void {
    this.#former = this.#now
    this.#moved = 0
    this.#now = createHalf(32 - this.#former.shift + by)
  }

  #put(hash: number, entry: number): void {
    const { pairs, shift, mask } = this.#now
    let at = hash >>> shift
    while (pairs[at * 2 + 1] !== FREE) at = (at + 1) & mask
    pairs[at * 2] = hash
    pairs[at * 2 + 1] = entry
  }

  /** Takes an entry out and draws up those behind it, so that no gap hides them. */
  #take(half: Half, hash: number, entry: number): boolean {
    const { pairs, shift, mask } = half
    let gap = hash >>> shift
    for (;;) {
      const there = pairs[gap * 2 + 1] as number
      if (there === FREE) return false
      if (there === entry) break
      gap = (gap + 1) & mask
    }
    for (let at = (gap + 1) & mask; pairs[at * 2 + 1] !== FREE; at = (at + 1) & mask) {
      const home = (pairs[at * 2] as number) >>> shift
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      pairs[gap * 2] = pairs[at * 2] as number
      pairs[gap * 2 + 1] = pairs[at * 2 + 1] as number
      gap = at
    }
    pairs[gap * 2 + 1] = FREE
    return true
  }

  #mark(half: Half, hash: number, entry: number): void {
    const { pairs, shift, mask } = half
    let at = hash >>> shift
    while (pairs[at * 2 + 1] !== entry) at = (at + 1) & mask
    pairs[at * 2 + 1] = MOVED
  }
}
