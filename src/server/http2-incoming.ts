/**
 * One request of HTTP/2: a stream, and what its receiver may do with it.
 *
 * Floor 5, room server. Its deadlines are kept by its connection's sweep (server/http2-connection), so a request costs no
 * timer. A stream that its client resets is aborted even where what came looks like the content's end.
 */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Reply, RequestHead, ResponseHead } from '../model/exchange.ts'
import type { AdmitLimits } from './admit.ts'
import { ClientBody, type ContentSource } from './client-body.ts'
import { admitHttp2 } from './http2-admit.ts'
import { breakOff, informHttp2, sendHttp2 } from './http2-send.ts'
import type { AnswerContext, ContentLimits, Inbound } from './inbound.ts'
import type { Peer } from './peer.ts'

/** Where a request came in. */
export interface Http2Arrival {
  readonly stream: ServerHttp2Stream
  readonly headers: IncomingHttpHeaders
  /** Flat name, value list, pseudo-header fields first. */
  readonly raw: readonly string[]
  readonly peer: Peer
  readonly scheme: RequestHead['scheme']
  readonly maxHeadBytes: number
  readonly clock: Clock
  /** Bytes of content that were read. */
  onContent(bytes: number): void
  /** The answer was handed over, or given up. */
  onAnswered(): void
}

/** Errors of a stream are told by its `close`. */
const IGNORED = (): void => {}

/** See the module's header. */
export class Http2Incoming implements Inbound {
  readonly headers: Inbound['headers']
  readonly startedAt: number
  /** Since when the client takes nothing of what waits for it; undefined while nothing waits. */
  waitingSince: number | undefined
  readonly #arrival: Http2Arrival
  readonly #trailers: string[] = []
  #body: ClientBody | undefined
  #abort: AbortController | undefined
  #answered = false

  constructor(arrival: Http2Arrival) {
    this.#arrival = arrival
    this.headers = arrival.headers
    this.startedAt = arrival.clock.coarse()
    const { stream } = arrival
    stream.on('error', IGNORED).on('aborted', () => this.gone())
    if (stream.endAfterHeaders) return
    stream.on('trailers', (...[, , raw]: unknown[]) => void this.#trailers.push(...((raw as string[] | undefined) ?? [])))
  }

  get url(): string | undefined {
    return this.headers[':path'] as string | undefined
  }

  get peer(): Peer {
    return this.#arrival.peer
  }

  /** Content is still to come. */
  get unread(): boolean {
    return this.#body !== undefined && !this.#arrival.stream.readableEnded
  }

  admit(limits: AdmitLimits): RequestHead {
    const { raw, maxHeadBytes, scheme } = this.#arrival
    return admitHttp2(raw, { ...limits, maxHeadBytes }, scheme)
  }

  content(limits: ContentLimits): ClientBody | undefined {
    const { stream, clock } = this.#arrival
    if (stream.endAfterHeaders) return undefined
    const onStart = (): void => {
      if (this.headers['expect'] !== undefined && !stream.headersSent && !stream.closed)
        stream.additionalHeaders({ ':status': 100 })
    }
    const trailer = this.headers['trailer'] as string | undefined
    this.#body = new ClientBody(this.#source(), { ...limits, clock, trailer, onStart })
    return this.#body
  }

  signal(): AbortSignal {
    this.#abort = new AbortController()
    if (this.#arrival.stream.closed) this.gone()
    return this.#abort.signal
  }

  /** The stream is closed, or its client has reset it: what is not answered yet need not be. */
  gone(): void {
    if (this.#answered) return
    const error = new ForecacheError('FC_REQUEST_ABORTED')
    this.#body?.fail(error)
    this.#abort?.abort(error)
  }

  /** Streams are framed apart: what follows on the connection cannot be taken for this request's. */
  distrust(): void {}

  inform(head: ResponseHead): void {
    informHttp2(this.#arrival.stream, head)
  }

  async send(reply: Reply, context: AnswerContext): Promise<void> {
    const { stream, clock } = this.#arrival
    const onWait = (waits: boolean): void => void (this.waitingSince = waits ? clock.coarse() : undefined)
    try {
      await sendHttp2(stream, reply, { method: String(this.headers[':method']), context, onWait })
    } finally {
      this.#answered = true
      this.#arrival.onAnswered()
    }
    this.#leaveContent()
  }

  abort(): void {
    this.end(constants.NGHTTP2_INTERNAL_ERROR)
  }

  /** Ends the stream. */
  end(code: number): void {
    breakOff(this.#arrival.stream, code)
  }

  /** The content did not come in time. */
  fail(error: Error): void {
    this.#body?.fail(error)
  }

  /** An answer that came before the content was read to its end is the end of both (RFC 9113 section 8.1). */
  #leaveContent(): void {
    const { stream } = this.#arrival
    if (stream.endAfterHeaders || stream.readableEnded || stream.destroyed || stream.closed) return
    const leave = (): void => {
      if (!stream.readableEnded) this.end(constants.NGHTTP2_NO_ERROR)
    }
    if (stream.writableFinished) leave()
    else stream.once('finish', leave)
  }

  #source(): ContentSource {
    const { stream, onContent } = this.#arrival
    const trailers = this.#trailers
    const source: ContentSource = {
      get complete() {
        return stream.readableEnded
      },
      get readableEnded() {
        return stream.readableEnded
      },
      rawTrailers: trailers,
      read() {
        const chunk = stream.read() as Buffer | null
        if (chunk !== null) onContent(chunk.byteLength)
        return chunk
      },
      on(event, listener) {
        stream.on(event, listener)
        return source
      },
    }
    return source
  }
}
