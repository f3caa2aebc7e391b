/**
 * Sending by `node:http`, for what undici cannot: trailers of a request, and origins that say 100 Continue unasked.
 *
 * Floor 5, room server. Speaks to the same Exchange as undici does. Rare, so each request gets a connection of its own:
 * nothing is ever left on one that another request could read.
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { BodySource } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import type { Exchange } from './origin-exchange.ts'
import { type OpenRequest, openRequest } from './origin-open.ts'

/** One request as it is to be written. */
export interface PlainRequest extends OpenRequest {
  readonly body: BodySource | undefined
  /** Trailer fields, complete once the body has ended. */
  readonly trailers: () => Fields | undefined
  readonly connectMs: number
  readonly bodyIdleMs: number
}

/** Sends a request; everything that happens is told to the exchange. */
export function sendPlain(plain: PlainRequest, exchange: Exchange): void {
  let outgoing: ClientRequest
  try {
    outgoing = openRequest(plain)
  } catch (error) {
    exchange.onResponseError(undefined, error as Error)
    return
  }
  const control = new Control(outgoing)
  const connecting = setTimeout(() => control.abort(coded('UND_ERR_CONNECT_TIMEOUT')), plain.connectMs)
  outgoing.on(
    'socket',
    (socket) =>
      void socket.once('connect', () => {
        clearTimeout(connecting)
        exchange.onRequestStart(control)
      }),
  )
  outgoing.on('close', () => clearTimeout(connecting))
  outgoing.on('error', (error) => exchange.onResponseError(control, control.reason ?? error))
  outgoing.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
    control.rawHeaders = [...rawHeaders]
    if (statusCode !== 100) exchange.onResponseStart(control, statusCode, {}, statusMessage)
  })
  outgoing.on('upgrade', (_, socket) => {
    socket.destroy()
    exchange.onResponseStart(control, 101, {}, '')
    exchange.onResponseError(control, control.reason ?? coded('UND_ERR_SOCKET')) // an upgraded request emits nothing more
  })
  outgoing.on('response', (answer) => receive(answer, { control, exchange, idleMs: plain.bodyIdleMs }))
  void write(outgoing, plain, exchange)
}

/** What the exchange may do, as undici's controller offers it. */
class Control {
  readonly aborted = false
  readonly paused = false
  reason: Error | null = null
  rawHeaders: string[] = []
  rawTrailers: string[] = []
  answer: IncomingMessage | undefined
  readonly #outgoing: ClientRequest

  constructor(outgoing: ClientRequest) {
    this.#outgoing = outgoing
  }

  abort(reason: Error): void {
    this.reason = reason
    this.#outgoing.destroy(reason)
  }

  pause(): void {
    this.answer?.pause()
  }

  resume(): void {
    this.answer?.resume()
  }
}

function receive(
  answer: IncomingMessage,
  { control, exchange, idleMs }: { control: Control; exchange: Exchange; idleMs: number },
): void {
  control.answer = answer
  control.rawHeaders = answer.rawHeaders
  exchange.onResponseStart(control, answer.statusCode ?? 0, {}, answer.statusMessage ?? '')
  answer.on('data', (chunk: Buffer) => exchange.onResponseData(control, chunk))
  answer.on('end', () => {
    if (!answer.complete) return
    control.rawTrailers = answer.rawTrailers
    exchange.onResponseEnd(control)
  })
  answer.on('error', (error) => exchange.onResponseError(control, control.reason ?? error))
  answer.setTimeout(idleMs, () => {
    if (!answer.isPaused()) control.abort(coded('UND_ERR_BODY_TIMEOUT'))
  })
}

async function write(outgoing: ClientRequest, plain: PlainRequest, exchange: Exchange): Promise<void> {
  try {
    if (plain.body !== undefined) {
      for await (const chunk of plain.body) {
        if (outgoing.destroyed) return
        if (!outgoing.write(chunk)) await drained(outgoing)
      }
    }
    const trailers = plain.trailers()
    if (trailers !== undefined && outgoing.chunkedEncoding) outgoing.addTrailers([...trailers] as [string, string][])
    outgoing.end()
  } catch (error) {
    exchange.onResponseError(undefined, error as Error)
    outgoing.destroy()
  }
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done).off('close', done)
      resolve()
    }
    outgoing.on('drain', done).on('close', done)
  })
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
