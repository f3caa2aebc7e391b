/**
 * One connection of HTTP/2: its requests under way, and everything that ends it.
 *
 * Floor 5, room server. Bounds what nghttp2 does not: requests whose stream was reset but whose work still runs (rapid
 * reset), frames that ask for answers (PING, SETTINGS), frames that bring nothing, heads, contents, writes and idleness over
 * time. Nothing here has a timer of its own; `sweep` is called by the front.
 */
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import { Http2Incoming } from './http2-incoming.ts'
import { type Http2Options, sessionOptions } from './http2-options.ts'
import { type Peer, peerOf, schemeOf } from './peer.ts'

/** Frames that oblige us to answer, at once and per second. */
const CONTROL_BURST = 100
const CONTROL_PER_SECOND = 10
/** Bytes a connection may bring within a second beyond heads, content, and credit for what it was sent. */
const OVERHEAD_BYTES = 64 * 1024
/** Content that a stream may bring before anyone reads it. */
const WINDOW_BYTES = 64 * 1024
/** How long a connection that was told to go may still say goodbye, ms. */
const LINGER_MS = 1000

/** What a connection calls. */
export interface Http2Events {
  readonly clock: Clock
  onRequest(incoming: Http2Incoming): void
}

/** See the module's header. */
export class Http2Connection {
  readonly #socket: Socket
  readonly #session: ServerHttp2Session
  readonly #options: Http2Options
  readonly #events: Http2Events
  readonly #peer: Peer
  readonly #scheme: RequestHead['scheme']
  readonly #streams = new Map<ServerHttp2Stream, Http2Incoming>()
  /** Requests whose answer is not handed over yet, also those whose stream is gone. */
  #working = 0
  #requests = 0
  #content = 0
  readonly #beganAt: number
  #idleSince: number
  #leaving: number | undefined
  #control = CONTROL_BURST
  #sweptAt: number
  #swept = { read: 0, written: 0, requests: 0, content: 0 }

  constructor(socket: Socket, options: Http2Options, events: Http2Events) {
    this.#socket = socket
    this.#options = options
    this.#events = events
    this.#peer = peerOf(socket, '2')
    this.#scheme = schemeOf(socket)
    this.#beganAt = this.#idleSince = this.#sweptAt = events.clock.coarse()
    const session = performServerHandshake(socket, sessionOptions(options))
    this.#session = session
    session.on('error', () => session.destroy())
    session.on('stream', (stream, headers, ...[, raw]: unknown[]) => this.#onStream(stream, headers, (raw as string[]) ?? []))
    session.on('ping', () => this.#onControl())
    session.on('remoteSettings', () => this.#onControl())
  }

  /** Called when the connection has ended. */
  onClose(run: () => void): void {
    this.#session.once('close', run)
  }

  /**
   * Tells the client to open no further streams, and ends when the open ones have: first a notice that counts none out, then,
   * a round trip later, the last one served (RFC 9113 section 6.8).
   */
  leave(): void {
    if (this.#leaving !== undefined || this.#session.destroyed) return
    this.#leaving = this.#events.clock.coarse()
    this.#session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1)
    this.#session.ping(() => this.#finish())
  }

  /** Takes no further stream, and ends with the last one. */
  #finish(): void {
    if (this.#session.destroyed) return
    if (!this.#session.closed) this.#session.close()
    // node:http2 does not end a session by itself where its GOAWAY was still to be written.
    setImmediate(() => {
      if (this.#streams.size === 0) this.#session.destroy()
    })
  }

  destroy(): void {
    this.#session.destroy()
    this.#socket.destroy()
  }

  /** Enforces every deadline and rate; called about twice a second. */
  sweep(now: number): void {
    if (this.#session.destroyed) return
    for (const incoming of this.#streams.values()) this.#sweepStream(incoming, now)
    const { headMs, keepAliveMs } = this.#options
    const idleMs = this.#requests === 0 ? headMs : keepAliveMs
    if (this.#leaving !== undefined) this.#sweepLeaving(this.#leaving, now)
    else if (this.#streams.size === 0 && now - this.#idleSince > idleMs) this.leave()
    // Our limits bind a client from its acknowledgement on (RFC 9113 section 6.5.3): one that never sends it is let go.
    if (this.#session.pendingSettingsAck && now - this.#beganAt > headMs) this.#calm()
    if (now - this.#sweptAt >= 1000) this.#sweepRates(now)
  }

  #sweepStream(incoming: Http2Incoming, now: number): void {
    const { requestMs, writeMs } = this.#options
    if (incoming.waitingSince !== undefined && now - incoming.waitingSince > writeMs) incoming.end(constants.NGHTTP2_CANCEL)
    else if (incoming.unread && now - incoming.startedAt > requestMs) {
      incoming.fail(new ForecacheError('FC_REQUEST_TIMEOUT', { ms: requestMs }))
    }
  }

  #sweepLeaving(since: number, now: number): void {
    if (now - since < LINGER_MS) return
    if (!this.#session.closed) this.#finish()
    else if (this.#streams.size === 0 && now - this.#idleSince > LINGER_MS) this.destroy()
  }

  #sweepRates(now: number): void {
    const { bytesRead: read, bytesWritten: written } = this.#socket
    const requests = this.#requests
    const content = this.#content
    const former = this.#swept
    const seconds = (now - this.#sweptAt) / 1000
    const begun = (requests - former.requests) * (2 * this.#options.maxHeadBytes + WINDOW_BYTES)
    const granted = OVERHEAD_BYTES * seconds + begun + 2 * (content - former.content) + (written - former.written)
    this.#swept = { read, written, requests, content }
    this.#sweptAt = now
    this.#control = Math.min(CONTROL_BURST, this.#control + CONTROL_PER_SECOND * seconds)
    if (read - former.read > granted) this.#calm()
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    this.#requests += 1
    // Only resets let work outnumber the streams that may be open: such a client is told to calm down.
    if (this.#working >= 2 * this.#options.maxStreams) {
      stream.on('error', () => {}).close(constants.NGHTTP2_REFUSED_STREAM)
      this.#calm()
      return
    }
    this.#working += 1
    const incoming = new Http2Incoming({
      stream,
      headers,
      raw,
      peer: this.#peer,
      scheme: this.#scheme,
      maxHeadBytes: this.#options.maxHeadBytes,
      clock: this.#events.clock,
      onContent: (bytes) => void (this.#content += bytes),
      onAnswered: () => void (this.#working -= 1),
    })
    this.#streams.set(stream, incoming)
    stream.once('close', () => {
      this.#streams.delete(stream)
      incoming.gone()
      if (this.#streams.size > 0) return
      this.#idleSince = this.#events.clock.coarse()
      if (this.#session.closed) this.#finish()
    })
    this.#events.onRequest(incoming)
  }

  #onControl(): void {
    this.#control -= 1
    if (this.#control < 0) this.#calm()
  }

  /** Ends a connection that costs more than it brings. */
  #calm(): void {
    if (this.#session.destroyed) return
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    this.#session.destroy()
  }
}
