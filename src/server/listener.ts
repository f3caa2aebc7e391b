/**
 * The gateway's port: a strict `node:http` server with limits and deadlines on everything a client can do.
 *
 * Floor 5, room server. Bounds: connections, pipelined requests, head bytes, fields, content bytes, and time for a head,
 * a request, a write and an idle connection. Only WebSocket upgrades leave HTTP; upgrades to h2c and all others are served as
 * plain requests, CONNECT and TRACE are refused. TLS and HTTP/2, where wanted, are told apart before it (server/gate).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { Connections } from './connections.ts'
import { createGate, type Gate, type GateOptions } from './gate.ts'
import type { Inbound } from './inbound.ts'
import { Incoming } from './incoming.ts'
import { Lane } from './lane.ts'
import type { LaneDesk } from './lane-desk.ts'
import { errorBytes, parseFailure } from './refuse.ts'
import type { Credentials } from './tls-credentials.ts'
import { isWebSocket } from './websocket.ts'

/** An idle connection with its socket; measured, see docs/decisions/011. */
const LANE_BYTES = 5 * 1024
const STACK_BYTES = 14 * 1024
/** A remembered head, with what was read of it, takes 2.5 to 3.3 times its bytes. */
const HEAD_TIMES = 3

/** Requests of one connection that may await their answers at once. */
const MAX_PIPELINED = 256

/** Deadlines and bounds of a listener; durations in ms. */
export interface ListenerOptions extends GateOptions {
  readonly maxConnections: number
  /** Request line and fields together, bytes. */
  readonly maxHeadBytes: number
  readonly maxFields: number
  /** From a request's first byte to the end of its head. */
  readonly headMs: number
  /** From a request's first byte to its last. */
  readonly requestMs: number
  /** A client that takes nothing of its answer for so long loses its connection. */
  readonly writeMs: number
  /** A connection without a request is closed after this. */
  readonly keepAliveMs: number
}

/** Where a listener listens. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Where to listen, and how. */
export interface ListenWish extends ListenAddress {
  /** Shares the port with other processes that wish the same; only where the system can. Default false. */
  readonly reusePort?: boolean
}

/** A WebSocket handshake; the socket is its handler's from then on. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What came behind the handshake already. */
  readonly early: Buffer
}

/** What a listener calls. */
export interface ListenerEvents {
  readonly clock: Clock
  onRequest(incoming: Inbound): void
  /** Who answers in the lane now; absent where everything goes through the full stack. */
  readonly lane?: () => LaneDesk | undefined
  /** Absent where no upgrade is served. */
  readonly onUpgrade?: (upgrade: Upgrade) => void
}

/** See the module's header. */
export class Listener {
  readonly #server: Server
  readonly #connections: Connections
  readonly #events: ListenerEvents
  readonly #options: ListenerOptions
  readonly #lane: Lane | undefined
  /** Tells the versions of HTTP apart; undefined where there is but one. */
  readonly #gate: Gate | undefined
  readonly #serve: (connection: Duplex) => void
  #draining = false

