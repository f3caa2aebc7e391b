/**
 * What changed when, by the hash of a key: the marks against which every stored reply is judged.
 *
 * Floor 4, room resp. One number a slot: the sequence of the last change of any key that falls there. A reading that was
 * sent at sequence `token` stands iff no mark of its keys, and not the floor, is above it. No list of fills, no index
 * from keys to entries: O(1), bounded, and a collision is a needless miss. Beside it, per slot, how many writes of ours are under
 * way (nothing is stored under them, see docs/decisions/022), and which keys are counters or locks, forgotten in
 * two generations.
 */

/** Sequences are kept below this; then everything begins anew. */
const LAST_SEQUENCE = 0x7fff_0000
const STICKY = 0xffff
/** Bits for counters and locks to each slot, in each of two generations. */
const LIVE_BITS = 8

/** See the module's header. */
export class Marks {
  readonly #marks: Int32Array
  readonly #writing: Uint16Array
  readonly #mask: number
  readonly #onRestart: () => void
  #writingAll = 0
  readonly #liveMask: number
  #live: Uint32Array
  #lived: Uint32Array
  /** Grows with each change. */
  sequence = 1
  /** Readings sent before this sequence are void. */
  floor = 1

  /**
   * @param slots a power of two, 8 at least; 8 bytes each, taken when they are first used
   * @param onRestart the numbers begin anew, once in 2^31 changes: every token and what was kept under it is void
   */
  constructor(slots: number, onRestart: () => void) {
    this.#onRestart = onRestart
    this.#marks = new Int32Array(slots)
    this.#writing = new Uint16Array(slots)
    this.#mask = slots - 1
    this.#live = new Uint32Array((slots * LIVE_BITS) / 32)
    this.#lived = new Uint32Array((slots * LIVE_BITS) / 32)
    this.#liveMask = this.#live.length - 1
  }

  /** Bytes of all tables. */
  get bytes(): number {
    return this.#marks.byteLength + this.#writing.byteLength + this.#live.byteLength * 2
  }

  /** Whether what was read at `token` still stands, as far as this key is concerned. */
  stands(hash: number, token: number): boolean {
    return (this.#marks[hash & this.#mask] as number) <= token && token >= this.floor
  }

  /** Whether a write of ours that names this key, or everything, is under way. */
  isWriting(hash: number): boolean {
    return this.#writingAll > 0 || this.#writing[hash & this.#mask] !== 0
  }

  /** A key has changed, or may have. */
  mark(hash: number): void {
    this.#marks[hash & this.#mask] = this.#next()
  }

  /** Anything may have changed. */
  markAll(): void {
    this.floor = this.#next()
  }

  /** A write of ours sets out. */
  begin(hash: number): void {
    this.mark(hash)
    const slot = hash & this.#mask
    const writing = this.#writing[slot] as number
    if (writing < STICKY) this.#writing[slot] = writing + 1 // who reaches the end stays there: then this slot is never kept
  }

  /** Its reply came, or never will. */
  end(hash: number): void {
    this.mark(hash)
    const slot = hash & this.#mask
    const writing = this.#writing[slot] as number
    if (writing > 0 && writing < STICKY) this.#writing[slot] = writing - 1
  }

  beginAll(): void {
    this.markAll()
    this.#writingAll += 1
  }

  endAll(): void {
    this.markAll()
    this.#writingAll -= 1
  }

  /** A counter or a lock: not to be kept until two generations have passed. */
  enliven(hash: number): void {
    const at = (hash >>> 5) & this.#liveMask
    this.#live[at] = (this.#live[at] as number) | (1 << (hash & 31))
  }

  isLive(hash: number): boolean {
    const at = (hash >>> 5) & this.#liveMask
    return (((this.#live[at] as number) | (this.#lived[at] as number)) & (1 << (hash & 31))) !== 0
  }

  /** Forgets the elder generation of counters and locks. */
  turn(): void {
    const elder = this.#lived
    this.#lived = this.#live
    this.#live = elder.fill(0)
  }

  #next(): number {
    if (this.sequence >= LAST_SEQUENCE) this.#restart()
    this.sequence += 1
    return this.sequence
  }

  /** Tokens of before would stand above every mark to come: whoever keeps one has to let it go now. */
  #restart(): void {
    this.#marks.fill(0)
    this.sequence = 1
    this.floor = 1
    this.#onRestart()
  }
}
