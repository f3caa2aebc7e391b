/**
 * A table from bytes to bytes: keys and values as they stand in what was read, hashed and compared without strings.
 *
 * Floor 1, room shelf. Everything it holds is counted, and what it has allocated never exceeds its limit: then entries that
 * were read least leave (byte-queues.ts), or nothing more is taken. No single change takes longer for a table that is
 * larger. A slot names an entry until it is removed or evicted. Views of bytes hold until the next change of the table.
 * Deadlines and marks are the user's: they are kept, not judged.
 */
import { ByteHash, type ByteKey, ByteSpan } from './byte-hash.ts'
import { ByteIndex } from './byte-index.ts'
import { ByteQueues, KIND_MASK } from './byte-queues.ts'
import {
  ByteRows,
  FLAGS,
  HASH,
  IN_BUFFER,
  KEY_BYTES,
  MARK,
  NOTE,
  NOWHERE,
  PLACE,
  ROW_WORDS,
  SPACE,
  VALUE_BYTES,
} from './byte-rows.ts'
import { ByteStore } from './byte-store.ts'

/** An entry or bytes were refused: the limit. Also: no such key. */
export const NONE = -1
/** Bit of FLAGS: an object stands for the value; VALUE_BYTES is what it is charged with. */
const IS_OBJECT = 0x800
/** Up to here bytes are compared, and copied, one by one. */
const COMPARED_BY_HAND = 64
const COPIED_BY_HAND = 24
/** Places moved at a time while there is nothing else to do. */
const TENDED_PLACES = 1024
export interface ByteTableOptions {
  /** Everything allocated stays below; at least 256 KiB. Infinity: no limit. */
  readonly maxBytes: number
  /** At the limit others leave (true), or what comes is refused. */
  readonly evicts: boolean
  /** Two random 32-bit numbers that nobody outside knows. */
  readonly seed: readonly [number, number]
  /** Told before an entry leaves because of the limit. It must not change the table. */
  readonly onEvict?: (slot: number) => void
}

/** See the module's header. */
export class ByteTable {
  maxBytes: number
  evicts: boolean
  /** Entries that left because of the limit. */
  evictions = 0
  readonly #onEvict: ((slot: number) => void) | undefined
  readonly #hash: ByteHash
  readonly #index = new ByteIndex()
  readonly #rows: ByteRows
  readonly #queues: ByteQueues
  readonly #store: ByteStore
  /** Objects in pages as the rows. */
  readonly #objects: (object | undefined)[][] = []
  readonly #target = new ByteSpan()
  readonly #key = new ByteSpan()
  readonly #value = new ByteSpan()

