/**
 * Limits of requests of the Redis protocol.
 *
 * Floor 1, room wire.
 */

/** Limits of a listener, shared by its scanners; may be changed while they run. */
export interface RequestLimits {
  /** One argument (proto-max-bulk-len). */
  maxBulkBytes: number
  /** One unfinished request (client-query-buffer-limit). */
  maxRequestBytes: number
  /** From here on a request that is not whole yet is announced. */
  largeBytes: number
}

/** As Redis; requests above 1 MiB are announced. */
export const REQUEST_LIMITS: Readonly<RequestLimits> = {
  maxBulkBytes: 512 * 1024 * 1024,
  maxRequestBytes: 1024 * 1024 * 1024,
  largeBytes: 1024 * 1024,
}

/** For what was made here. */
export const UNLIMITED: Readonly<RequestLimits> = {
  maxBulkBytes: Number.POSITIVE_INFINITY,
  maxRequestBytes: Number.POSITIVE_INFINITY,
  largeBytes: Number.POSITIVE_INFINITY,
}
