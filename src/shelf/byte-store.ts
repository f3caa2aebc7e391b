/**
 * Where the bytes of entries stand: short ones in the log, long ones each in a buffer of its own; and the limit on all of it.
 *
 * Floor 1, room shelf. A record is reserved, filled by the caller through `target`, and then adopted: until then the slot's
 * former record stands. At the limit entries leave a few with each change, so that the log always has something to empty.
 */
import type { ByteSpan } from './byte-hash.ts'
import { ByteLog, HEAD_BYTES, UNIT_BYTES, unitsFor } from './byte-log.ts'
import { type ByteRows, IN_BUFFER, NOWHERE, PLACE } from './byte-rows.ts'

/** Beside a buffer of its own. */
const BUFFER_BYTES = 128
/** Part of the log that may be alive while it cannot grow, and segments of it that serve other purposes. */
const LIVE_SHARE = 0.85
const SPARE_SEGMENTS = 3
/** Where nothing limits it, the log is emptied of dead records while they are more than this part of it. */
const DEAD_SHARE = 0.25

/** What the table knows and the store does not. */
export interface ByteBudget {
  /** What the log and the buffers may take now. */
  room(): number
  /** Removes an entry, never the slot `pinned`. @returns false when there is none to remove */
  evict(pinned: number): boolean
}

/** See the module's header. */
export class ByteStore {
  /** Bytes of buffers, and of objects charged by the table. */
  besideBytes = 0
  readonly #rows: ByteRows
  readonly #log: ByteLog
  readonly #budget: ByteBudget
  readonly #buffers = new Map<number, Buffer>()
  readonly #maxRecordBytes: number
  readonly #target: ByteSpan
  #place = NOWHERE

  /** @param target set by `reserve` to where the record is to be written */
  constructor(rows: ByteRows, segmentBits: number, { budget, target }: { budget: ByteBudget; target: ByteSpan }) {
    this.#rows = rows
    this.#log = new ByteLog(rows, segmentBits)
    this.#budget = budget
    this.#target = target
    this.#maxRecordBytes = this.#log.segmentBytes / 8
  }

  get bytes(): number {
    return this.#log.bytes + this.besideBytes
  }

  get liveBytes(): number {
    return this.#log.liveBytes + this.besideBytes
  }

  /** Room for so many bytes of a slot. @returns false where the limit forbids it */
  reserve(slot: number, bytes: number): boolean {
    if (bytes <= this.#maxRecordBytes) return this.#reserveRecord(slot, unitsFor(bytes))
    if (!this.fit(bytes + BUFFER_BYTES, slot)) return false
    this.#target.set(Buffer.allocUnsafeSlow(bytes), 0, bytes)
    this.#place = IN_BUFFER
    return true
  }

  /** What was reserved is the slot's from now on, and the former record is dead. */
  adopt(slot: number): void {
    this.release(slot)
    this.#rows.set(slot, PLACE, this.#place)
    if (this.#place !== IN_BUFFER) return
    this.#buffers.set(slot, this.#target.bytes as Buffer)
    this.besideBytes += this.#target.bytes.length + BUFFER_BYTES
  }

  release(slot: number): void {
    const place = this.#rows.get(slot, PLACE)
    if (place >= 0) this.#log.release(place)
    else if (place === IN_BUFFER) {
      const buffer = this.#buffers.get(slot) as Buffer
      this.#buffers.delete(slot)
      this.besideBytes -= buffer.length + BUFFER_BYTES
    }
    this.#rows.set(slot, PLACE, NOWHERE)
  }

  /** A record of so many bytes can be written over the one at a place. */
  isLike(place: number, bytes: number): boolean {
    if (place < 0) return false
    const units = unitsFor(bytes)
    const former = this.#log.unitsAt(place)
    return units <= former && units * 8 >= former * 7
  }

  /** Sets a span to the beginning of a slot's record: the key, then the value. */
  locate(slot: number, span: ByteSpan): ByteSpan {
    return this.at(this.#rows.get(slot, PLACE), slot, span)
  }

  /** As `locate`, where the slot's place is known. */
  at(place: number, slot: number, span: ByteSpan): ByteSpan {
    const log = this.#log
    if (place >= 0) {
      span.bytes = log.segments[place >>> log.shift] as Buffer
      span.start = (place & log.mask) * UNIT_BYTES + HEAD_BYTES
    } else {
      span.bytes = this.#buffers.get(slot) as Buffer
      span.start = 0
    }
    return span
  }

  /** Makes room for so many bytes beside the log. @returns false where nothing more may leave */
  fit(bytes: number, pinned: number): boolean {
    while (this.bytes + bytes > this.#budget.room()) {
      if (this.#log.shrink() || (this.#isSlack() && this.#log.clean())) continue
      if (!this.#budget.evict(pinned)) return this.#squeeze(bytes)
    }
    return true
  }

  /** Empties a segment where that gains much. */
  tend(): void {
    if (this.#isWasteful()) this.#log.clean()
  }

  clear(): void {
    this.#log.clear()
    this.#buffers.clear()
    this.besideBytes = 0
  }

  #reserveRecord(slot: number, units: number): boolean {
    const log = this.#log
    const isTight = this.bytes + log.segmentBytes > this.#budget.room()
    while (isTight && !this.#isSlack() && this.#budget.evict(slot));
    for (;;) {
      const place = log.take(slot, units)
      if (place >= 0) {
        const start = (place & log.mask) * UNIT_BYTES + HEAD_BYTES
        this.#target.set(log.segments[place >>> log.shift] as Buffer, start, start + units * UNIT_BYTES - HEAD_BYTES)
        this.#place = place
        return true
      }
      if (log.open()) continue
      if (this.#isWasteful() && log.clean()) continue
      if (this.bytes + log.segmentBytes <= this.#budget.room() && log.canGrow) log.grow()
      else if (!log.clean() && !this.#budget.evict(slot)) return false
    }
  }

  /** Nobody may leave: what is dead is given back as far as it goes. */
  #squeeze(bytes: number): boolean {
    while (this.bytes + bytes > this.#budget.room()) if (!this.#log.shrink() && !this.#log.clean()) return false
    return true
  }

  /** Enough of the log is dead for emptying to gain at once. */
  #isSlack(): boolean {
    return this.#log.liveBytes <= (this.#log.bytes - SPARE_SEGMENTS * this.#log.segmentBytes) * LIVE_SHARE
  }

  #isWasteful(): boolean {
    const log = this.#log
    return log.bytes - log.liveBytes > log.bytes * DEAD_SHARE + SPARE_SEGMENTS * log.segmentBytes
  }
}
