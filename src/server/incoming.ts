/**
 * One request of HTTP/1 on a listener, with what its receiver may do to its connection.
 *
 * Floor 5, room server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Reply, RequestHead, ResponseHead } from '../model/exchange.ts'
import { type AdmitLimits, admit } from './admit.ts'
import { ClientBody } from './client-body.ts'
import { type Connection, type Connections, isLast } from './connections.ts'
import { type Peer, peerOf, schemeOf } from './peer.ts'
import type { AnswerContext, ContentLimits, Inbound } from './inbound.ts'
import { sendInformational, sendReply } from './send.ts'

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

/** See the module's header. */
export class Incoming implements Inbound {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly #arrival: Arrival

  constructor(request: IncomingMessage, response: ServerResponse, arrival: Arrival) {
    this.request = request
    this.response = response
    this.#arrival = arrival
  }

  get url(): string | undefined {
    return this.request.url
  }

  get headers(): Inbound['headers'] {
    return this.request.headers
  }

  get peer(): Peer {
    return peerOf(this.request.socket, '1.1')
  }

  admit(limits: AdmitLimits): RequestHead {
    try {
      return admit(this.request, limits, schemeOf(this.request.socket))
    } catch (error) {
      this.distrust()
      throw error
    }
  }

  content(limits: ContentLimits): ClientBody | undefined {
    const { request, response } = this
    const { connection, clock, expects } = this.#arrival
    const length = request.headers['content-length']
    const chunked = request.headers['transfer-encoding'] !== undefined
    const empty = !chunked && (length === undefined || Number(length) === 0)
    const onStart = (): void => {
      if (!expects) return
      if (response.socket === null) response.once('socket', () => goOn(response))
      else goOn(response)
    }
    const trailer = chunked ? request.headers.trailer : undefined
    const body = empty ? undefined : new ClientBody(request, { ...limits, clock, trailer, onStart })
    connection.reading = { request, fail: (error) => body?.fail(error) }
    return body
  }

  signal(): AbortSignal {
    const abort = new AbortController()
    this.response.once('close', () => {
      if (!this.response.writableFinished) abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))
    })
    return abort.signal
  }

  distrust(): void {
    this.#arrival.connection.closing = true
  }

  /** Whether the answer now written is the connection's last. A request not read to its end makes it so. */
  endsConnection(): boolean {
    const { connections, connection } = this.#arrival
    const unread = !this.request.complete
    if (unread) connections.linger(connection)
    return unread || ((connection.closing || this.#arrival.draining()) && isLast(connection, this.request))
  }

  inform(head: ResponseHead): void {
    sendInformational(this.response, head)
  }

  send(reply: Reply, context: AnswerContext): Promise<void> {
    const { via, latencyUs } = context
    return sendReply(this.response, reply, { via, latencyUs, close: this.endsConnection() })
  }

  abort(): void {
    this.response.destroy()
  }
}

/** Never into an answer that waits for others: it would come behind its head. */
function goOn(response: ServerResponse): void {
  if (!response.headersSent) response.writeContinue()
}
