/**
 * What a connection of HTTP/2 may cost, in our words and in those of node:http2.
 *
 * Floor 5, room server. Pure.
 */
import type { ServerSessionOptions } from 'node:http2'

/** Deadlines (ms) and bounds of a connection and its streams. */
export interface Http2Options {
  /** Requests at once on a connection. */
  readonly maxStreams: number
  /** Fields of one request, bytes; more is answered 431, twice as much resets the stream. */
  readonly maxHeadBytes: number
  readonly maxFields: number
  /** From a connection's begin to its first request. */
  readonly headMs: number
  /** From a request's head to the end of its content. */
  readonly requestMs: number
  /** A client that takes nothing of an answer for so long loses it. */
  readonly writeMs: number
  /** A connection without a request is closed after this. */
  readonly keepAliveMs: number
}

/** Streams a client may reset at once, and per second (CVE-2023-44487). */
const RESET_BURST = 300
const RESET_PER_SECOND = 33

export function sessionOptions({ maxStreams, maxHeadBytes, maxFields }: Http2Options): ServerSessionOptions {
  return {
    // Beyond what is answered 431, so that there is an answer; from there on the stream is reset.
    maxHeaderListPairs: 2 * maxFields + 8,
    maxSessionInvalidFrames: 32,
    maxSessionRejectedStreams: 100,
    streamResetBurst: RESET_BURST,
    streamResetRate: RESET_PER_SECOND,
    settings: {
      enablePush: false,
      enableConnectProtocol: false,
      maxConcurrentStreams: maxStreams,
      maxHeaderListSize: 2 * maxHeadBytes + 64 * maxFields,
    },
  }
}
