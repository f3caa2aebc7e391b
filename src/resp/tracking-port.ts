/**
 * What the tracking connection needs of the floor that has sockets.
 *
 * Floor 4, room resp.
 */

/** A connection that is open or opening. */
export interface TrackingSocket {
  /** Written at once, in order; before `connected` nothing is. */
  write(bytes: Uint8Array): void
  /** Ends it at once; nothing is told of it any more. */
  destroy(): void
}

/** What a connection tells. */
export interface TrackingEvents {
  connected(): void
  /** Bytes as they came; not written to afterwards. */
  data(chunk: Buffer): void
  /** Once, whoever ended it but `destroy`. */
  ended(reason: string): void
}

/**
 * Opens a connection to the very server that the clients' connections lead to: the same address, not only the same name.
 * With keep-alive probes and without delay of small writes.
 */
export interface TrackingPort {
  open(events: TrackingEvents): TrackingSocket
}
