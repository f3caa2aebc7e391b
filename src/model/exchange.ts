/**
 * The shapes of an HTTP exchange, without any server: what doors hand to the HTTP room and get back.
 *
 * Floor 0, room model.
 */
import type { Fields } from './fields.ts'

/** A request's head. */
export interface RequestHead {
  /** As sent, case kept: methods are case-sensitive. */
  readonly method: string
  /** Origin-form target as received, undecoded: path and query, `*`, or absolute-form's path and query. */
  readonly target: string
  readonly scheme: 'http' | 'https'
  /** Host the client asked for, lower-cased, default port dropped. */
  readonly authority: string
  readonly fields: Fields
}

/** A response's head. */
export interface ResponseHead {
  readonly status: number
  readonly statusText: string
  readonly fields: Fields
}

/** A body as it comes: bytes in chunks; `return()` cancels the source. */
export type BodySource = AsyncIterable<Uint8Array>

/** A response of the origin; its body must be read or cancelled. */
export interface OriginAnswer {
  readonly head: ResponseHead
  readonly body: BodySource
  /**
   * The whole body instead of `body`, where all of it has come with the head and nobody has begun to read: bytes of its
   * own. Undefined, and nothing taken, where more is to come, it broke, or it is not as wished.
   */
  readonly whole?: (wish: WholeWish) => Uint8Array | undefined
  /** Trailer fields; complete once the body has ended. */
  readonly trailers: () => Fields | undefined
  /** Only the end of the connection tells the end of the body: whether it is whole cannot be known. */
  readonly endsByClose?: boolean
}

/** Which whole body is of use. */
export interface WholeWish {
  /** Content-Length as received; undefined: any. */
  readonly expected: number | undefined
  readonly maxBytes: number
}

/** What the HTTP room asks of an origin. */
export interface OriginPort {
  /**
   * @param head the request to send; hop-by-hop fields already taken out
   * @param body the request's content, streamed; undefined when there is none
   * @throws ForecacheError FC_ORIGIN_TIMEOUT, FC_ORIGIN_REFUSED, FC_ORIGIN_BROKEN
   */
  send(head: RequestHead, body: BodySource | undefined, options: SendOptions): Promise<OriginAnswer>
}

/** Options of one sending. */
export interface SendOptions {
  readonly signal: AbortSignal
  /** 1xx answers other than 101, as they come; forwarded, never stored. */
  readonly onInformational?: (head: ResponseHead) => void
}

/** What the door writes to its client. `body` is complete bytes, a stream, or nothing (HEAD, 204, 304). */
export interface Reply {
  readonly head: ResponseHead
  readonly body: Uint8Array | BodySource | undefined
  readonly trailers?: () => Fields | undefined
  /** How it came about, for metrics and headers. */
  readonly outcome: Outcome
}

/** How an answer came about. */
export interface Outcome {
  /** X-Cache's word. */
  readonly cache: 'HIT' | 'MISS' | 'STALE' | 'REFRESH' | 'BYPASS'
  readonly cached: boolean
  readonly stale: boolean
  /** Route policy's name, or 'default'. */
  readonly route: string
  /** Loaded now: for the store, or by another whose answer may be shared; undefined: not at all, or for this client alone. */
  readonly load?: 'kept' | 'joined' | undefined
}
