/**
 * Writes an answer to a client: one buffer where the body is complete, with back-pressure where it streams.
 *
 * Floor 5, room server. A stream that breaks, or whose length is not what its Content-Length said, takes the connection
 * with it: a client never mistakes a part for the whole, and no byte of one answer is read as the next. Slow clients
 * are cut off by the listener's write deadline; then the body is cancelled, so that they hold no fill.
 */
import type { ServerResponse } from 'node:http'
import { CONNECTION_FIELDS, discard, drained } from '../http/outgoing.ts'
import type { BodySource, Reply, ResponseHead } from '../model/exchange.ts'
import { breakConnection } from './peer.ts'
import { trailerFields } from './trailer.ts'

/** Facts about one answer. */
export interface SendContext {
  /** Our entry in Via; undefined where we are the origin ourselves. */
  readonly via: string | undefined
  /** Close the connection behind this answer: draining, or the request was not read to its end. */
  readonly close: boolean
  /** Measured µs from the request's head to now; undefined when not asked for. */
  readonly latencyUs: number | undefined
}

/** How the body is framed. */
export interface Shape {
  readonly bodiless: boolean
  readonly length: number | undefined
  readonly chunked: boolean
}

/** Resolves when the answer is handed to the kernel or the client is gone; never throws. */
export async function sendReply(response: ServerResponse, reply: Reply, context: SendContext): Promise<void> {
  const { body } = reply
  if (response.destroyed || response.headersSent) return discard(body)
  const { status, statusText } = reply.head
  const { bodiless, length } = shapeOf(reply, response.req.method)
  const complete = body instanceof Uint8Array || body === undefined
  const chunked = !bodiless && length === undefined && response.req.httpVersion === '1.1'
  try {
    response.writeHead(status, statusText, responseFields(reply, context, { bodiless, length, chunked }))
  } catch (error) {
    discard(body)
    throw error
  }
  if (bodiless || complete) {
    if (!complete) discard(body)
    if (!bodiless && body instanceof Uint8Array) end(response, body)
    else response.end()
    return
  }
  await stream(response, body, length)
  if (response.destroyed) return
  const trailers = reply.trailers?.()
  const allowed = trailers === undefined ? undefined : trailerFields(trailers)
  if (allowed !== undefined) response.addTrailers([...allowed] as [string, string][])
  response.end()
}

/**
 * Passes a 1xx answer on; HTTP/1.0 clients know none, and 100 is ours alone to send. Not while answers before it are under
 * way: `node:http` puts the head of a waiting answer before whatever waits, so the 1xx would come behind it as content.
 */
export function sendInformational(response: ServerResponse, head: ResponseHead): void {
  if (response.headersSent || response.destroyed || head.status === 100 || response.req.httpVersion !== '1.1') return
  if (response.socket === null) return
  const fields = [...head.fields].filter(([name]) => name !== 'content-length').flat() // RFC 9110 section 8.6
  if (typeof response.writeInformation === 'function') response.writeInformation(head.status, fields)
  else if (head.status === 103 && head.fields.has('link')) response.writeEarlyHints({ link: head.fields.all('link') })
}

/**
 * @param method of the request
 * @returns whether the answer goes without its body, and the length it announces: undefined where none is known
 */
export function shapeOf(reply: Reply, method: string | undefined): Omit<Shape, 'chunked'> {
  const { body, head } = reply
  if (method === 'HEAD' || head.status === 204 || head.status === 304) {
    return { bodiless: true, length: lengthOfUnsent(reply, method) }
  }
  if (body === undefined) return { bodiless: false, length: 0 }
  return { bodiless: false, length: body instanceof Uint8Array ? body.byteLength : declaredLength(reply) }
}

/** Bodies up to this size leave in one write with their head, bytes. */
const ONE_WRITE_BYTES = 16 * 1024

/** `node:http` joins a latin1 text with the head into one write; a buffer goes beside it, which costs a third more. */
function end(response: ServerResponse, body: Uint8Array): void {
  if (body.byteLength > ONE_WRITE_BYTES) response.end(body)
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1')
}

/** The fields of an answer as they are written, flat: name, value … */
export function responseFields(reply: Reply, context: SendContext, shape: Shape): string[] {
  const list: string[] = []
  let via = context.via
  const raw = reply.head.fields.raw()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (CONNECTION_FIELDS.has(name) || (name === 'x-cache-latency' && context.latencyUs !== undefined)) continue
    if (name === 'via' && via !== undefined) via = `${value}, ${via}`
    else if (name === 'trailer' && !shape.chunked) continue
    else if (name !== 'content-length') list.push(name, value)
  }
  if (shape.length !== undefined) list.push('content-length', String(shape.length))
  if (via !== undefined) list.push('via', via)
  if (context.latencyUs !== undefined) list.push('x-cache-latency', String(context.latencyUs))
  if (context.close) list.push('connection', 'close')
  return list
}

/** What HEAD and 304 tell about the body they leave out: what the head says, else what a GET would have brought. */
function lengthOfUnsent(reply: Reply, method: string | undefined): number | undefined {
  if (reply.head.status === 204) return undefined
  const declared = declaredLength(reply)
  return declared ?? (method === 'HEAD' && reply.body instanceof Uint8Array ? reply.body.byteLength : undefined)
}

/** The length a streamed body announces; undefined (chunked) when there is none or it is no single number. */
function declaredLength(reply: Reply): number | undefined {
  const given = reply.head.fields.all('content-length')
  return given.length === 1 && /^\d{1,15}$/.test(given[0] as string) ? Number(given[0]) : undefined
}

async function stream(response: ServerResponse, body: BodySource, length: number | undefined): Promise<void> {
  const source = body[Symbol.asyncIterator]()
  const stop = (): void => void source.return?.().catch(() => {})
  response.once('close', stop)
  // A head whose first chunk is not there at once goes out alone; else both leave in one write.
  const flush = setImmediate(() => response.flushHeaders())
  let sent = 0
  try {
    for (;;) {
      const step = await source.next()
      clearImmediate(flush)
      if (step.done === true) break
      sent += step.value.byteLength
      if (response.destroyed || (length !== undefined && sent > length)) throw new Error('length')
      if (!response.write(step.value)) await drained(response)
    }
    if (length !== undefined && sent !== length) throw new Error('length')
  } catch {
    breakOff(response, length)
  } finally {
    clearImmediate(flush)
    response.off('close', stop)
    if (response.destroyed) stop()
  }
}

/** Ends the connection so that the client sees the answer as incomplete: by a reset where only its end would tell. */
function breakOff(response: ServerResponse, length: number | undefined): void {
  const { socket } = response
  if (length === undefined && !response.chunkedEncoding && socket !== null) breakConnection(socket)
  response.destroy()
}
