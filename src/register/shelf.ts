/**
 * Where the hook keeps replies: maps by key, one order of eviction over all of them, bounded in bytes.
 *
 * Floor 5, room register. A hit is one look-up in a Map of strings and a byte set (SIEVE: who was asked for since the hand
 * last came by stays). Bytes are estimates on the safe side, names and tables included. What is stale is found at the next
 * look-up or evicted like the rest.
 */
import type { Governed } from '../flow/governor.ts'
import type { Kept, Shape } from './value.ts'

/** Kept replies by name. */
export type Drawer = Map<string, Entry>

/** What decides how long a reply holds. */
export interface Standing {
  /** Hashes of its keys in the tables of coherence. */
  readonly hashes: readonly number[] | Int32Array
  readonly token: number
  /** `clock.now()` up to which it may be given. */
  readonly deadlineMs: number
  /** Memory has followed all that was known when it was read once this fence is answered. */
  readonly fence: number
}

/** Overhead of an entry: the object, its place in a Map, its links. */
const ENTRY_BYTES = 200

/** One kept reply. Plain fields: they are read on each hit. */
export class Entry {
  readonly shape: Shape
  readonly value: unknown
  readonly bytes: number
  /** Hash of its only key, or of the first. */
  readonly hash: number
  /** Of all its keys where it has several. */
  readonly hashes: readonly number[] | Int32Array | undefined
  readonly token: number
  readonly deadlineMs: number
  readonly fence: number
  /** The key as it stands in Redis, for TOUCH. */
  readonly key: string | Buffer
  isVisited = false
  readonly drawer: Drawer
  readonly name: string
  older: Entry | undefined
  newer: Entry | undefined
  isGone = false

  constructor(place: Place, kept: Kept, standing: Standing) {
    this.shape = kept.shape
    this.value = kept.value
    this.bytes = kept.bytes + place.name.length * 2 + ENTRY_BYTES
    this.hash = standing.hashes[0] as number
    this.hashes = standing.hashes.length > 1 ? standing.hashes : undefined
    this.token = standing.token
    this.deadlineMs = standing.deadlineMs
    this.fence = standing.fence
    this.key = place.key
    this.drawer = place.drawer
    this.name = place.name
  }
}

/** Where a reply belongs. */
export interface Place {
  readonly drawer: Drawer
  readonly name: string
  /** First key, as it goes to Redis. */
  readonly key: string | Buffer
}

/** See the module's header. */
export class Shelf implements Governed {
  readonly maxBytes: number
  bytes = 0
  count = 0
  evictions = 0
  #oldest: Entry | undefined
  #newest: Entry | undefined
  #hand: Entry | undefined

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Puts an entry in its place; what stood there goes. */
  put(entry: Entry): void {
    const former = entry.drawer.get(entry.name)
    if (former !== undefined) this.drop(former)
    entry.drawer.set(entry.name, entry)
    entry.older = this.#newest
    if (this.#newest !== undefined) this.#newest.newer = entry
    this.#newest = entry
    this.#oldest ??= entry
    this.bytes += entry.bytes
    this.count += 1
  }

  /** Takes an entry out. */
  drop(entry: Entry): void {
    if (entry.isGone) return
    entry.isGone = true
    if (entry.drawer.get(entry.name) === entry) entry.drawer.delete(entry.name)
    if (this.#hand === entry) this.#hand = entry.newer
    if (entry.older === undefined) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === undefined) this.#newest = entry.older
    else entry.newer.older = entry.older
    entry.older = undefined
    entry.newer = undefined
    this.bytes -= entry.bytes
    this.count -= 1
  }

  /** Takes out all of some drawers. */
  empty(drawers: Iterable<Drawer>): void {
    for (const drawer of drawers) for (const entry of drawer.values()) this.drop(entry)
  }

  /** @returns evictions made */
  limitTo(bytes: number, maxEvictions: number): number {
    let made = 0
    while (this.bytes > bytes && made < maxEvictions && this.count > 0) {
      this.#evict()
      made += 1
    }
    this.evictions += made
    return made
  }

  shed(): void {
    this.limitTo(0, this.count)
  }

  #evict(): void {
    let at = this.#hand ?? this.#oldest
    while (at?.isVisited === true) {
      at.isVisited = false
      at = at.newer ?? this.#oldest
    }
    if (at === undefined) return
    this.#hand = at.newer
    this.drop(at)
  }
}