  constructor(options: ListenerOptions, events: ListenerEvents) {
    this.#connections = new Connections(events.clock)
    this.#events = events
    this.#options = options
    this.#server = createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      maxHeaderSize: options.maxHeadBytes,
      headersTimeout: options.headMs,
      requestTimeout: options.requestMs,
      keepAliveTimeout: options.keepAliveMs,
      connectionsCheckingInterval: 500,
      noDelay: true,
      shouldUpgradeCallback: (request) => this.#mayUpgrade(request),
      highWaterMark: 64 * 1024,
    })
    this.#server.maxHeadersCount = options.maxFields + 1
    this.#lane = this.#openLane()
    const [serve] = this.#server.listeners('connection') as [(connection: Duplex) => void]
    this.#serve = serve
    this.#server.off('connection', serve)
    this.#server.on('connection', (socket) => this.accept(socket))
    this.#server.on('request', (request, response) => this.#onRequest(request, response, false))
    this.#server.on('checkContinue', (request, response) => this.#onRequest(request, response, true))
    this.#server.on('checkExpectation', (request, response) => this.#onExpectation(request, response))
    this.#server.on('clientError', (error, socket) => this.#onParseError(error, socket as Socket))
    this.#server.on('connect', (_, socket) =>
      this.#refuse(socket as Socket, new ForecacheError('FC_REQUEST_METHOD', { method: 'CONNECT' })),
    )
    this.#server.on('upgrade', (request, socket, early) => this.#onUpgrade({ request, socket: socket as Socket, early }))
    this.#server.setTimeout(options.writeMs, (socket) => this.#onIdle(socket))
    this.#gate = createGate(options, { ...events, onHttp1: (socket) => this.accept(socket) })
    this.#port.maxConnections = options.maxConnections
    if (this.#gate !== undefined) this.#server.emit('listening') // starts the deadlines of heads, as its own `listen` would
  }

  /** What is listened with. */
  get #port(): NetServer {
    return this.#gate?.server ?? this.#server
  }

  /** Takes other certificates for connections to come. */
  secure(credentials: Credentials): void {
    this.#gate?.secure(credentials)
  }

  listen(at: ListenWish): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#port.once('error', reject)
      this.#port.listen({ host: at.host, port: at.port, reusePort: at.reusePort === true, backlog: 1024 }, () => {
        this.#port.off('error', reject)
        resolve(this.#port.address() as AddressInfo)
      })
    })
  }

  /** Takes a connection that speaks HTTP/1: into the lane, if there is one. */
  accept(socket: Socket): void {
    if (this.#lane === undefined) this.#take(socket)
    else this.#lane.take(socket)
  }

  /** Bytes that connections hold, about: those of the stack more than those of the lane, and heads that the lane remembers. */
  get heldBytes(): number {
    const { size = 0, headBytes = 0 } = this.#lane ?? {}
    return size * LANE_BYTES + headBytes * HEAD_TIMES + this.#connections.size * STACK_BYTES
  }

  /** Undefined where there is none. */
  get lane(): Lane | undefined {
    return this.#lane
  }

  #take(connection: Duplex): void {
    this.#connections.of(connection as Socket)
    this.#serve.call(this.#server, connection)
  }

  #openLane(): Lane | undefined {
    const { clock, lane } = this.#events
    if (lane === undefined) return undefined
    return new Lane(this.#options, {
      clock,
      desk: () => (this.#draining ? undefined : lane()),
      draining: () => this.#draining,
      accept: (connection) => this.#take(connection),
    })
  }

  /** Stops accepting, lets requests under way finish until `deadlineMs`, then closes what is left. */
  close(deadlineMs: number): Promise<void> {
    this.#draining = true
    return new Promise((resolve) => {
      const timer = this.#events.clock.after(deadlineMs, () => this.destroy())
      this.#port.close(() => {
        timer.cancel()
        resolve()
      })
      if (this.#gate !== undefined) this.#server.close()
      this.#server.closeIdleConnections()
      this.#gate?.leave()
      this.#lane?.closeIdle()
    })
  }

  /** Closes everything at once. */
  destroy(): void {
    this.#gate?.destroyAll()
    this.#lane?.destroyAll()
    this.#connections.destroyAll()
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expects: boolean): void {
    const connection = this.#connections.of(request.socket)
    if (connection.closing) {
      request.resume() // read away: the answer that closes may still be on its way
      return
    }
    if (connection.inFlight >= MAX_PIPELINED) {
      this.#refuse(request.socket, new ForecacheError('FC_GATEWAY_BUSY', { reason: 'too many pipelined requests' }))
      return
    }
    if (endsBehind(request, response, expects) || (expects && connection.inFlight > 0)) connection.closing = true
    this.#connections.begin(connection, request)
    response.once('close', () => this.#connections.end(connection, request))
    const arrival = {
      connections: this.#connections,
      connection,
      clock: this.#events.clock,
      expects,
      draining: () => this.#draining,
    }
    this.#events.onRequest(new Incoming(request, response, arrival))
  }

  #onExpectation(request: IncomingMessage, response: ServerResponse): void {
    const bytes = errorBytes(new ForecacheError('FC_REQUEST_EXPECT', { given: request.headers.expect ?? '' }))
    const connection = this.#connections.of(request.socket)
    this.#connections.closeWith(connection, bytes)
    if (connection.inFlight === 0) response.detachSocket(request.socket)
  }

  /** The bytes cannot be read as HTTP any further: the request they belong to fails, then the connection ends. */
  #onParseError(error: Error & { code?: string }, socket: Socket): void {
    const connection = this.#connections.of(socket)
    if (error.code === 'ECONNRESET' || (!socket.writable && !connection.closing)) {
      socket.destroy()
      return
    }
    if (!socket.writable) return // more of what could not be read: the last answer is still on its way
    const failure = parseFailure(error, this.#options.maxHeadBytes)
    const { reading } = connection
    if (connection.inFlight > 0 && reading !== undefined && !reading.request.complete) {
      connection.closing = true
      reading.fail(failure)
    } else {
      this.#connections.closeWith(connection, errorBytes(failure))
    }
  }

  /** A handshake behind requests that are not yet answered is served as the plain request it also is: they come first. */
  #mayUpgrade(request: IncomingMessage): boolean {
    return this.#events.onUpgrade !== undefined && isWebSocket(request) && this.#connections.of(request.socket).inFlight === 0
  }

  #onUpgrade(upgrade: Upgrade): void {
    const { request, socket } = upgrade
    if (this.#connections.of(socket).inFlight > 0) socket.destroy()
    else if (this.#events.onUpgrade !== undefined && isWebSocket(request)) this.#events.onUpgrade(upgrade)
    else this.#refuse(socket, new ForecacheError('FC_REQUEST_BAD', { reason: 'this upgrade is not served' }))
  }

  #refuse(socket: Socket, error: ForecacheError): void {
    this.#connections.closeWith(this.#connections.of(socket), errorBytes(error))
  }

  /** No byte moved for `writeMs`: an answer the client does not take ends here; one the origin still owes may go on. */
  #onIdle(socket: Socket): void {
    const connection = this.#connections.of(socket)
    if (connection.inFlight === 0 || socket.writableLength > 0) socket.destroy()
    else socket.setTimeout(this.#options.writeMs)
  }
}

/**
 * Whether nothing behind this request is answered, so that nothing behind it may be carried out either: its client closes
 * (RFC 9112 section 9.6), or `node:http` does for an expectation that nobody met, or its parser stops behind an upgrade that
 * we serve as a plain request, and loses what was pipelined behind it (section 9.3.2).
 */
function endsBehind({ headers }: IncomingMessage, { shouldKeepAlive }: ServerResponse, expects: boolean): boolean {
  const isEmpty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
  return !shouldKeepAlive || headers.upgrade !== undefined || (expects && isEmpty)
}
