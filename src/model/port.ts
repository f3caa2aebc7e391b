/**
 * Ports: what lower rooms offer and upper rooms hand in, as interfaces.
 *
 * Floor 0, room model.
 */
import type { Entry } from './entry.ts'

/** Any logger: pino, console. */
export interface Logger {
  debug(detail: object, text?: string): void
  info(detail: object, text?: string): void
  warn(detail: object, text?: string): void
  error(detail: object, text?: string): void
}

/** Says nothing. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Why an entry left memory. */
export type RemoveReason = 'evicted' | 'expired' | 'invalidated' | 'replaced' | 'deleted'

/**
 * The in-memory tier (L1). Everything is synchronous. Entries that the fence calls dead are never returned;
 * entries it calls soft are returned with `budget.freshMs` 0. Only flow/keep calls `put`.
 */
export interface MemoryPort {
  /** Hot path: the value if the entry is of kind `value`, fresh on the coarse clock and current; else undefined. */
  peek(key: string): unknown
  /** The entry whatever its age (kept until past every window), counted as a use by the eviction policy. */
  find(key: string): Entry | undefined
  /** As `find`, without counting a use. */
  look(key: string): Entry | undefined
  /** Stores or replaces; false when the policy or the size limit refuses it (then nothing is left under the key). */
  put(entry: Entry): boolean
  delete(key: string): boolean
  /** Ends the fresh window of a key now; false when absent. */
  soften(key: string): boolean
  /** The shared instance of a body with this identity, or `body` itself, which becomes it once an entry that names it is put. */
  canonical<T>(id: string, body: T): T
  /** The shared body with this identity, while an entry names it. */
  held(id: string): unknown
  /** Entries stored under a tag at this moment (not yet invalidated); O(1). */
  taggedCount(tag: string): number
  /** Keys at this moment; O(n), for administration. */
  keys(): IterableIterator<string>
  /** Removes dead and expired entries among the next `maxSlots`; returns how many. Called in idle slices. */
  sweep(maxSlots: number): number
  clear(): void
  readonly size: number
  /** Charged bytes of everything: values, keys, tags, bookkeeping. */
  readonly bytes: number
  readonly maxBytes: number
}
