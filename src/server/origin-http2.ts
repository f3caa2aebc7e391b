/**
 * An origin spoken to over HTTP/2: few connections, many requests on each, and a way back where it does not offer it.
 *
 * Floor 5, room server. Connections are bounded, and so is whoever waits (by server/origin). A connection on which a request
 * got no answer in time has to answer a PING before it gets another; one that was told to go, or is idle, is let go.
 *
 * @see RFC 9113 sections 3.2, 5.1.2, 6.8, 8.7
 */
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type TLSSocket } from 'node:tls'
import type { Clock, Timer } from '../model/clock.ts'
import type { Exchange } from './origin-exchange.ts'
import { type Http2Request, sendOnStream } from './origin-http2-stream.ts'
import type { OriginTls } from './origin-tls.ts'

/** Requests at once on a connection, where the origin allows as many. */
const MAX_STREAMS = 100
const WINDOW_BYTES = 128 * 1024
/** Least time for a PING to be answered, ms. */
const MIN_PROBE_MS = 1000

/** Where connections lead, and what they may cost. */
export interface Http2OriginOptions {
  readonly url: URL
  readonly tls: OriginTls
  readonly connectMs: number
  readonly keepAliveMs: number
  readonly connections: number
  readonly maxHeadBytes: number
  readonly clock: Clock
}

/** A request that waits for a connection. */
interface Waiting {
  readonly request: Http2Request
  readonly exchange: Exchange
  /** Sends it over HTTP/1.1 instead. */
  fallBack(): void
}

interface Connection {
  readonly session: ClientHttp2Session
  streams: number
  answered: boolean
  /** Awaits the answer to a PING. */
  probing: boolean
  idle: Timer | undefined
}

/** See the module's header. */
export class Http2Origin {
  readonly #options: Http2OriginOptions
  readonly #open = new Set<Connection>()
  #waiting: Waiting[] = []
  #connecting = false
  #closed = false
  /** The origin has agreed on HTTP/1.1 in a handshake. */
  #without = false

  constructor(options: Http2OriginOptions) {
    this.#options = options
  }

  /** Sends a request as soon as a connection takes it. */
  dispatch(waiting: Waiting): void {
    if (this.#without || this.#closed) {
      waiting.fallBack()
      return
    }
    const free = this.#free()
    if (free !== undefined && this.#waiting.length === 0) {
      this.#send(free, waiting)
      return
    }
    this.#waiting.push(waiting)
    this.#advance()
  }

  /** Lets what runs end, takes nothing new. */
  retire(): void {
    this.#closed = true
    for (const { session } of this.#open) session.close()
  }

  /** Breaks everything off. */
  destroy(): void {
    this.#closed = true
    for (const { session } of this.#open) session.destroy()
    this.#flush(new Error('closed'))
  }

  /** Gives waiting requests to connections; opens one more where that is not enough. */
  #advance(): void {
    while (this.#waiting.length > 0) {
      const free = this.#free()
      if (free === undefined) break
      this.#send(free, this.#waiting.shift() as Waiting)
    }
    if (this.#waiting.length === 0 || this.#connecting || this.#open.size >= this.#options.connections) return
    this.#connecting = true
    void this.#connect()
  }

  #free(): Connection | undefined {
    for (const one of this.#open) {
      const { session } = one
      const max = Math.min(MAX_STREAMS, session.remoteSettings?.maxConcurrentStreams ?? MAX_STREAMS)
      if (!session.closed && !session.destroyed && !one.probing && one.streams < max) return one
    }
    return undefined
  }

  async #connect(): Promise<void> {
    try {
      const socket = await handshake(this.#options)
      this.#connecting = false
      if (socket.alpnProtocol === 'h2') await this.#begin(socket)
      else this.#doWithout(socket)
    } catch (error) {
      this.#connecting = false
      this.#flush(error as Error)
    }
    this.#advance()
  }

  /** Speaks HTTP/2 on a connection, from the origin's settings on. */
  #begin(socket: TLSSocket): Promise<void> {
    const { url, maxHeadBytes, connectMs, clock } = this.#options
    const session = connectHttp2(url, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: maxHeadBytes },
    })
    const connection: Connection = { session, streams: 0, answered: false, probing: false, idle: undefined }
    return new Promise((resolve, reject) => {
      const timer = clock.after(connectMs, () => session.destroy(coded('UND_ERR_CONNECT_TIMEOUT')))
      session.on('error', reject)
      session.once('close', () => {
        timer.cancel()
        connection.idle?.cancel()
        this.#open.delete(connection)
        reject(coded('UND_ERR_SOCKET'))
        this.#advance()
      })
      session.once('remoteSettings', () => {
        timer.cancel()
        this.#open.add(connection)
        this.#rest(connection)
        resolve()
      })
    })
  }

  #doWithout(socket: TLSSocket): void {
    socket.destroy()
    this.#without = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) one.fallBack()
  }

  #send(connection: Connection, { request, exchange }: Waiting): void {
    if (!exchange.isWanted) return
    connection.idle?.cancel()
    const stream = sendOnStream(connection.session, request, {
      exchange,
      events: {
        onAnswer: () => void (connection.answered = true),
        onGivenUp: () => this.#probe(connection),
        hasAnswered: () => connection.answered,
      },
    })
    if (stream === undefined) return
    connection.streams += 1
    stream.once('close', () => {
      connection.streams -= 1
      if (connection.streams === 0) this.#rest(connection)
      this.#advance()
    })
  }

  /** Whether a connection is still alive decides a PING, not the next request. */
  #probe(connection: Connection): void {
    const { session } = connection
    if (connection.probing || session.closed || session.destroyed) return
    connection.probing = true
    const late = this.#options.clock.after(Math.max(MIN_PROBE_MS, this.#options.connectMs), () => session.destroy())
    session.ping((error) => {
      late.cancel()
      connection.probing = false
      if (error === null) this.#advance()
    })
  }

  #rest(connection: Connection): void {
    if (this.#closed) connection.session.close()
    connection.idle = this.#options.clock.after(this.#options.keepAliveMs, () => {
      if (connection.streams === 0) connection.session.close()
    })
  }

  #flush(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { exchange } of waiting) exchange.onResponseError(undefined, error)
  }
}

/** A connection whose protocol is agreed on. */
function handshake({ url, tls, connectMs, clock }: Http2OriginOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 443 : Number(url.port),
      servername: tls.servername,
      ALPNProtocols: ['h2', 'http/1.1'],
      ...tls.more,
    })
    const timer = clock.after(connectMs, () => socket.destroy(coded('UND_ERR_CONNECT_TIMEOUT')))
    socket.setNoDelay(true)
    socket.on('error', (error) => {
      timer.cancel()
      reject(error)
    })
    socket.once('secureConnect', () => {
      timer.cancel()
      resolve(socket)
    })
  })
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
