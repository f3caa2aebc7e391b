/**
 * What accepts a listener's connections and tells which version of HTTP each one speaks: under TLS by ALPN, without it, where
 * that is wanted, by the preface every HTTP/2 connection begins with.
 *
 * Floor 5, room server. A connection that does not tell in time is closed.
 *
 * @see RFC 9113 sections 3.2 (ALPN), 3.3 (prior knowledge) and 3.4 (preface)
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Http2Events } from './http2-connection.ts'
import { Http2Front } from './http2-front.ts'
import type { Http2Options } from './http2-options.ts'
import type { Credentials } from './tls-credentials.ts'
import { type TlsEvents, TlsFront } from './tls-front.ts'

/** How connections begin, and what those of HTTP/2 may cost. */
export interface GateOptions extends Http2Options {
  /** Undefined: plain HTTP. */
  readonly tls?: Credentials | undefined
  /** HTTP/2 without TLS, known by its preface. Default false. */
  readonly h2c?: boolean
}

/** What a gate calls. */
export interface GateEvents extends Http2Events {
  /** Takes a connection that speaks HTTP/1. */
  onHttp1(socket: Socket): void
}

/** See the module's header. */
export class Gate {
  /** What is listened with. */
  readonly server: Server
  readonly #tls: TlsFront | undefined
  readonly #http2: Http2Front
  /** Connections that have not told yet what they speak: nobody else could end them. */
  readonly #undecided = new Map<string, Socket>()

  constructor(options: GateOptions, events: GateEvents) {
    this.#http2 = new Http2Front(options, events)
    const takers = {
      onHttp1: (socket: Socket): void => {
        this.#undecided.delete(otherEnd(socket))
        events.onHttp1(socket)
      },
      onHttp2: (socket: Socket): void => {
        this.#undecided.delete(otherEnd(socket))
        this.#http2.accept(socket)
      },
    }
    const { headMs } = options
    this.#tls = options.tls && new TlsFront(options.tls, headMs, takers)
    this.server =
      this.#tls?.server ??
      createServer({ noDelay: true, highWaterMark: 64 * 1024 }, (socket) => tellApart(socket, headMs, takers))
    this.server.prependListener('connection', (socket: Socket) => this.#watch(socket))
  }

  /** Takes other certificates for connections to come. */
  secure(credentials: Credentials): void {
    this.#tls?.exchange(credentials)
  }

  /** Connections of HTTP/2 end with their last answers, those that speak nothing yet at once. */
  leave(): void {
    for (const socket of this.#undecided.values()) socket.destroy()
    this.#http2.leave()
  }

  /** Closes every connection at once, but those of HTTP/1. */
  destroyAll(): void {
    for (const socket of this.#undecided.values()) socket.destroy()
    this.#http2.destroyAll()
  }

  #watch(socket: Socket): void {
    const key = otherEnd(socket)
    this.#undecided.set(key, socket)
    socket.once('close', () => {
      if (this.#undecided.get(key) === socket) this.#undecided.delete(key)
    })
  }
}

/** @returns undefined where every connection is plain HTTP/1: then nothing need stand before its server */
export function createGate(options: GateOptions, events: GateEvents): Gate | undefined {
  return options.tls === undefined && options.h2c !== true ? undefined : new Gate(options, events)
}

/** What a connection under TLS and the one beneath have in common. */
function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`
}

/** No method of HTTP/1 begins with these bytes of the preface. */
const PREFACE = Buffer.from('PRI * HTTP/2')

/** Reads until it is clear what the connection speaks, puts everything back and hands it over. */
function tellApart(socket: Socket, headMs: number, takers: TlsEvents): void {
  let read: Buffer = Buffer.alloc(0)
  const hand = (take: (socket: Socket) => void): void => {
    socket.off('data', onData).off('end', end).off('error', end)
    socket.setTimeout(0)
    socket.off('timeout', end)
    socket.pause()
    socket.unshift(read)
    take(socket)
  }
  const end = (): void => void socket.destroy()
  const onData = (chunk: Buffer): void => {
    read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
    const length = Math.min(read.length, PREFACE.length)
    if (!read.subarray(0, length).equals(PREFACE.subarray(0, length))) {
      hand(takers.onHttp1)
      if (!socket.destroyed) socket.resume()
    } else if (length === PREFACE.length) hand(takers.onHttp2) // which reads by itself
  }
  socket.on('data', onData).on('end', end).on('error', end)
  socket.setTimeout(headMs).on('timeout', end)
}
