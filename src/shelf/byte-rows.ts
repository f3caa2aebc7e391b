/**
 * Rows of numbers, one a slot, in pages: growing never copies.
 *
 * Floor 1, room shelf. Twelve Int32 words a row, 48 bytes; words 8 and 9 are one Float64. Freed slots are used again.
 */

/** Words of a row. */
export const HASH = 0
/** Where the record stands (byte-log.ts); IN_BUFFER where key and value have a buffer of their own, NOWHERE where no entry is. */
export const PLACE = 1
export const KEY_BYTES = 2
export const VALUE_BYTES = 3
export const SPACE = 4
/** Kind of the value, then the state of the queues. */
export const FLAGS = 5
/** Two words for the user. */
export const MARK = 6
export const NOTE = 7
/** The Float64 of a row, in words of 8 bytes. */
export const DEADLINE = 4
export const OLDER = 10
export const NEWER = 11

export const NOWHERE = -1
export const IN_BUFFER = -2
export const ROW_WORDS = 12
const TIMES = ROW_WORDS / 2

/** See the module's header. */
export class ByteRows {
  /** Slot s is in page `s >>> shift`, its words from `(s & mask) * ROW_WORDS` on. */
  readonly pages: Int32Array[] = []
  readonly shift: number
  readonly mask: number
  readonly #times: Float64Array[] = []
  #used = 0
  #free = -1

  /** @param pageBits 2 to the power of this are the slots of a page */
  constructor(pageBits: number) {
    this.shift = pageBits
    this.mask = 2 ** pageBits - 1
  }

  get bytes(): number {
    return this.pages.length * this.pageBytes
  }

  get pageBytes(): number {
    return (this.mask + 1) * ROW_WORDS * 4
  }

  /** Bytes that the next `take` asks for. */
  get growthBytes(): number {
    return this.#free < 0 && this.#used >>> this.shift === this.pages.length ? this.pageBytes : 0
  }

  get(slot: number, word: number): number {
    return (this.pages[slot >>> this.shift] as Int32Array)[(slot & this.mask) * ROW_WORDS + word] as number
  }

  set(slot: number, word: number, value: number): void {
    ;(this.pages[slot >>> this.shift] as Int32Array)[(slot & this.mask) * ROW_WORDS + word] = value
  }

  time(slot: number): number {
    return (this.#times[slot >>> this.shift] as Float64Array)[(slot & this.mask) * TIMES + DEADLINE] as number
  }

  setTime(slot: number, value: number): void {
    ;(this.#times[slot >>> this.shift] as Float64Array)[(slot & this.mask) * TIMES + DEADLINE] = value
  }

  take(): number {
    const free = this.#free
    if (free >= 0) {
      this.#free = this.get(free, OLDER)
      return free
    }
    const slot = this.#used
    if (slot >>> this.shift === this.pages.length) {
      const page = new Int32Array((this.mask + 1) * ROW_WORDS)
      this.pages.push(page)
      this.#times.push(new Float64Array(page.buffer))
    }
    this.#used += 1
    return slot
  }

  free(slot: number): void {
    this.set(slot, PLACE, NOWHERE)
    this.set(slot, OLDER, this.#free)
    this.#free = slot
  }

  clear(): void {
    this.pages.length = 0
    this.#times.length = 0
    this.#used = 0
    this.#free = -1
  }
}
