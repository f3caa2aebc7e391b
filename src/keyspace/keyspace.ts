/**
 * The data of the embedded mode: databases, who watches and who waits, what is charged.
 *
 * Floor 3, room keyspace. No protocol and no timers: whoever runs commands sets `now` before each one and calls `expireSome`
 * now and then. Changes are told to `onEvent`, if anybody wants to hear them.
 */
import type { Random } from '../model/random.ts'
import { Database, type KeyspaceStats, type Surroundings } from './database.ts'
import { KeyTable, limitOf } from './key-table.ts'
import { defaultPacking, type PackingLimits } from './limits.ts'
import type { KeyPlace } from './place.ts'
import type { SnapshotJournal } from './snapshot-journal.ts'
import { WaitingList } from './waiting.ts'
import { Watches } from './watch.ts'

/** Hears of changes: Redis's keyspace events. @param family one letter, as in notify-keyspace-events */
export type HearEvent = (family: string, event: string, place: KeyPlace) => void

/** See `Keyspace.unsaved`. */
export interface UnsavedKeys {
  readonly isEmpty: boolean
  has(place: KeyPlace): boolean
}

export interface KeyspaceOptions {
  readonly databases: number
  readonly random: Random
  /** Bytes that keys and values may take; 0: no limit. */
  readonly maxBytes: number
}

/** See the module's header. */
export class Keyspace implements Surroundings {
  readonly databases: readonly Database[]
  readonly random: Random
  readonly limits: PackingLimits = defaultPacking()
  readonly watches = new Watches()
  readonly waiting = new WaitingList()
  readonly stats: KeyspaceStats = { hits: 0, misses: 0, expired: 0, evicted: 0 }
  /** Epoch ms; stands still while a command runs. */
  now = 0
  /** Changes since the last snapshot. */
  dirty = 0
  onEvent: HearEvent | undefined
  /** Hears of every key that was changed, or went, in any database. */
  onTouched: ((key: string) => void) | undefined
  /** Whole databases were emptied or exchanged. */
  onCleared: (() => void) | undefined
  /** Keys that no snapshot may hold: what is known of them beside is lost with the process. */
  unsaved: UnsavedKeys | undefined
  /** Hears of every change while a snapshot is written. */
  journal: SnapshotJournal | undefined
  readonly table: KeyTable
  readonly #bySpace: Database[]
  readonly #found: number[] = []
  #maxBytes = 0
  #sweep = 0

  constructor(options: KeyspaceOptions) {
    this.random = options.random
    this.table = new KeyTable(options.random, options.maxBytes, (slot) =>
      this.#bySpace[this.table.bytes.space(slot)]?.evicted(slot),
    )
    this.databases = Array.from({ length: options.databases }, (_, number) => new Database(this, number))
    this.#bySpace = [...this.databases]
    this.maxBytes = options.maxBytes
  }

  /** The number of the database whose entries carry this mark in the table. */
  numberOf(space: number): number {
    return (this.#bySpace[space] as Database).number
  }

  /** Bytes that all may take; 0: no limit. */
  get maxBytes(): number {
    return this.#maxBytes
  }

  set maxBytes(bytes: number) {
    this.#maxBytes = bytes
    this.table.bytes.maxBytes = limitOf(bytes)
  }

  /** Keys may be evicted when memory is full. */
  get evicts(): boolean {
    return this.table.bytes.evicts
  }

  set evicts(evicts: boolean) {
    this.table.bytes.evicts = evicts
  }

  /** Bytes that keys and values take. */
  get usedBytes(): number {
    return this.table.bytes.liveBytes
  }

  get isOver(): boolean {
    return this.#maxBytes > 0 && this.table.bytes.bytes > this.table.bytes.maxBytes
  }

  /** Evicts until everything fits. @returns whether it does */
  makeRoom(): boolean {
    while (this.isOver && this.evicts && this.table.bytes.evict());
    return !this.isOver
  }

  noteChange(key?: string): void {
    this.dirty += 1
    if (key !== undefined) this.onTouched?.(key)
  }

  tell(family: string, event: string, place: KeyPlace): void {
    this.onEvent?.(family, event, place)
  }

  /** Exchanges two databases. */
  swap(a: number, b: number): void {
    if (a === b) return
    const [one, other] = [this.databases[a] as Database, this.databases[b] as Database]
    this.#touchWatched(one, other)
    this.#touchWatched(other, one)
    one.swap(other)
    this.journal?.noteSwapped(a, b)
    this.dirty += 1
    this.#bySpace[one.space] = one
    this.#bySpace[other.space] = other
    for (const database of [one, other]) this.waiting.noteAll(database.number)
    this.onCleared?.()
  }

  /** Empties databases. */
  clear(databases: readonly Database[]): void {
    for (const database of databases) {
      this.#touchWatched(database, undefined)
      this.dirty += database.clear()
    }
    this.onCleared?.()
  }

  /** Removes expired keys that nobody looks at, and tidies the table. @returns whether there may be many more */
  expireSome(most: number): boolean {
    const { bytes } = this.table
    bytes.tend()
    if (!this.databases.some(({ expiring }) => expiring > 0)) return false
    const found = this.#found
    found.length = 0
    this.#sweep = bytes.scan(this.#sweep, most, found)
    let gone = 0
    for (const slot of found) {
      if (bytes.deadline(slot) > this.now) continue
      this.#bySpace[bytes.space(slot)]?.expire(slot)
      gone += 1
    }
    return gone * 4 > most
  }

  /** @param coming what stands there from now on; undefined: nothing */
  #touchWatched(database: Database, coming: Database | undefined): void {
    for (const row of this.watches.keysOf(database.number)) {
      const { key } = row
      const stood = database.stands(key)
      const stands = coming?.stands(key) === true
      if (!stood && !stands) continue
      const isExpired = coming?.isExpired(key) === true
      if (row.wasExpired) {
        if (!stands) row.wasExpired = false
        if (!stands || isExpired) continue
      } else if (!stood && isExpired) {
        row.wasExpired = true
        continue
      }
      row.watcher.isDirty = true
    }
  }
}
