/**
 * The data of the embedded mode: databases, who watches and who waits, what is charged.
 *
 * Floor 3, room keyspace. No protocol and no timers: whoever runs commands sets `now` before each one and calls `expireSome`
 * now and then. Changes are told to `onEvent`, if anybody wants to hear them.
 */
import type { Random } from '../model/random.ts'
import { Database, type KeyPlace, type KeyspaceStats, type Surroundings } from './database.ts'
import { defaultPacking, type PackingLimits } from './limits.ts'
import { WaitingList } from './waiting.ts'
import { Watches } from './watch.ts'

/** Hears of changes: Redis's keyspace events. @param family one letter, as in notify-keyspace-events */
export type HearEvent = (family: string, event: string, place: KeyPlace) => void

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
  maxBytes: number
  /** Keys may be evicted when memory is full. */
  evicts = false
  onEvent: HearEvent | undefined
  #usedBytes = 0

  constructor(options: KeyspaceOptions) {
    this.random = options.random
    this.maxBytes = options.maxBytes
    this.databases = Array.from({ length: options.databases }, (_, number) => new Database(this, number))
  }

  /** Bytes that keys and values are charged. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  get isOver(): boolean {
    return this.maxBytes > 0 && this.#usedBytes > this.maxBytes
  }

  /** Evicts until everything fits. @returns whether it does */
  makeRoom(): boolean {
    while (this.isOver && this.evicts) {
      let evicted = false
      for (const database of this.databases) evicted = (this.isOver && database.evictOne()) || evicted
      if (!evicted) break
    }
    return !this.isOver
  }

  charge(bytes: number): void {
    this.#usedBytes += bytes
  }

  noteChange(): void {
    this.dirty += 1
  }

  tell(family: string, event: string, place: KeyPlace): void {
    this.onEvent?.(family, event, place)
  }

  /** Exchanges two databases. */
  swap(a: number, b: number): void {
    const [one, other] = [this.databases[a] as Database, this.databases[b] as Database]
    this.#touchWatched(one, other)
    this.#touchWatched(other, one)
    one.swap(other)
    for (const database of [one, other]) this.waiting.noteAll(database.number)
  }

  /** Empties databases. */
  clear(databases: readonly Database[]): void {
    for (const database of databases) {
      for (const row of this.watches.keysOf(database.number)) {
        if (database.has(row.key)) row.watcher.isDirty = true
      }
      this.dirty += database.clear()
    }
  }

  /** Removes expired keys that nobody looks at. @returns whether there may be many more */
  expireSome(most: number): boolean {
    let gone = 0
    for (const database of this.databases) gone += database.expireSome(most)
    return gone * 4 > most
  }

  #touchWatched(database: Database, coming: Database): void {
    for (const row of this.watches.keysOf(database.number)) {
      if (database.has(row.key) || coming.has(row.key)) row.watcher.isDirty = true
    }
  }
}
