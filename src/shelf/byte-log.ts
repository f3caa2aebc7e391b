/**
 * Records of bytes, written one behind the other into segments; segments with many dead ones are emptied into others.
 *
 * Floor 1, room shelf. A record has two words before its bytes, the slot it belongs to and its length in units of 16 bytes;
 * it is alive while that slot's row names its place. One segment is held back for emptying another. Nothing is ever moved
 * but by `clean`, which copies at most one segment: bytes are not to be kept beyond the next change.
 */
import { type ByteRows, PLACE } from './byte-rows.ts'

export const UNIT_BYTES = 16
const UNIT_SHIFT = 4
/** The two words before the bytes. */
export const HEAD_BYTES = 8
/** Segments that are open, or free: never emptied. */
const OPEN = 2 ** 30
/** Segments whose memory was given back. */
const DROPPED = 2 ** 31 - 1
/** Places are 32-bit numbers: 32 GiB. */
const MAX_PLACES = 2 ** 31

/** @param bytes of key and value */
export function unitsFor(bytes: number): number {
  return (bytes + HEAD_BYTES + UNIT_BYTES - 1) >>> UNIT_SHIFT
}

/** See the module's header. */
export class ByteLog {
  readonly segments: Buffer[] = []
  /** A place's segment is `place >>> shift`; its byte within `(place & mask) * UNIT_BYTES`. */
  readonly shift: number
  readonly mask: number
  readonly segmentBytes: number
  readonly #words: Int32Array[] = []
  /** Live units of each segment, OPEN added where it is not to be emptied. */
  readonly #alive: number[] = []
  /** Units written in each. */
  readonly #filled: number[] = []
  readonly #free: number[] = []
  /** Where new records go, and where those go that were moved. */
  #head = -1
  #aside = -1
  #liveUnits = 0
  #dropped = 0
  readonly #rows: ByteRows

  /** @param segmentBits 2 to the power of this are the bytes of a segment, 15 to 20 */
  constructor(rows: ByteRows, segmentBits: number) {
    this.#rows = rows
    this.segmentBytes = 2 ** segmentBits
    this.shift = segmentBits - UNIT_SHIFT
    this.mask = 2 ** this.shift - 1
  }

  get liveBytes(): number {
    return this.#liveUnits * UNIT_BYTES
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return (this.segments.length - this.#dropped) * this.segmentBytes
  }

  /** Another segment can be named. */
  get canGrow(): boolean {
    return this.#dropped > 0 || (this.segments.length + 1) * (this.mask + 1) <= MAX_PLACES
  }

  /** Units of the record at a place. */
  unitsAt(place: number): number {
    return (this.#words[place >>> this.shift] as Int32Array)[(place & this.mask) * 4 + 1] as number
  }

  /** Room for a record in the open segment. @returns its place, -1 when it does not fit */
  take(slot: number, units: number): number {
    const head = this.#head
    if (head < 0) return -1
    const at = this.#filled[head] as number
    if (at + units > this.mask + 1) return -1
    this.#enter(head, slot, units)
    return head * (this.mask + 1) + at
  }

  /** A record is dead; the caller has set the row's place already, or will. */
  release(place: number): void {
    const units = this.unitsAt(place)
    this.#alive[place >>> this.shift] = (this.#alive[place >>> this.shift] as number) - units
    this.#liveUnits -= units
  }

  /** Opens a free segment for new records. @returns false when only the one held back is left */
  open(): boolean {
    if (this.#free.length < 2) return false
    this.#close(this.#head)
    this.#head = this.#free.pop() as number
    return true
  }

  /** One more segment, free. */
  grow(): void {
    const bytes = Buffer.allocUnsafeSlow(this.segmentBytes)
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, this.segmentBytes / 4)
    let segment = this.segments.length
    if (this.#dropped > 0) {
      segment = this.#alive.indexOf(DROPPED)
      this.#dropped -= 1
    }
    this.segments[segment] = bytes
    this.#words[segment] = words
    this.#alive[segment] = OPEN
    this.#filled[segment] = 0
    this.#free.push(segment)
  }

  /** Gives a free segment's memory back. @returns false when there is none beside the one held back */
  shrink(): boolean {
    if (this.#free.length < 2) return false
    const segment = this.#free.pop() as number
    this.segments[segment] = NOTHING
    this.#words[segment] = NO_WORDS
    this.#alive[segment] = DROPPED
    this.#dropped += 1
    return true
  }

  /** Empties the segment with the fewest live records. @returns false when that would gain less than an eighth of it */
  clean(): boolean {
    let victim = -1
    let fewest = (this.mask + 1) * 0.875
    const alive = this.#alive
    for (let segment = 0; segment < alive.length; segment += 1) {
      if ((alive[segment] as number) <= fewest) {
        fewest = alive[segment] as number
        victim = segment
      }
    }
    if (victim < 0) return false
    if (fewest > 0) this.#empty(victim)
    this.#alive[victim] = OPEN
    this.#filled[victim] = 0
    this.#free.push(victim)
    return true
  }

  clear(): void {
    this.segments.length = this.#words.length = this.#alive.length = this.#filled.length = this.#free.length = 0
    this.#head = this.#aside = -1
    this.#liveUnits = this.#dropped = 0
  }

  #empty(victim: number): void {
    const words = this.#words[victim] as Int32Array
    const filled = this.#filled[victim] as number
    const rows = this.#rows
    const first = victim * (this.mask + 1)
    for (let at = 0; at < filled; ) {
      const slot = words[at * 4] as number
      const units = words[at * 4 + 1] as number
      if (rows.get(slot, PLACE) === first + at) {
        const place = this.#move(slot, units)
        const into = this.#words[place >>> this.shift] as Int32Array
        let to = (place & this.mask) * 4 + 2
        for (let from = at * 4 + 2; from < (at + units) * 4; from += 1) into[to++] = words[from] as number
        rows.set(slot, PLACE, place)
        this.#liveUnits -= units
      }
      at += units
    }
  }

  /** A place among the moved ones: the segment held back is opened when the present one is full. */
  #move(slot: number, units: number): number {
    if (this.#aside < 0 || (this.#filled[this.#aside] as number) + units > this.mask + 1) {
      this.#close(this.#aside)
      this.#aside = this.#free.pop() as number
    }
    const at = this.#filled[this.#aside] as number
    this.#enter(this.#aside, slot, units)
    return this.#aside * (this.mask + 1) + at
  }

  #enter(segment: number, slot: number, units: number): void {
    const at = this.#filled[segment] as number
    const words = this.#words[segment] as Int32Array
    words[at * 4] = slot
    words[at * 4 + 1] = units
    this.#filled[segment] = at + units
    this.#alive[segment] = (this.#alive[segment] as number) + units
    this.#liveUnits += units
  }

  #close(segment: number): void {
    if (segment >= 0) this.#alive[segment] = (this.#alive[segment] as number) - OPEN
  }
}

const NOTHING = Buffer.alloc(0)
const NO_WORDS = new Int32Array(0)
