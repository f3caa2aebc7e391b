/**
 * Replies of the upstream as they stood on the wire, kept under the partition and the raw bytes of their request.
 *
 * Floor 4, room resp. It holds; `Coherence` decides. A partition is a small number for all that a reply depends on beside
 * its request: user, RESP version, database. One look-up a hit, no string, no copy: the bytes are lent until the next call.
 */
import type { Fill } from './coherence-fill.ts'

/** Where a hit lies: valid until the cache is called again. */
export interface Hit {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/** What the front asks of the cache. */
export interface ReplyStore {
  /** The reply to this very request, if it still stands; call `Coherence.mayHit` once per chunk before. */
  find(partition: number, request: FramedBytes, now: number): Hit | undefined
  /**
   * Takes the reply of a filling read, as it came; it is kept once all its PTTLs have come and nothing has changed since.
   *
   * @returns whether it tells anything that memory did not know
   */
  replied(filling: Filling, reply: FramedBytes, now: number): boolean
  /** Takes the reply to a PTTL behind a filling read. @param pttlMs NaN where it is no number */
  timed(filling: Filling, pttlMs: number, now: number): void
}

/** A run of bytes. */
export interface FramedBytes {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/** A reading under way: what it asked, and its fill. */
export interface Filling {
  readonly fill: Fill
  readonly partition: number
  /** Copied when it was opened. */
  readonly request: Buffer
}
