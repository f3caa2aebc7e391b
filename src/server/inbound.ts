/**
 * The client's side of an exchange, whichever version of HTTP it speaks: what a receiver reads of a request and does with
 * its answer.
 *
 * Floor 5, room server. HTTP/1 behind it is server/incoming, HTTP/2 server/http2-incoming. Nothing above the listener
 * knows more than this, so both versions meet the same rules and the same entries.
 */
import type { Reply, RequestHead, ResponseHead } from '../model/exchange.ts'
import type { AdmitLimits } from './admit.ts'
import type { ClientBody } from './client-body.ts'
import type { Peer } from './peer.ts'

/** What a request's content may cost. */
export interface ContentLimits {
  readonly maxBytes: number
  /** Between two chunks, ms. */
  readonly idleMs: number
}

/** Facts about one answer. */
export interface AnswerContext {
  /** Our entry in Via; undefined where we are the origin ourselves. */
  readonly via: string | undefined
  /** Measured µs from the request's head to now; undefined when not asked for. */
  readonly latencyUs: number | undefined
}

/** One request of a client. */
export interface Inbound {
  /** The target as received, for logs. */
  readonly url: string | undefined
  /** Fields by lower-case name, as received; not yet admitted. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly peer: Peer
  /** @throws FC_REQUEST_*, FC_TARGET_TOO_LONG, FC_HEADERS_* for what may be read in two ways; the request is distrusted then */
  admit(limits: AdmitLimits): RequestHead
  /** The request's content; undefined when there is none. Call it once, before anything waits. */
  content(limits: ContentLimits): ClientBody | undefined
  /** Aborted with FC_REQUEST_ABORTED when the client goes before it has its answer. */
  signal(): AbortSignal
  /** The request is ambiguous: what follows it on its connection may not be what it seems (RFC 9112 section 11.2). */
  distrust(): void
  /** Passes a 1xx answer on. */
  inform(head: ResponseHead): void
  /** Resolves when the answer is handed to the kernel or the client is gone. @throws what cannot be written */
  send(reply: Reply, context: AnswerContext): Promise<void>
  /** The answer could not be written: the client sees that it is not whole. */
  abort(): void
}
