/**
 * Keys that are read from memory so often that the upstream would take them for forgotten: a sample, to be touched there.
 *
 * Floor 4, room resp. Measured: of 50 hot keys that were read from memory only, `allkeys-lru` evicted all. Bounded by the
 * number of keys taken at a time; what comes beyond is left to the next time.
 */
import type { Random } from '../model/random.ts'

/** Keys taken at a time. */
const MAX_KEYS = 256
/** One hit in so many is looked at, on average. */
const EVERY = 8

/** See the module's header. */
export class HotKeys {
  readonly #random: Random
  readonly #keys = new Map<number, Map<string, Uint8Array>>()
  #gap = 1
  #size = 0

  constructor(random: Random) {
    this.#random = random
  }

  get size(): number {
    return this.#size
  }

  /** Counts a hit. @returns whether its keys are to be added */
  isSampled(): boolean {
    this.#gap -= 1
    if (this.#gap > 0) return false
    this.#gap = 1 + Math.floor(this.#random() * (EVERY * 2 - 1))
    return this.#size < MAX_KEYS
  }

  /** Adds a key of a database. @param key copied */
  add(database: number, key: Uint8Array): void {
    if (this.#size >= MAX_KEYS) return
    let keys = this.#keys.get(database)
    if (keys === undefined) this.#keys.set(database, (keys = new Map()))
    const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
    if (keys.has(name)) return
    keys.set(name, Uint8Array.from(key))
    this.#size += 1
  }

  /** Takes them all, by database. */
  take(): readonly { readonly database: number; readonly keys: readonly Uint8Array[] }[] {
    const taken = [...this.#keys].map(([database, keys]) => ({ database, keys: [...keys.values()] }))
    this.clear()
    return taken
  }

  clear(): void {
    this.#keys.clear()
    this.#size = 0
  }
}
