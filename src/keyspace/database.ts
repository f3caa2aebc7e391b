/**
 * One database: keys, what stands under them, and until when.
 *
 * Floor 3, room keyspace. What has expired is seen by nobody and goes at the first look. Times are epoch ms of the keyspace's
 * `now`, which stands still during a command.
 */
import type { Random } from '../model/random.ts'
import type { ByteSpan } from '../shelf/byte-hash.ts'
import { NONE } from '../shelf/byte-table.ts'
import { CONTAINER, type KeyTable, TEXT } from './key-table.ts'
import type { KeyPlace } from './place.ts'
import type { SnapshotJournal } from './snapshot-journal.ts'
import type { Container, TextForm, TextValue, Value } from './value.ts'
import type { WaitingList } from './waiting.ts'
import type { Watches } from './watch.ts'

/** Counted since the start or CONFIG RESETSTAT. */
export interface KeyspaceStats {
  hits: number
  misses: number
  expired: number
  evicted: number
}

/** What databases share. */
export interface Surroundings {
  readonly now: number
  readonly random: Random
  readonly stats: KeyspaceStats
  readonly watches: Watches
  readonly waiting: WaitingList
  readonly table: KeyTable
  /** There while a snapshot is written: hears of every change. */
  readonly journal: SnapshotJournal | undefined
  noteChange(key?: string): void
  tell(family: string, event: string, place: KeyPlace): void
}

/** How a string is put. */
export interface TextWish {
  /** Default `plain`. */
  readonly form?: TextForm
  readonly keepDeadline?: boolean
}

/** See `askedText`. */
export const NOT_PLAIN = -2
const SAMPLES = 100
const SCANNED = 1000
/** A scan of a sparse table goes on so many times before it answers with little. */
const STEPS = 100
const NEVER = Number.POSITIVE_INFINITY
const PLAIN: TextWish = {}

/** See the module's header. */
export class Database {
  readonly number: number
  /** Of the table; exchanged by SWAPDB. */
  space: number
  /** Keys, the expired and not yet removed included, as DBSIZE counts. */
  size = 0
  /** Keys with a deadline. */
  expiring = 0
  readonly #around: Surroundings
  readonly #table: KeyTable
  readonly #found: number[] = []
  /** The key that was just given a text, and not yet told of: its entry need not be looked for. */
  #text: string | undefined

  constructor(around: Surroundings, number: number) {
    this.#around = around
    this.#table = around.table
    this.number = number
    this.space = number
  }

  /** What stands under the key; does not count as hit or miss. */
  look(key: string): Value | undefined {
    const slot = this.#live(key)
    if (slot === NONE) return undefined
    this.touch(slot)
    return this.#table.value(slot)
  }

  /** The same for commands that only read: counted. */
  read(key: string): Value | undefined {
    const value = this.look(key)
    if (value === undefined) this.#around.stats.misses += 1
    else this.#around.stats.hits += 1
    return value
  }

  /** The same, leaving no trace of use. */
  peek(key: string): Value | undefined {
    const slot = this.#live(key)
    return slot === NONE ? undefined : this.#table.value(slot)
  }

  has(key: string): boolean {
    return this.#live(key) !== NONE
  }

  /** It stands there, expired or not. */
  stands(key: string): boolean {
    return this.#table.find(this.space, key) !== NONE
  }

  /** It stands there still, and may be seen by nobody. */
  isExpired(key: string): boolean {
    const slot = this.#table.find(this.space, key)
    return slot !== NONE && this.#table.bytes.deadline(slot) <= this.#around.now
  }

  /** Sets a string; a deadline is dropped unless it is to be kept. @throws KeyspaceFull */
  putText(key: string, text: string, wish: TextWish = PLAIN): void {
    const value: TextValue = { kind: 'string', text, form: wish.form ?? 'plain' }
    this.#store(key, value, wish.keepDeadline === true)
  }

  /** Sets a container; a deadline is dropped. @throws KeyspaceFull */
  put(key: string, value: Container): void {
    this.#store(key, value, false)
  }

