/**
 * What is stored under a key.
 *
 * Floor 0, room model. An entry is immutable; a refresh or a 304 makes another one.
 */
import type { Budget } from './budget.ts'

/** A place in the invalidation log: a safe integer, growing. */
export type Position = number

/**
 * `value` is an answer; `pass` is the uncacheable marker (hit-for-miss): callers of this key go to the origin
 * each for himself while it lives; `vary` tells which request fields select among variants of this key.
 */
export type EntryKind = 'value' | 'pass' | 'vary'

/** A stored answer. */
export interface Entry<V = unknown> {
  readonly key: string
  readonly kind: EntryKind
  readonly value: V
  /** Bytes the value is charged with: body, head, decoded data; the tier adds key, tags and bookkeeping. */
  readonly bytes: number
  /** `clock.now()` when the reading of the origin began: the budget counts from here. */
  readonly storedAt: number
  readonly budget: Budget
  /** Horizon of the log when the reading of the origin began. */
  readonly asOf: Position
  /** Small integer of the namespace in the fence; 0 is the default namespace. */
  readonly namespace: number
  readonly tags: readonly string[]
  /** Identity of a body shared between equal entries (see tier/memory `canonical`). */
  readonly share?: { readonly id: string; readonly bytes: number }
  /** What is learned of the key's changes, to be kept beside it; never given back with an entry that is read. */
  readonly learned?: Learned
}

/** What stands beside an entry about the changes of its key. */
export interface Learned {
  /** Digest of what is stored, never 0; 0: it is not to be compared. */
  readonly mark: number
  /** See shelf/change-word; undefined: as it was. */
  readonly word?: number
  /** Where the fresh window was chosen by it. */
  readonly chosen?: {
    /** As it was promised, ms. */
    readonly promisedMs: number
    readonly route: number
    /** Why so: place in flow/choose-window's `WINDOW_REASONS`. */
    readonly because: number
  }
}
