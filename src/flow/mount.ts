/**
 * A namespace whose values stand elsewhere: in a Redis, or in the keyspace of this process.
 *
 * Floor 3, room flow. What a door gives so that the library and the native cache API read and write the very values that its own
 * clients do. Values are bytes, keys are text (their UTF-8). Nothing here is a copy that could differ.
 */

/** A value that stands, as bytes that nobody writes to any more. */
export interface MountFound {
  readonly value: Uint8Array
  /** What is left of its life, ms; Infinity: it lasts. */
  readonly ttlMs: number
}

/** What becomes of a value that was judged. */
export type MountChange =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'set'; readonly value: Uint8Array; readonly ttlMs: number }

/** A write. */
export interface MountWrite {
  readonly value: Uint8Array
  /** Above 0; Infinity: it lasts. */
  readonly ttlMs: number
  /** Runs right before the write is sent or done: the order of these calls is the order of the writes. May throw: then nothing is written. */
  readonly sent: () => void
}

/** The values of a door by their names. All but `peek` reject with FC_MOUNT_TYPE where another type than a string stands. */
export interface MountValues {
  /** What memory holds and may tell this reader now; undefined: ask. Synchronous. */
  peek(key: string): Uint8Array | undefined
  /** @returns undefined where nothing stands */
  get(key: string): Promise<Uint8Array | undefined>
  /** @returns ms, Infinity where it lasts, undefined where nothing stands */
  lifetime(key: string): Promise<number | undefined>
  /** Whether anything stands there, of whatever type. */
  has(key: string): Promise<boolean>
  set(key: string, write: MountWrite): Promise<void>
  /** @returns whether anything stood there */
  delete(key: string): Promise<boolean>
  /** Judges what stands and changes it, with nobody between. `decide` may run more than once, and may throw. */
  change(key: string, decide: (found: MountFound | undefined) => MountChange): Promise<void>
}

/** What is not to be believed any more; where the data stands here alone: what is to go. In every database. */
export interface MountForget {
  key(name: string): void
  prefix(prefix: string): void
  all(): void
}

/** A namespace's values and what belongs to them. */
export interface Mount {
  readonly values: MountValues
  readonly forget: MountForget
}
