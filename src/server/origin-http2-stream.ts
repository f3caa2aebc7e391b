/**
 * One request to an origin over HTTP/2: a stream, told to the same Exchange as undici tells.
 *
 * Floor 5, room server. An answer is whole only when its END_STREAM came: node:http2 ends a stream's data in the same way when
 * the origin resets it with NO_ERROR or CANCEL, so the end is told apart where it is pushed.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import type { BodySource, RequestHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import type { Exchange } from './origin-exchange.ts'
import { requestFields } from './origin-request.ts'

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_FLAG_END_STREAM } = constants

/** One request as it is to be written. */
export interface Http2Request {
  readonly head: RequestHead
  /** With what the origin's URL puts before. */
  readonly path: string
  readonly body: BodySource | undefined
  /** Trailer fields, complete once the body has ended; undefined where none can follow. */
  readonly trailers: (() => Fields | undefined) | undefined
  readonly bodyIdleMs: number
}

/** What a session is told. */
export interface StreamEvents {
  /** An answer has begun: the session has proven itself. */
  onAnswer(): void
  /** Nothing came in time, or nobody waits any more. */
  onGivenUp(): void
  /** Whether an answer has come on this session before. */
  hasAnswered(): boolean
}

/** Sends a request; everything that happens is told to the exchange, its end once. */
export function sendOnStream(
  session: ClientHttp2Session,
  request: Http2Request,
  told: StreamTold,
): ClientHttp2Stream | undefined {
  const { exchange, events } = told
  let stream: ClientHttp2Stream
  try {
    const { body, trailers } = request
    stream = session.request(fieldsOf(request), { endStream: body === undefined, waitForTrailers: trailers !== undefined })
  } catch (error) {
    exchange.onResponseError(undefined, refused(error as Error))
    return undefined
  }
  const control = new Control(stream, events)
  const end = watchEnd(stream)
  let over = false
  const fail = (error: Error): void => {
    if (over) return
    over = true
    exchange.onResponseError(control, control.reason ?? failureOf(stream, error, events))
  }
  stream.on('headers', (headers, _, raw?: string[]) => onInterim(control, { status: Number(headers[':status']), raw, exchange }))
  stream.on('response', (headers, flags, raw?: string[]) => {
    if (over) return
    events.onAnswer()
    if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) end.whole = true
    control.rawHeaders = withoutPseudo(raw ?? [])
    exchange.onResponseStarted()
    exchange.onResponseStart(control, Number(headers[':status']), {}, '')
    stream.on('data', (chunk: Buffer) => {
      if (!over) exchange.onResponseData(control, chunk)
    })
  })
  stream.on('trailers', (...[, , raw]: unknown[]) => {
    end.whole = true
    control.rawTrailers = withoutPseudo((raw as string[] | undefined) ?? [])
  })
  stream.on('end', () => {
    if (over || control.rawHeaders === null) return
    if (!end.whole) return fail(coded('UND_ERR_SOCKET'))
    over = true
    exchange.onResponseEnd(control)
    if (!stream.writableEnded) breakOff(stream, coded('UND_ERR_ABORTED'))
  })
  stream.on('error', fail)
  stream.on('close', () => fail(coded('UND_ERR_SOCKET')))
  stream.setTimeout(request.bodyIdleMs, () => {
    if (control.rawHeaders !== null && !control.paused) control.abort(coded('UND_ERR_BODY_TIMEOUT'))
  })
  exchange.onRequestStart(control)
  void write(stream, request, fail)
  return stream
}

/** Who is told. */
export interface StreamTold {
  readonly exchange: Exchange
  readonly events: StreamEvents
}

