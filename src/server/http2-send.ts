/**
 * Writes an answer on a stream of HTTP/2: in pieces that the client takes one after another, or in one where it is small.
 *
 * Floor 5, room server. A body that breaks, or whose length is not what was announced, ends with RST_STREAM: a client never
 * takes a part for the whole, and the connection's other streams go on. Whoever waits for the client says so by `onWait`.
 *
 * @see RFC 9113 section 8.1; 8.2.2 (no field of a connection)
 */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { CONNECTION_FIELDS, discard, drained } from '../http/outgoing.ts'
import type { BodySource, Reply, ResponseHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import type { AnswerContext } from './inbound.ts'
import { shapeOf } from './send.ts'
import { trailerFields } from './trailer.ts'

/** Most that is handed to a stream before the client has taken what it got, bytes. */
const PIECE_BYTES = 64 * 1024

/** Fields of a connection: HTTP/2 knows none. */
const CONNECTION: ReadonlySet<string> = new Set([...CONNECTION_FIELDS, 'http2-settings', 'content-length'])

/** What writing takes beside the answer. */
export interface Http2Sending {
  readonly method: string
  readonly context: AnswerContext
  /** Called with `true` when the client is waited for, with `false` when it has taken what it was given. */
  onWait(waits: boolean): void
}

/** Resolves when the answer is handed over or the client is gone. @throws what cannot be written as a head */
export async function sendHttp2(stream: ServerHttp2Stream, reply: Reply, sending: Http2Sending): Promise<void> {
  const { body } = reply
  if (stream.destroyed || stream.closed || stream.headersSent) return discard(body)
  const shape = shapeOf(reply, sending.method)
  const streamed = !shape.bodiless && body !== undefined && !(body instanceof Uint8Array)
  const empty = shape.bodiless || body === undefined || (body instanceof Uint8Array && body.byteLength === 0)
  try {
    const fields = responseFields(reply, sending.context, shape.length)
    stream.respond(fields, { endStream: empty, waitForTrailers: streamed && reply.trailers !== undefined })
  } catch (error) {
    discard(body)
    throw error
  }
  if (empty) discard(body)
  else if (streamed) await pump(stream, body as BodySource, { length: shape.length, reply, sending })
  else if ((body as Uint8Array).byteLength <= PIECE_BYTES) end(stream, sending, body as Uint8Array)
  else if (await write(stream, body as Uint8Array, sending)) end(stream, sending)
}

/** Passes a 1xx answer on; 100 is ours alone to send, 101 does not exist here. */
export function informHttp2(stream: ServerHttp2Stream, head: ResponseHead): void {
  if (stream.headersSent || stream.destroyed || stream.closed || head.status === 100 || head.status === 101) return
  stream.additionalHeaders({ ...record(head.fields), ':status': head.status })
}

function responseFields(reply: Reply, context: AnswerContext, length: number | undefined): OutgoingHttpHeaders {
  const fields = record(reply.head.fields)
  fields[':status'] = reply.head.status
  if (length !== undefined) fields['content-length'] = length
  if (context.via !== undefined)
    fields['via'] = fields['via'] === undefined ? context.via : `${String(fields['via'])}, ${context.via}`
  if (context.latencyUs !== undefined) fields['x-cache-latency'] = String(context.latencyUs)
  return fields
}

/** Several lines of a name are one, joined, which says the same (RFC 9110 section 5.3); Set-Cookie keeps its lines. */
function record(fields: Fields): OutgoingHttpHeaders {
  const found = Object.create(null) as OutgoingHttpHeaders
  for (const [name, value] of fields) {
    if (CONNECTION.has(name)) continue
    const former = found[name]
    if (former === undefined) found[name] = name === 'set-cookie' ? [value] : value
    else if (Array.isArray(former)) former.push(value)
    else found[name] = `${former}, ${value}`
  }
  return found
}

/** A streamed body under way. */
interface Pumping {
  readonly length: number | undefined
  readonly reply: Reply
  readonly sending: Http2Sending
}

async function pump(stream: ServerHttp2Stream, body: BodySource, { length, reply, sending }: Pumping): Promise<void> {
  const source = body[Symbol.asyncIterator]()
  const stop = (): void => void source.return?.().catch(() => {})
  stream.once('close', stop)
  if (reply.trailers !== undefined) stream.once('wantTrailers', () => sendTrailers(stream, reply))
  let sent = 0
  try {
    for (;;) {
      const step = await source.next()
      if (step.done === true) break
      sent += step.value.byteLength
      if (length !== undefined && sent > length) throw new Error('length')
      if (!(await write(stream, step.value, sending))) throw new Error('gone')
    }
    if (length !== undefined && sent !== length) throw new Error('length')
    end(stream, sending)
  } catch {
    breakOff(stream)
  } finally {
    if (stream.destroyed || stream.closed) stop()
    stream.off('close', stop)
  }
}

/** Resets a stream. `close` alone would end an answer that has begun by END_STREAM: its client would take it for whole. */
export function breakOff(stream: ServerHttp2Stream, code: number = constants.NGHTTP2_INTERNAL_ERROR): void {
  if (stream.destroyed || stream.closed) return
  if (stream.headersSent && !stream.writableEnded) stream.destroy(new Error('broken off'))
  else stream.close(code)
}

function sendTrailers(stream: ServerHttp2Stream, reply: Reply): void {
  if (stream.destroyed || stream.closed) return
  const given = reply.trailers?.()
  const allowed = given === undefined ? undefined : trailerFields(given)
  stream.sendTrailers(allowed === undefined ? {} : record(allowed))
}

/** @returns whether the client took it all */
async function write(stream: ServerHttp2Stream, chunk: Uint8Array, { onWait }: Http2Sending): Promise<boolean> {
  for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
    if (stream.destroyed || stream.closed) return false
    const piece = chunk.byteLength <= PIECE_BYTES ? chunk : chunk.subarray(at, at + PIECE_BYTES)
    if (!stream.write(piece)) {
      onWait(true)
      await drained(stream)
      onWait(false)
    }
  }
  return !stream.destroyed && !stream.closed
}

/** Ends the answer; content of the request that nobody wants any more is not waited for (section 8.1). */
function end(stream: ServerHttp2Stream, { onWait }: Http2Sending, last?: Uint8Array): void {
  onWait(true)
  stream.once('finish', () => onWait(false))
  if (last === undefined) stream.end()
  else stream.end(last)
}
