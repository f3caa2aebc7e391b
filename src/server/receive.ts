/**
 * One request from its head to its answer: admitted, rewritten for the origin, handed to the door, answered.
 *
 * Floor 5, room server. Whatever fails on the way becomes an answer; nothing thrown here leaves the connection silent.
 */
import type { ServerResponse } from 'node:http'
import type { HttpDoor } from '../http/door.ts'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { OriginPort, Reply, RequestHead, ResponseHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import type { Logger } from '../model/port.ts'
import { type AdmitLimits, admit } from './admit.ts'
import { ClientBody } from './client-body.ts'
import { type ForwardRules, forward, peerAddress } from './forward.ts'
import { endsHere } from './connections.ts'
import type { Incoming } from './listener.ts'
import { ALLOW, errorReply, NO_CACHE } from './refuse.ts'
import { sendReply } from './send.ts'

/** Whether answers carry X-Cache-Latency: never, always, or where the request bears `x-cache-latency`. */
export type LatencyMode = 'off' | 'on' | 'request'

/** What may change while the gateway runs; read once per request. */
export interface ReceiveSettings {
  readonly limits: AdmitLimits
  readonly forward: ForwardRules
  readonly latency: LatencyMode
}

/** What receiving a request takes. */
export interface Receiver {
  readonly door: Pick<HttpDoor, 'handle'>
  readonly origin: OriginPort
  readonly clock: Clock
  readonly logger: Logger
  /** Between two chunks of a client's content, ms. */
  readonly bodyIdleMs: number
  settings(): ReceiveSettings
  /** Whether connections are to be closed behind their answers. */
  draining(): boolean
}

/** Answers one request; resolves when its answer has been written or its client is gone, never rejects. */
export async function receive(receiver: Receiver, incoming: Incoming): Promise<void> {
  const started = performance.now()
  const { response } = incoming
  const settings = receiver.settings()
  const reply = await answer(receiver, incoming, settings)
  const asked = settings.latency === 'on' || (settings.latency === 'request' && incoming.request.headers['x-cache-latency'] !== undefined)
  const latencyUs = asked ? Math.max(1, Math.round((performance.now() - started) * 1000)) : undefined
  const unread = !incoming.request.complete
  if (unread) incoming.linger()
  const close = unread || endsHere(incoming.connection) || receiver.draining()
  try {
    await sendReply(response, reply, { via: `1.1 ${settings.forward.pseudonym}`, close, latencyUs })
  } catch (error) {
    receiver.logger.error({ err: error }, 'an answer could not be written')
    response.destroy()
  }
}

async function answer(receiver: Receiver, incoming: Incoming, settings: ReceiveSettings): Promise<Reply> {
  const { request, response, connection } = incoming
  try {
    const head = admitted(incoming, settings)
    head.fields.delete('x-cache-latency')
    const local = answerHere(head)
    if (local !== undefined) return local
    const body = clientBody(receiver, incoming, settings.limits.maxBodyBytes)
    connection.reading = { request, fail: (error) => body?.fail(error) }
    const abort = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))
    })
    const onInformational = (one: ResponseHead): void => inform(response, one)
    return await receiver.door.handle(head, body, { origin: receiver.origin, signal: abort.signal, onInformational })
  } catch (error) {
    if (!(error instanceof ForecacheError)) receiver.logger.error({ err: error }, 'a request failed')
    return errorReply(error, 'gateway')
  }
}

/** An ambiguous request ends its connection: what follows it may not be what it seems (RFC 9112 section 11.2). */
function admitted({ request, connection }: Incoming, settings: ReceiveSettings): RequestHead {
  try {
    return forward(admit(request, settings.limits), { address: peerAddress(request.socket.remoteAddress) }, settings.forward)
  } catch (error) {
    connection.closing = true
    throw error
  }
}

function clientBody(receiver: Receiver, incoming: Incoming, maxBytes: number): ClientBody | undefined {
  const { request, response } = incoming
  const length = request.headers['content-length']
  if (request.headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0)) return undefined
  const onStart = (): void => {
    if (incoming.expects && !response.headersSent) response.writeContinue()
  }
  return new ClientBody(request, { maxBytes, idleMs: receiver.bodyIdleMs, clock: receiver.clock, onStart })
}

/** What is never the origin's to answer: `OPTIONS *` is about this server, Max-Forwards 0 ends here (RFC 9110 section 7.6.2). */
function answerHere(head: RequestHead): Reply | undefined {
  if (head.method !== 'OPTIONS') return undefined
  const left = head.fields.first('max-forwards')
  if (head.target !== '*' && left !== '0') {
    if (left !== undefined && /^\d{1,9}$/.test(left)) head.fields.set('max-forwards', String(Number(left) - 1))
    return undefined
  }
  const fields = Fields.from({ allow: ALLOW, 'cache-status': 'forecache; detail=options', 'x-cache': 'BYPASS' })
  return { head: { status: 204, statusText: 'No Content', fields }, body: undefined, outcome: NO_CACHE }
}

/** Passes a 1xx answer on; HTTP/1.0 clients know none, and 100 is ours alone to send. */
function inform(response: ServerResponse, head: ResponseHead): void {
  if (response.headersSent || response.destroyed || head.status === 100 || response.req.httpVersion !== '1.1') return
  const fields = [...head.fields].flat()
  if (typeof response.writeInformation === 'function') response.writeInformation(head.status, fields)
  else if (head.status === 103 && head.fields.has('link')) response.writeEarlyHints({ link: head.fields.all('link') })
}