function fieldsOf({ head, path, body }: Http2Request): Record<string, string | string[]> {
  const [, authority = '', ...list] = requestFields(head, body !== undefined)
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  fields[':method'] = head.method
  fields[':scheme'] = 'https'
  fields[':authority'] = authority
  fields[':path'] = path
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string
    const value = list[i + 1] as string
    if (name === 'host' || name === 'http2-settings') continue
    const former = fields[name]
    fields[name] =
      former === undefined ? value : name === 'cookie' ? `${String(former)}; ${value}` : `${String(former)}, ${value}`
  }
  return fields
}

function onInterim(
  control: Control,
  { status, raw, exchange }: { readonly status: number; readonly raw: string[] | undefined; readonly exchange: Exchange },
): void {
  if (status === 100) return
  const kept = control.rawHeaders
  control.rawHeaders = withoutPseudo(raw ?? [])
  exchange.onResponseStart(control, status, {}, '')
  control.rawHeaders = kept
}

/** Sees the end of the data where it is pushed: before the stream closes only END_STREAM does so. */
function watchEnd(stream: ClientHttp2Stream): { whole: boolean } {
  const end = { whole: false }
  const push = stream.push.bind(stream)
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null && !stream.closed) end.whole = true
    return push(chunk, encoding)
  }
  return end
}

/** What the exchange may do, as undici's controller offers it. */
class Control {
  readonly aborted = false
  /** The end of a body is told apart from the end of its connection. */
  readonly framed = true
  paused = false
  reason: Error | null = null
  rawHeaders: string[] | null = null
  rawTrailers: string[] = []
  readonly #stream: ClientHttp2Stream
  readonly #events: StreamEvents

  constructor(stream: ClientHttp2Stream, events: StreamEvents) {
    this.#stream = stream
    this.#events = events
  }

  abort(reason: Error): void {
    if (this.reason !== null) return
    this.reason = reason
    if (this.rawHeaders === null) this.#events.onGivenUp()
    breakOff(this.#stream, reason)
  }

  pause(): void {
    this.paused = true
    this.#stream.pause()
  }

  resume(): void {
    this.paused = false
    this.#stream.resume()
  }
}

/** Resets a stream. `close` alone would end a content that is not complete by END_STREAM: the origin would take it for whole. */
function breakOff(stream: ClientHttp2Stream, reason: Error): void {
  if (stream.writableEnded) stream.close(NGHTTP2_CANCEL)
  stream.destroy(reason)
}

async function write(stream: ClientHttp2Stream, request: Http2Request, fail: (error: Error) => void): Promise<void> {
  const { body, trailers } = request
  if (body === undefined) return
  if (trailers !== undefined) {
    stream.once('wantTrailers', () => {
      const given = trailers()
      if (!stream.destroyed) stream.sendTrailers(given === undefined ? {} : Object.fromEntries(given))
    })
  }
  try {
    for await (const chunk of body) {
      if (stream.destroyed || stream.closed) return
      if (!stream.write(chunk)) await drained(stream)
    }
    if (!stream.destroyed && !stream.closed) stream.end()
  } catch (error) {
    fail(error as Error)
    breakOff(stream, error as Error)
  }
}

function drained(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}

/** The error, with what tells whether the request may be sent again. */
function failureOf(stream: ClientHttp2Stream, error: Error, events: StreamEvents): Error {
  if (stream.rstCode === NGHTTP2_REFUSED_STREAM) return refused(error)
  // The connection ended, not the stream: as with HTTP/1, one that had served before was most likely closed unread.
  const lost = stream.session === undefined || stream.session.destroyed || stream.session.closed
  return Object.assign(coded('UND_ERR_SOCKET'), { cause: error, socket: { bytesRead: lost && events.hasAnswered() ? 1 : 0 } })
}

/** The origin has not processed the request (RFC 9113 section 8.7). */
function refused(cause: Error): Error {
  return Object.assign(coded('UND_ERR_SOCKET'), { cause, socket: { bytesRead: 1 } })
}

function withoutPseudo(raw: readonly string[]): string[] {
  const list: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.[0] !== ':') list.push(raw[i] as string, raw[i + 1] as string)
  }
  return list
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
