/**
 * The second level as the engine sees it: entries behind a network, shared by many processes.
 *
 * Floor 2, room tier. Everything is bounded by a deadline and may fail; nothing of it is trusted before it was judged by the
 * log. Times are this process's steady clock on both ways: how old an entry is was measured on the store's clock.
 */
import type { Position } from '../model/entry.ts'

/** Where an entry stands in the log, and in time. */
export interface RemoteStamp {
  /** Name of the log that `asOf` is a place of. */
  readonly generation: string
  /** Shared sequence number applied where the reading of the origin began. */
  readonly asOf: Position
  /** `clock.now()` of this process when that reading began; never later than the truth. */
  readonly storedAt: number
}

/** An entry to be written. */
export interface RemoteWrite extends RemoteStamp {
  readonly key: string
  /** Its last window ends then, `clock.now()`: it is gone from the store by itself. */
  readonly endsAt: number
  readonly envelope: Uint8Array
}

/** An entry that was read. */
export interface RemoteRead extends RemoteStamp {
  readonly envelope: Uint8Array
}

/** What became of a write. `older`: something newer stands there. `unsure`: the store's clock is not known or has been changed. */
export type RemoteWritten = 'written' | 'older' | 'expired' | 'unsure'

/** See the module's header. */
export interface RemotePort {
  /** Whether calls are sent now; false: they are refused at once. */
  readonly isUp: boolean
  /**
   * @returns what stands, in the order of the keys; undefined: nothing, or more than `maxEntryBytes`
   * @throws (rejects) FC_L2_*; some may have been there
   */
  readMany(keys: readonly string[], deadlineMs: number): Promise<(RemoteRead | undefined)[]>
  /** Replaces what stands only where it is smaller by (asOf, storedAt), or of another log. @throws (rejects) FC_L2_* */
  write(item: RemoteWrite, deadlineMs: number): Promise<RemoteWritten>
  /** Frees memory; nothing relies on it. @throws (rejects) FC_L2_* */
  delete(keys: readonly string[], deadlineMs: number): Promise<void>
  /** Resolves to true when the store can be reached, to false when `deadlineMs` has passed before. */
  ready(deadlineMs: number): Promise<boolean>
  close(): void
}
