/**
 * One request from its head to its answer: admitted, rewritten for the origin, handed to the door, answered.
 *
 * Floor 5, room server. Whatever fails on the way becomes an answer; nothing thrown here leaves the connection silent.
 */
import type { HttpDoor } from '../http/door.ts'
import { ForecacheError } from '../model/errors.ts'
import type { OriginPort, Reply, RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import type { Logger } from '../model/port.ts'
import type { AdmitLimits } from './admit.ts'
import { type ForwardRules, forward } from './forward.ts'
import type { Inbound } from './inbound.ts'
import { ALLOW, errorReply, NO_CACHE } from './refuse.ts'

/** Whether answers carry X-Cache-Latency: never, always, or where the request bears `x-cache-latency`. */
export type LatencyMode = 'off' | 'on' | 'request'

/** What a configuration says about requests. */
export interface ReceiveSettings {
  readonly limits: AdmitLimits
  readonly forward: ForwardRules
  readonly latency: LatencyMode
  /** Between two chunks of a client's content, ms. */
  readonly bodyIdleMs: number
}

/** What receiving a request takes. */
export interface Receiver {
  readonly door: Pick<HttpDoor, 'handle'>
  readonly origin: OriginPort
  readonly logger: Logger
  readonly settings: ReceiveSettings
}

/**
 * Answers one request; resolves when its answer has been written or its client is gone, never rejects.
 *
 * @param forwarded its head, where it was admitted and forwarded already
 */
export async function receive(receiver: Receiver, incoming: Inbound, forwarded?: RequestHead): Promise<void> {
  const started = performance.now()
  const { settings, logger } = receiver
  const reply = await answer(receiver, incoming, forwarded).catch((error: unknown) => {
    if (!(error instanceof ForecacheError)) logger.error({ err: error, url: incoming.url }, 'a request failed')
    return errorReply(error, 'gateway')
  })
  const asked = settings.latency === 'on' || (settings.latency === 'request' && incoming.headers['x-cache-latency'] !== undefined)
  const latencyUs = asked ? Math.max(1, Math.round((performance.now() - started) * 1000)) : undefined
  try {
    await incoming.send(reply, { via: `1.1 ${settings.forward.pseudonym}`, latencyUs })
  } catch (error) {
    logger.error({ err: error, url: incoming.url }, 'an answer could not be written')
    incoming.abort()
  }
}

async function answer({ door, origin, settings }: Receiver, incoming: Inbound, forwarded?: RequestHead): Promise<Reply> {
  const head = forwarded ?? admitted(incoming, settings)
  head.fields.delete('x-cache-latency')
  const local = answerHere(head)
  if (local !== undefined) return local
  const body = incoming.content({ maxBytes: settings.limits.maxBodyBytes, idleMs: settings.bodyIdleMs })
  const signal = incoming.signal()
  return door.handle(head, body, { origin, signal, asksLate: true, onInformational: (one) => incoming.inform(one) })
}

function admitted(incoming: Inbound, settings: ReceiveSettings): RequestHead {
  const head = incoming.admit(settings.limits)
  try {
    return forward(head, incoming.peer, settings.forward)
  } catch (error) {
    incoming.distrust()
    throw error
  }
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