  /** The bytes of a string where they stand, good until the next change; undefined: no string stands there. */
  content(key: string): ByteSpan | undefined {
    const slot = this.#live(key)
    if (slot === NONE || !this.#table.isText(slot)) return undefined
    this.touch(slot)
    return this.#table.content(slot)
  }

  /**
   * Changes one byte of a string in its place.
   *
   * @returns false: that cannot be done; nothing has changed
   */
  patch(key: string, at: number, byte: number): boolean {
    const slot = this.#table.find(this.space, key)
    if (slot === NONE || !this.#table.isText(slot) || this.#table.bytes.isApart(slot)) return false
    const { bytes, start, end } = this.#table.content(slot)
    if (at >= end - start) return false
    this.#around.journal?.note(this.number, key)
    bytes[start + at] = byte
    this.#table.markChanged(slot)
    return true
  }

  /** @returns whether it was there */
  remove(key: string): boolean {
    const slot = this.#live(key)
    if (slot === NONE) return false
    this.#around.journal?.note(this.number, key)
    this.#drop(slot)
    return true
  }

  /** Epoch ms, 0: none; undefined: no such key. */
  deadline(key: string): number | undefined {
    const slot = this.#live(key)
    if (slot === NONE) return undefined
    const at = this.#table.bytes.deadline(slot)
    return at === NEVER ? 0 : at
  }

  /** @param at epoch ms; 0: none. The key stands. */
  setDeadline(key: string, at: number): void {
    const slot = this.#table.find(this.space, key)
    if (slot === NONE) return
    this.#around.journal?.note(this.number, key)
    this.#setDeadline(slot, at === 0 ? NEVER : at)
  }

  /** ms since it was last looked at; undefined: no such key. */
  idleMs(key: string): number | undefined {
    const slot = this.#live(key)
    return slot === NONE ? undefined : this.#around.now - this.#table.bytes.mark(slot) * 1000
  }

  /** An entry is used now. */
  touch(slot: number): void {
    const { bytes } = this.#table
    bytes.touch(slot)
    bytes.setMark(slot, (this.#around.now / 1000) | 0)
  }

  /** What stands under the key was changed, or went: its bytes are counted anew and its watchers told. */
  changed(key: string): void {
    const { watches, journal } = this.#around
    journal?.note(this.number, key)
    const { bytes } = this.#table
    if (key !== this.#text) {
      const slot = this.#table.find(this.space, key)
      if (slot !== NONE && bytes.kind(slot) === CONTAINER) bytes.charge(slot, (bytes.object(slot) as Container).bytes)
      if (!watches.isEmpty) watches.changed(this.number, key, slot === NONE)
    } else if (!watches.isEmpty) watches.changed(this.number, key, false)
    this.#text = undefined
    this.#around.noteChange(key)
  }

  randomKey(): string | undefined {
    const { bytes } = this.#table
    for (let tries = 0; tries < SAMPLES && this.size > 0; tries += 1) {
      const slot = bytes.sample(this.#around.random())
      if (bytes.space(slot) === this.space && bytes.deadline(slot) > this.#around.now) return this.#table.keyText(slot)
    }
    let found: string | undefined
    for (let cursor = this.scan(0, 1, seen); cursor !== 0 && found === undefined; ) cursor = this.scan(cursor, 1, seen)
    return found
    function seen(key: string): void {
      found = key
    }
  }

  /**
   * One step of a scan. Expired keys are left out, and those of other databases.
   *
   * @param visit must not change the table
   * @returns the next cursor, 0 at the end; what stands all the while is met
   */
  scan(cursor: number, count: number, visit: (key: string, slot: number) => void): number {
    const { bytes } = this.#table
    const found = this.#found
    found.length = 0
    let next = bytes.scan(cursor, count, found)
    for (let more = 0; next !== 0 && more < STEPS && found.length < count; more += 1) {
      next = bytes.scan(next, count - found.length, found)
    }
    for (const slot of found) {
      if (bytes.space(slot) === this.space && bytes.deadline(slot) > this.#around.now) visit(this.#table.keyText(slot), slot)
    }
    return next
  }

  /** What stands in a slot that a scan has met. */
  valueAt(slot: number): Value {
    return this.#table.value(slot)
  }

  /** @returns how many there were */
  clear(): number {
    const { bytes } = this.#table
    const { size } = this
    if (bytes.size === size) {
      bytes.clear()
    } else {
      const found: number[] = []
      for (let cursor = bytes.scan(0, SCANNED, found); cursor !== 0; ) cursor = bytes.scan(cursor, SCANNED, found)
      for (const slot of found) if (bytes.space(slot) === this.space) bytes.remove(slot)
    }
    this.size = 0
    this.expiring = 0
    this.#around.journal?.noteCleared(this.number)
    return size
  }

  /** SWAPDB. */
  swap(other: Database): void {
    const [space, size, expiring] = [this.space, this.size, this.expiring]
    this.space = other.space
    this.size = other.size
    this.expiring = other.expiring
    other.space = space
    other.size = size
    other.expiring = expiring
  }

  /** An entry leaves because of the limit. */
  evicted(slot: number): void {
    const key = this.#table.keyText(slot)
    this.#forget(slot)
    this.#around.journal?.note(this.number, key)
    this.#around.stats.evicted += 1
    this.#around.tell('e', 'evicted', { database: this.number, key })
    if (!this.#around.watches.isEmpty) this.#around.watches.changed(this.number, key, true)
    this.#around.noteChange(key)
  }

  /** An entry whose deadline is over leaves. */
  expire(slot: number): void {
    const key = this.#table.keyText(slot)
    this.#drop(slot)
    this.#around.stats.expired += 1
    this.#around.tell('x', 'expired', { database: this.number, key })
    this.changed(key)
  }

  /** The slot of what the table's question names; NONE: nothing stands there; NOT_PLAIN: no string, or it has expired. */
  askedText(): number {
    const { bytes, key } = this.#table
    const slot = bytes.find(key)
    if (slot === NONE) return NONE
    if (bytes.kind(slot) === CONTAINER || bytes.deadline(slot) <= this.#around.now) return NOT_PLAIN
    return slot
  }

  /**
   * Sets a string under the table's question, its bytes being a whole bulk reply.
   *
   * @returns false: it is not as plain as that, or memory is full; nothing has changed
   */
  putAsked(bytes: Uint8Array, start: number, end: number): boolean {
    const { bytes: table, key } = this.#table
    const { size, evictions } = table
    if (this.#around.journal !== undefined) return false
    const slot = table.put(key, this.#table.span.set(bytes, start, end))
    if (slot === NONE) return false
    if (table.size - size + table.evictions - evictions > 0) this.size += 1
    else if (table.deadline(slot) !== NEVER) this.#setDeadline(slot, NEVER)
    if (table.kind(slot) !== TEXT) table.setKind(slot, TEXT)
    this.#around.noteChange()
    return true
  }

  #live(key: string): number {
    const slot = this.#table.find(this.space, key)
    if (slot === NONE || this.#table.bytes.deadline(slot) > this.#around.now) return slot
    this.expire(slot)
    return NONE
  }

  #store(key: string, value: Value, keepDeadline: boolean): void {
    let slot = this.#live(key)
    const isNew = slot === NONE
    this.#around.journal?.note(this.number, key)
    if (!isNew && value.kind === 'string' && this.#table.isText(slot)) {
      this.#table.replaceText(slot, value.text, value.form)
    } else {
      this.#table.ask(this.space, key)
      slot = this.#table.put(value)
    }
    this.touch(slot)
    this.#text = value.kind === 'string' ? key : undefined
    if (isNew) {
      this.size += 1
      if (value.kind !== 'string') this.#around.waiting.noteFilled(this.number, key)
    } else if (!keepDeadline) this.#setDeadline(slot, NEVER)
  }

  #setDeadline(slot: number, at: number): void {
    const { bytes } = this.#table
    this.expiring += (at === NEVER ? 0 : 1) - (bytes.deadline(slot) === NEVER ? 0 : 1)
    bytes.setDeadline(slot, at)
  }

  #drop(slot: number): void {
    this.#forget(slot)
    this.#table.bytes.remove(slot)
  }

  #forget(slot: number): void {
    this.#text = undefined
    this.size -= 1
    if (this.#table.bytes.deadline(slot) !== NEVER) this.expiring -= 1
  }
}
