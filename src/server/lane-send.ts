/**
 * Writes an answer on a lane's connection, byte for byte as `send` has `node:http` write it.
 *
 * Floor 5, room server. One write where the body is complete, chunked or counted with back-pressure where it streams. A
 * stream that breaks, or whose length is not what was announced, takes the connection with it.
 */
import type { Socket } from 'node:net'
import { discard, drained } from '../http/outgoing.ts'
import type { BodySource, Reply, ResponseHead } from '../model/exchange.ts'
import { headText } from './lane-ready.ts'
import { type SendContext, shapeOf, type Shape } from './send.ts'
import { trailerFields } from './trailer.ts'

/** How one answer is written. */
export interface LaneSending {
  readonly method: 'GET' | 'HEAD'
  readonly context: SendContext
  readonly keepAliveSeconds: number
}

/** Bodies up to this size leave in one buffer with their head, bytes. */
const ONE_COPY_BYTES = 16 * 1024

/** Resolves when the answer is handed to the kernel or the client is gone. @throws before a byte is written, when it cannot be */
export function sendInLane(
  socket: Socket,
  reply: Reply,
  { method, context, keepAliveSeconds }: LaneSending,
): Promise<void> | undefined {
  const { body } = reply
  if (!socket.writable) return void discard(body)
  const { bodiless, length } = shapeOf(reply, method)
  const shape = { bodiless, length, chunked: !bodiless && length === undefined }
  const head = headText(reply, { ...context, keepAliveSeconds }, shape)
  if (head === undefined) {
    discard(body)
    throw new Error('the answer holds characters that no field may hold')
  }
  if (!bodiless && !(body instanceof Uint8Array) && body !== undefined) return stream(socket, { head, body, shape, reply })
  if (bodiless) discard(body)
  write(socket, head, bodiless ? undefined : (body as Uint8Array | undefined))
  return undefined
}

/** Passes a 1xx answer on; 100 is ours alone to send. */
export function informInLane(socket: Socket, { status, statusText, fields }: ResponseHead): void {
  if (!socket.writable || status === 100) return
  let text = `HTTP/1.1 ${status} ${statusText}\r\n`
  for (const [name, value] of fields) if (name !== 'content-length') text += `${name}: ${value}\r\n` // RFC 9110 section 8.6
  socket.write(`${text}\r\n`, 'latin1')
}

function write(socket: Socket, head: string, body: Uint8Array | undefined): void {
  if (body === undefined || body.byteLength > ONE_COPY_BYTES) {
    socket.cork()
    socket.write(head, 'latin1')
    if (body !== undefined) socket.write(body)
    socket.uncork()
    return
  }
  const bytes = Buffer.allocUnsafe(head.length + body.byteLength)
  bytes.write(head, 0, 'latin1')
  bytes.set(body, head.length)
  socket.write(bytes)
}

interface Streamed {
  readonly head: string
  readonly body: BodySource
  readonly shape: Shape
  readonly reply: Reply
}

async function stream(socket: Socket, { head, body, shape, reply }: Streamed): Promise<void> {
  const source = body[Symbol.asyncIterator]()
  const stop = (): void => void source.return?.().catch(() => {})
  socket.once('close', stop)
  let opened = false
  const open = (): void => {
    if (!opened) socket.write(head, 'latin1')
    opened = true
  }
  // A head whose first chunk is not there at once goes out alone; else both leave in one write.
  const flush = setImmediate(open)
  const { length, chunked } = shape
  let sent = 0
  try {
    for (;;) {
      const step = await source.next()
      clearImmediate(flush)
      if (step.done === true) break
      const chunk = step.value
      sent += chunk.byteLength
      if (!socket.writable || (length !== undefined && sent > length)) throw new Error('length')
      if (chunk.byteLength === 0) continue
      socket.cork()
      open()
      const free = chunked ? writeChunk(socket, chunk) : socket.write(chunk)
      socket.uncork()
      if (!free) await drained(socket)
    }
    if (!socket.writable || (length !== undefined && sent !== length)) throw new Error('length')
    socket.cork()
    open()
    if (chunked) socket.write(lastChunk(reply), 'latin1')
    socket.uncork()
  } catch {
    socket.destroy()
  } finally {
    clearImmediate(flush)
    socket.off('close', stop)
    if (socket.destroyed) stop()
  }
}

function writeChunk(socket: Socket, chunk: Uint8Array): boolean {
  socket.write(`${chunk.byteLength.toString(16)}\r\n`, 'latin1')
  socket.write(chunk)
  return socket.write('\r\n', 'latin1')
}

function lastChunk(reply: Reply): string {
  const given = reply.trailers?.()
  const trailers = given === undefined ? undefined : trailerFields(given)
  let text = '0\r\n'
  for (const [name, value] of trailers ?? []) text += `${name}: ${value}\r\n`
  return `${text}\r\n`
}
