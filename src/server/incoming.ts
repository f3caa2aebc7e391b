/**
 * One request on a listener, with what its receiver may do to its connection.
 *
 * Floor 5, room server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { ClientBody } from './client-body.ts'
import { type Connection, type Connections, endsHere } from './connections.ts'

/** Where a request came in. */
export interface Arrival {
  readonly connections: Connections
  readonly connection: Connection
  readonly clock: Clock
  /** The client waits for 100 Continue. */
  readonly expects: boolean
  /** Whether connections are to be closed behind their answers. */
  draining(): boolean
}

/** What a request's content may cost. */
export interface ContentLimits {
  readonly maxBytes: number
  /** Between two chunks, ms. */
  readonly idleMs: number
}

/** See the module's header. */
export class Incoming {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly #arrival: Arrival

  constructor(request: IncomingMessage, response: ServerResponse, arrival: Arrival) {
    this.request = request
    this.response = response
    this.#arrival = arrival
  }

  /** The request's content; undefined when there is none. Call it once, before anything waits. */
  content(limits: ContentLimits): ClientBody | undefined {
    const { request, response } = this
    const { connection, clock, expects } = this.#arrival
    const length = request.headers['content-length']
    const empty = request.headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0)
    const onStart = (): void => {
      if (expects && !response.headersSent) response.writeContinue()
    }
    const body = empty ? undefined : new ClientBody(request, { ...limits, clock, onStart })
    connection.reading = { request, fail: (error) => body?.fail(error) }
    return body
  }

  /** Aborted with FC_REQUEST_ABORTED when the client goes before it has its answer. */
  signal(): AbortSignal {
    const abort = new AbortController()
    this.response.once('close', () => {
      if (!this.response.writableFinished) abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))
    })
    return abort.signal
  }

  /** The request is ambiguous: what follows it on its connection may not be what it seems (RFC 9112 section 11.2). */
  distrust(): void {
    this.#arrival.connection.closing = true
  }

  /** Whether the answer now written is the connection's last. A request not read to its end makes it so. */
  endsConnection(): boolean {
    const { connections, connection } = this.#arrival
    const unread = !this.request.complete
    if (unread) connections.linger(connection)
    return unread || endsHere(connection) || this.#arrival.draining()
  }
}
