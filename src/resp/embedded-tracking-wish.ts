/**
 * What a connection asks of CLIENT TRACKING.
 *
 * Floor 4, room resp.
 */

/** What a connection asked for. */
export interface TrackingWish {
  readonly isBroadcast: boolean
  /** Of broadcasting; `''`: every key. */
  readonly prefixes: readonly string[]
  readonly optIn: boolean
  readonly optOut: boolean
  readonly noLoop: boolean
  /** 0: nobody else. */
  readonly redirect: number
}