  constructor({ maxBytes, evicts, seed, onEvict }: ByteTableOptions) {
    this.maxBytes = maxBytes
    this.evicts = evicts
    this.#onEvict = onEvict
    this.#hash = new ByteHash(seed)
    const bits = Math.min(18, Math.max(12, Math.floor(Math.log2(maxBytes)) - 6))
    this.#rows = new ByteRows(Math.max(6, bits - 6))
    this.#queues = new ByteQueues(this.#rows)
    const budget = { room: () => this.#room(), evict: (pinned: number) => this.evicts && this.#evict(pinned) }
    this.#store = new ByteStore(this.#rows, bits, { budget, target: this.#target })
  }

  /** Entries. */
  get size(): number {
    return this.#index.size
  }

  /** Everything allocated. */
  get bytes(): number {
    return this.#rows.bytes + this.#index.bytes + this.#queues.bytes + this.#store.bytes
  }

  /** What entries make up of it: records, rows, places; without room that is free. */
  get liveBytes(): number {
    return this.#store.liveBytes + this.size * (ROW_WORDS * 4 + 16)
  }

  /** The slot of a key, NONE where there is none. Sets `key.hash`. Counts no reading. */
  find(key: ByteKey): number {
    const hash = this.#hash.of(key)
    let slot = this.#index.first(hash)
    while (slot >= 0 && !this.#isKey(slot, key)) slot = this.#index.next(hash)
    return slot
  }

  /** The entry was read: it stays longer. */
  touch(slot: number): void {
    this.#queues.touch(slot)
  }

  /**
   * Stores a value under a key; a former one, or an object, is replaced, its deadline, kind and marks stay.
   *
   * @param value must not be a view of this table
   * @returns the slot; NONE where it does not fit, and then nothing has changed but what was evicted
   */
  put(key: ByteKey, value: ByteSpan): number {
    const slot = this.find(key)
    if (slot < 0) return this.#insert(key, value)
    return this.replace(slot, value) ? slot : NONE
  }

  /** Another value for an entry. @returns false where it does not fit: the former one stays */
  replace(slot: number, value: ByteSpan): boolean {
    const rows = this.#rows
    const page = rows.pages[slot >>> rows.shift] as Int32Array
    const row = (slot & rows.mask) * ROW_WORDS
    const keyBytes = page[row + KEY_BYTES] as number
    const valueBytes = value.end - value.start
    const target = this.#target
    if (this.#store.isLike(page[row + PLACE] as number, keyBytes + valueBytes)) {
      this.#store.at(page[row + PLACE] as number, slot, target)
    } else {
      if (!this.#store.reserve(slot, keyBytes + valueBytes)) return false
      copy(this.key(slot), target)
      this.#store.adopt(slot)
    }
    target.start += keyBytes
    copy(value, target)
    if (((page[row + FLAGS] as number) & IS_OBJECT) !== 0) this.#dropObject(slot)
    page[row + VALUE_BYTES] = valueBytes
    return true
  }

  /** Stores an object under a key, charged with so many bytes. @returns as `put` */
  putObject(key: ByteKey, object: object, bytes: number): number {
    const former = this.find(key)
    if (!this.#store.fit(bytes, former)) return NONE
    this.#store.besideBytes += bytes
    const slot = former < 0 ? this.#insert(key, NOTHING) : this.replace(former, NOTHING) ? former : NONE
    if (slot === NONE) {
      this.#store.besideBytes -= bytes
      return NONE
    }
    this.#rows.set(slot, FLAGS, this.#rows.get(slot, FLAGS) | IS_OBJECT)
    this.#rows.set(slot, VALUE_BYTES, bytes)
    const page = (this.#objects[slot >>> this.#rows.shift] ??= new Array<object | undefined>(this.#rows.mask + 1))
    page[slot & this.#rows.mask] = object
    return slot
  }

  /** The object beside, undefined where the value is bytes. */
  object(slot: number): object | undefined {
    return this.#objects[slot >>> this.#rows.shift]?.[slot & this.#rows.mask]
  }

  /** Bytes the object of a slot is charged with from now on. @returns false where they do not fit: they count all the same */
  charge(slot: number, bytes: number): boolean {
    this.#store.besideBytes += bytes - this.#rows.get(slot, VALUE_BYTES)
    this.#rows.set(slot, VALUE_BYTES, bytes)
    return this.#store.fit(0, slot)
  }

  remove(slot: number): void {
    const rows = this.#rows
    this.#index.remove(rows.get(slot, HASH), slot)
    this.#queues.remove(slot)
    this.#dropObject(slot)
    this.#store.release(slot)
    rows.free(slot)
    const { shrinkBytes } = this.#index
    if (shrinkBytes > 0 && this.bytes + shrinkBytes <= this.maxBytes) this.#index.shrink()
  }

  /** Where the value stands; empty for an object. The same span at every call. */
  value(slot: number): ByteSpan {
    const rows = this.#rows
    const page = rows.pages[slot >>> rows.shift] as Int32Array
    const row = (slot & rows.mask) * ROW_WORDS
    const span = this.#store.at(page[row + PLACE] as number, slot, this.#value)
    span.start += page[row + KEY_BYTES] as number
    span.end = span.start + (((page[row + FLAGS] as number) & IS_OBJECT) === 0 ? (page[row + VALUE_BYTES] as number) : 0)
    return span
  }

  /** Where the key stands. The same span at every call. */
  key(slot: number): ByteSpan {
    const span = this.#store.locate(slot, this.#key)
    span.end = span.start + this.#rows.get(slot, KEY_BYTES)
    return span
  }

  /** The value stands in a buffer of its own, which nobody ever writes to again: it may be sent as it is. */
  isApart(slot: number): boolean {
    return this.#rows.get(slot, PLACE) === IN_BUFFER
  }

  space(slot: number): number {
    return this.#rows.get(slot, SPACE)
  }

  hash(slot: number): number {
    return this.#rows.get(slot, HASH)
  }

  /** 0 to 255; 0 in a new entry. */
  kind(slot: number): number {
    return this.#rows.get(slot, FLAGS) & KIND_MASK
  }

  setKind(slot: number, kind: number): void {
    this.#rows.set(slot, FLAGS, (this.#rows.get(slot, FLAGS) & ~KIND_MASK) | kind)
  }

  /** A 32-bit number of the user's, 0 in a new entry. */
  mark(slot: number): number {
    return this.#rows.get(slot, MARK)
  }

  setMark(slot: number, mark: number): void {
    this.#rows.set(slot, MARK, mark)
  }

  /** Another one. */
  note(slot: number): number {
    return this.#rows.get(slot, NOTE)
  }

  setNote(slot: number, note: number): void {
    this.#rows.set(slot, NOTE, note)
  }

  /** ms of the user's clock; Infinity in a new entry. */
  deadline(slot: number): number {
    return this.#rows.time(slot)
  }

  setDeadline(slot: number, atMs: number): void {
    this.#rows.setTime(slot, atMs)
  }

  /** The next slots of a walk through everything: see `ByteIndex.scan`. @returns the next cursor, 0 at the end */
  scan(cursor: number, wanted: number, into: number[]): number {
    return this.#index.scan(cursor, wanted, into)
  }

  /** An entry drawn by a number from 0 to below 1, nearly evenly; NONE when empty. */
  sample(random: number): number {
    return this.#index.sample(random)
  }

  /** Removes what is read least. @returns false where there is nothing */
  evict(): boolean {
    return this.#evict(NONE)
  }

  /** Goes below a limit that was lowered, as far as it may. */
  shrink(): boolean {
    return this.#store.fit(0, NONE)
  }

  /** Idle work: moves places of a table that grew, and empties a segment where that gains much. */
  tend(): void {
    this.#index.move(TENDED_PLACES)
    this.#store.tend()
  }

  clear(): void {
    this.#index.clear()
    this.#rows.clear()
    this.#store.clear()
    this.#queues.clear()
    this.#objects.length = 0
  }

  #insert(key: ByteKey, value: ByteSpan): number {
    if (!this.#makePlace(true)) return NONE
    const rows = this.#rows
    const slot = rows.take()
    const keyBytes = key.end - key.start
    rows.set(slot, PLACE, NOWHERE)
    if (!this.#store.reserve(slot, keyBytes + value.end - value.start)) {
      rows.free(slot)
      return NONE
    }
    copy(key, this.#target)
    this.#target.start += keyBytes
    copy(value, this.#target)
    this.#store.adopt(slot)
    // What left meanwhile may have let the index finish growing, and begin anew.
    if (!this.#makePlace(false)) {
      this.#store.release(slot)
      rows.free(slot)
      return NONE
    }
    rows.set(slot, HASH, key.hash)
    rows.set(slot, KEY_BYTES, keyBytes)
    rows.set(slot, VALUE_BYTES, value.end - value.start)
    rows.set(slot, SPACE, key.space)
    rows.set(slot, FLAGS, 0)
    rows.set(slot, MARK, 0)
    rows.set(slot, NOTE, 0)
    rows.setTime(slot, Number.POSITIVE_INFINITY)
    this.#index.add(key.hash, slot)
    this.#queues.add(slot)
    return slot
  }

  /** Room in the index for one more, and in the rows. */
  #makePlace(isRowNeeded: boolean): boolean {
    for (;;) {
      const bytes = this.#index.growthBytes + (isRowNeeded ? this.#rows.growthBytes : 0)
      if (bytes === 0 || this.bytes + bytes <= this.maxBytes) return true
      if (!this.evicts || !this.#evict(NONE)) return false
    }
  }

  #room(): number {
    return this.maxBytes - this.#rows.bytes - this.#index.bytes - this.#queues.bytes
  }

  #evict(pinned: number): boolean {
    const slot = this.#queues.victim(pinned)
    if (slot < 0) return false
    this.#onEvict?.(slot)
    this.remove(slot)
    this.evictions += 1
    return true
  }

  #dropObject(slot: number): void {
    const flags = this.#rows.get(slot, FLAGS)
    if ((flags & IS_OBJECT) === 0) return
    this.#rows.set(slot, FLAGS, flags & ~IS_OBJECT)
    this.#store.besideBytes -= this.#rows.get(slot, VALUE_BYTES)
    const page = this.#objects[slot >>> this.#rows.shift] as (object | undefined)[]
    page[slot & this.#rows.mask] = undefined
  }

  #isKey(slot: number, key: ByteKey): boolean {
    const keyBytes = key.end - key.start
    const rows = this.#rows
    const page = rows.pages[slot >>> rows.shift] as Int32Array
    const row = (slot & rows.mask) * ROW_WORDS
    if (page[row + KEY_BYTES] !== keyBytes || page[row + SPACE] !== key.space) return false
    const { bytes, start } = this.#store.at(page[row + PLACE] as number, slot, this.#key)
    if (keyBytes > COMPARED_BY_HAND) return compareBytes.call(bytes, key.bytes, key.start, key.end, start, start + keyBytes) === 0
    return isEqual(bytes, start, key)
  }
}

const NOTHING = new ByteSpan()

const { copy: copyBytes, compare: compareBytes } = Buffer.prototype

/** Four bytes a step: a fifth less than one by one. */
function isEqual(bytes: Uint8Array, from: number, { bytes: asked, start, end }: ByteKey): boolean {
  let at = from
  let i = start
  for (; i + 4 <= end; i += 4, at += 4) {
    const differ =
      ((bytes[at] as number) ^ (asked[i] as number)) |
      ((bytes[at + 1] as number) ^ (asked[i + 1] as number)) |
      ((bytes[at + 2] as number) ^ (asked[i + 2] as number)) |
      ((bytes[at + 3] as number) ^ (asked[i + 3] as number))
    if (differ !== 0) return false
  }
  for (; i < end; i += 1, at += 1) if (bytes[at] !== asked[i]) return false
  return true
}

/** To where another span begins. */
function copy({ bytes, start, end }: ByteSpan, to: ByteSpan): void {
  const into = to.bytes
  let at = to.start
  if (end - start > COPIED_BY_HAND) copyBytes.call(bytes, into, at, start, end)
  else for (let i = start; i < end; i += 1) into[at++] = bytes[i] as number
}
