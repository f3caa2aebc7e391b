/**
 * WebSockets: handed through to the origin as bytes, once the origin has agreed.
 *
 * Floor 5, room server. A tunnel opens only when the origin answers 101 and proves by Sec-WebSocket-Accept that it
 * understood this very handshake; nothing the client sent before that reaches the origin. Any other answer is passed on
 * and ends the connection, so a tunnel cannot be used to smuggle requests. Idle tunnels are closed.
 *
 * @see RFC 6455 section 4
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import type { Upgrade } from './listener.ts'
import { originError } from './origin-error.ts'
import { openRequest } from './origin-open.ts'
import type { OriginTls } from './origin-tls.ts'
import { breakConnection } from './peer.ts'
import { errorBytes } from './refuse.ts'
import { agreesTo, headText, isHandshake } from './websocket.ts'

/** Where tunnels lead and how long they may take; ms. */
export interface TunnelOptions {
  readonly url: string
  /** From the handshake to the origin's answer. */
  readonly headMs: number
  /** Without a byte in either direction. */
  readonly idleMs: number
  readonly maxHeadBytes: number
  readonly tls: OriginTls
  readonly clock: Clock
}

/** @param head the handshake as admitted and forwarded */
export function openTunnel(upgrade: Upgrade, head: RequestHead, options: TunnelOptions): void {
  const { socket, early } = upgrade
  const key = head.fields.first('sec-websocket-key') ?? ''
  if (!isHandshake(key, head.fields.first('sec-websocket-version'))) {
    end(socket, new ForecacheError('FC_REQUEST_BAD', { reason: 'it is no WebSocket handshake of version 13' }))
    return
  }
  const outgoing = ask(head, options)
  let settled = false
  const settle = (): boolean => {
    if (settled) return false
    settled = true
    timer.cancel()
    return true
  }
  const fail = (error: Error): void => {
    if (!settle()) return
    outgoing.destroy()
    end(
      socket,
      error instanceof ForecacheError
        ? error
        : (originError(error, 'sent', { connectMs: options.headMs, bodyIdleMs: options.idleMs }) as ForecacheError),
    )
  }
  const timer = options.clock.after(options.headMs, () => fail(new ForecacheError('FC_ORIGIN_TIMEOUT', { ms: options.headMs })))
  socket.setTimeout(0)
  socket.on('error', () => socket.destroy())
  socket.once('close', () => outgoing.destroy())
  outgoing.on('error', fail)
  outgoing.on('response', (answer) => settle() && relay(socket, answer, options.idleMs))
  outgoing.on('upgrade', (answer, originSocket, ahead) => {
    if (!agreesTo(answer, key)) {
      originSocket.destroy()
      fail(new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'it switched protocols without agreeing to the handshake' }))
    } else if (settle()) {
      socket.write(headText(answer, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), 'latin1')
      if (ahead.length > 0) socket.write(ahead)
      if (early.length > 0) originSocket.write(early)
      join(socket, originSocket as Socket, options.idleMs)
    }
  })
  outgoing.end()
}

function ask(head: RequestHead, { url, maxHeadBytes, tls }: TunnelOptions): ClientRequest {
  const hopFields = ['connection', 'Upgrade', 'upgrade', 'websocket']
  return openRequest({ url: new URL(url), head, hasBody: false, hopFields, maxHeadBytes, tls })
}

/** The origin did not switch: its answer goes to the client, and with it the connection ends. */
function relay(socket: Socket, answer: IncomingMessage, idleMs: number): void {
  socket.setTimeout(idleMs, () => socket.destroy())
  answer.on('error', () => breakConnection(socket))
  answer.on('aborted', () => breakConnection(socket))
  socket.write(headText(answer, 'Connection: close\r\n'), 'latin1')
  answer.pipe(socket)
}

/** Bytes both ways with back-pressure; one side's end is the other's. */
function join(client: Socket, origin: Socket, idleMs: number): void {
  let moved = 0
  const onIdle = (): void => {
    const now = client.bytesRead + client.bytesWritten + origin.bytesRead + origin.bytesWritten
    if (now === moved) client.destroy()
    moved = now
    client.setTimeout(idleMs)
  }
  client.on('timeout', onIdle).setTimeout(idleMs)
  client.setNoDelay(true)
  origin.setNoDelay(true)
  origin.on('error', () => client.destroy())
  origin.once('close', () => client.destroySoon())
  client.once('close', () => origin.destroy())
  client.pipe(origin)
  origin.pipe(client)
}

function end(socket: Socket, error: ForecacheError): void {
  socket.end(errorBytes(error))
  socket.setTimeout(1000, () => socket.destroy())
}
