/**
 * One sending to an origin: undici's callbacks turned into an answer whose body is pulled, under deadlines.
 *
 * Floor 5, room server. Exactly one of `answered` and `failed` is called. The head deadline counts from the start, also
 * over the wait for a connection, and is not prolonged by 1xx answers; it rests while the client's content is awaited.
 */
import type { Dispatcher } from 'undici'
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { OriginAnswer, ResponseHead, SendOptions } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import type { Ledger } from '../model/ledger.ts'
import { endToEnd } from '../rules/hop.ts'
import { OriginBody } from './origin-body.ts'
import { isStaleConnection, originError, type SendStage } from './origin-error.ts'
import { trailerFields } from './trailer.ts'

/** 1xx answers one request may bring before the origin counts as broken. */
const MAX_INFORMATIONAL = 32

/** What an exchange needs to know. */
export interface ExchangeSettings {
  readonly clock: Clock
  readonly connectMs: number
  readonly headMs: number
  readonly bodyIdleMs: number
  /** A reader that takes nothing for so long loses the connection, ms. */
  readonly stallMs: number
  readonly ledger?: Ledger | undefined
  /** Whether a connection is being reset at this very moment: what ends now did not end by itself. */
  readonly isResetting: () => boolean
}

/** How an exchange ends: an answer's head has come, or it failed. */
export interface ExchangeEnd {
  answered(answer: OriginAnswer): void
  /** @param stale the connection had gone stale before the request was read */
  failed(error: Error, stale: boolean): void
  /** The connection is done with: the body has ended, or it broke. Called once, last. */
  closed(): void
}

/** See the module's header. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #settings: ExchangeSettings
  readonly #options: SendOptions
  readonly #end: ExchangeEnd
  #stage: SendStage = 'unsent'
  #controller: Dispatcher.DispatchController | undefined
  #broken: Error | undefined
  #timer: Timer | undefined
  #body: OriginBody | undefined
  #trailers: Fields | undefined
  #informational = 0
  /** The first byte of an answer has come. */
  #heard = false
  #closed = false

  constructor(settings: ExchangeSettings, options: SendOptions, end: ExchangeEnd) {
    this.#settings = settings
    this.#options = options
    this.#end = end
    this.awaitOrigin()
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Whether anyone still waits for its answer. */
  get isWanted(): boolean {
    return !this.#closed
  }

  /** Starts the head deadline, or starts it again because content was just sent. */
  awaitOrigin(): void {
    if (this.#stage === 'answering' || this.#closed) return
    this.#timer?.cancel()
    const { headMs } = this.#settings
    this.#timer = this.#settings.clock.after(headMs, () => this.#break(new ForecacheError('FC_ORIGIN_TIMEOUT', { ms: headMs })))
  }

  /** Suspends the head deadline: the client's next chunk is awaited, under the client's own deadline. */
  awaitClient(): void {
    this.#timer?.cancel()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#broken !== undefined) controller.abort(this.#broken)
    else this.#stage = 'sent'
  }

  onResponseStarted(): void {
    this.#heard = true
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    ...[, text = '']: [parsed: unknown, text?: string]
  ): void {
    const received = rawFields(controller.rawHeaders)
    const fault = faultOf(status, received)
    if (fault !== undefined) {
      this.#break(broken(fault))
      return
    }
    const head: ResponseHead = { status, statusText: reasonPhrase(text), fields: endToEnd(received) }
    if (status < 200) {
      this.#informational += 1
      if (this.#informational > MAX_INFORMATIONAL) this.#break(broken('too many 1xx answers'))
      else this.#options.onInformational?.(head)
      return
    }
    this.#timer?.cancel()
    this.#stage = 'answering'
    const body = new OriginBody(controller, this.#settings.clock, this.#settings)
    this.#body = body
    const framed = 'framed' in controller && controller.framed === true
    const endsByClose = !framed && !received.has('content-length') && !received.has('transfer-encoding')
    this.#end.answered({ head, body, whole: (wish) => body.whole(wish), trailers: () => this.#trailers, endsByClose })
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    // A body without length ends with its connection; undici takes a reset for such an end.
    if (this.#settings.isResetting()) {
      this.#fail(broken('it reset the connection'), false)
      return
    }
    this.#trailers = trailerFields(rawFields(controller.rawTrailers))
    this.#body?.end()
    this.#close()
  }

  onResponseError(_: unknown, error: Error): void {
    this.#fail(this.#broken ?? originError(error, this.#stage, this.#settings), !this.#heard && isStaleConnection(error))
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#options.signal
    this.#break(reason instanceof Error ? reason : broken('no longer wanted'))
  }

  /** Gives the exchange up for a reason of ours; a request still waiting for a connection is dropped when its turn comes. */
  #break(error: Error): void {
    if (this.#closed) return
    this.#broken ??= error
    if (this.#controller === undefined) this.#fail(error, false)
    else this.#controller.abort(error)
  }

  #fail(error: Error, stale: boolean): void {
    if (this.#closed) return
    if (this.#body === undefined) this.#end.failed(error, stale)
    else this.#body.fail(error)
    this.#close()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.cancel()
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#end.closed()
  }
}

/** What makes an answer unreadable although it parsed; undefined when nothing does. */
function faultOf(status: number, fields: Fields): string | undefined {
  if (status > 599) return `its status is ${status}`
  if (status === 101) return 'it switched protocols unasked'
  const codings = fields.all('transfer-encoding')
  const coding = codings[0]?.toLowerCase()
  // One unknown token is read to the connection's end, as RFC 9112 section 6.3 has it; a coding that we would have to
  // undo, and any list, is not.
  if (codings.length > 1 || (coding !== undefined && coding !== 'chunked' && !isUnknownCoding(coding)))
    return 'its transfer coding is not chunked alone'
  return undefined
}

function isUnknownCoding(coding: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(coding) && !/chunk|zip|deflate|compress|identity|br|zstd/.test(coding)
}

function broken(reason: string): ForecacheError {
  return new ForecacheError('FC_ORIGIN_BROKEN', { reason })
}

/** Reason phrases are informative; one that `node:http` would refuse to write is left out. */
function reasonPhrase(text: string): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text) ? text : ''
}

function rawFields(raw: Dispatcher.DispatchController['rawHeaders']): Fields {
  if (!Array.isArray(raw)) return Fields.from()
  const list = new Array<string>(raw.length)
  for (let i = 0; i < raw.length; i += 1) {
    const part = raw[i] as string | Buffer
    const text = typeof part === 'string' ? part : part.toString('latin1')
    list[i] = i % 2 === 0 ? text.toLowerCase() : text
  }
  return Fields.ofLower(list)
}
