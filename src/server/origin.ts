/**
 * The origin behind the gateway: requests over kept-alive connections, streamed both ways, every wait under a deadline.
 *
 * Floor 5, room server. Connections and waiting requests are bounded. A request is sent a second time only when it is
 * safe, has no content, and its kept-alive connection proved to have been closed before it was read, or it got 100
 * Continue unasked, which undici does not understand; nothing else is ever retried. The name in TLS is the origin's, whatever Host a client sends.
 */
import { type Dispatcher, Pool } from 'undici'
import { type Clock, systemClock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, OriginAnswer, OriginPort, RequestHead, SendOptions } from '../model/exchange.ts'
import type { Ledger } from '../model/ledger.ts'
import { watchedConnector } from './origin-connect.ts'
import { isUnaskedContinue, originError } from './origin-error.ts'
import { Exchange, type ExchangeSettings } from './origin-exchange.ts'
import { Http2Origin } from './origin-http2.ts'
import { sendPlain } from './origin-plain.ts'
import { meterBody, pathPrefix, requestFields, trailedBody, type TrailedBody } from './origin-request.ts'
import { type OriginTls, readOriginTls } from './origin-tls.ts'
import type { OriginTlsSettings } from './tls-schema.ts'

/** How to reach an origin; durations in ms, all required: defaults live in server/config. */
export interface OriginOptions {
  /** `http://host:port` or `https://host:port`, optionally with a path that is put before every target. */
  readonly url: string
  readonly connectMs: number
  /** From the request's start, or its last byte sent, to the answer's head. */
  readonly headMs: number
  /** Between two reads of the answer's body. */
  readonly bodyIdleMs: number
  /** A kept-alive connection without a request is closed after this. */
  readonly keepAliveMs: number
  readonly connections: number
  /** Requests that may wait for a connection; one more is answered 503. */
  readonly maxWaiting: number
  readonly maxHeadBytes: number
  /** Speaks HTTP/2 where an https origin offers it. Default false. */
  readonly http2?: boolean
  readonly tls?: OriginTlsSettings | undefined
  readonly clock?: Clock
  /** Where bytes that wait for their readers stand. */
  readonly ledger?: Ledger
}

/** An origin and how to let it go. */
export interface Origin extends OriginPort {
  /** Requests being sent or answered, and waiting for a connection. */
  readonly active: number
  /** Lets what runs end, takes nothing new. */
  retire(): Promise<void>
  /** Breaks off what still runs and closes every connection. */
  close(): Promise<void>
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** See the module's header. @throws FC_TLS_FILE, FC_TLS_PEM */
export function createOrigin(options: OriginOptions): Origin {
  return new PooledOrigin(options)
}

class PooledOrigin implements Origin {
  readonly #pool: Pool
  /** Undefined where HTTP/1.1 alone is spoken. */
  readonly #http2: Http2Origin | undefined
  readonly #tls: OriginTls
  readonly #prefix: string
  /** The name in TLS; undici takes the Host field for it otherwise. */
  readonly #server: { readonly servername: string }
  readonly #settings: ExchangeSettings
  readonly #maxActive: number
  readonly #options: OriginOptions
  readonly #url: URL
  #active = 0
  /** The origin has said 100 Continue unasked: undici cannot speak with it. */
  #plain = false
  #resetting = false

  constructor(options: OriginOptions) {
    const url = new URL(options.url)
    this.#options = options
    this.#url = url
    this.#prefix = pathPrefix(url)
    this.#tls = readOriginTls(options.tls, url)
    this.#server = { servername: this.#tls.servername === '' ? url.hostname : this.#tls.servername }
    this.#maxActive = options.connections + options.maxWaiting
    const { clock = systemClock(), connectMs, headMs, bodyIdleMs } = options
    this.#settings = {
      clock,
      connectMs,
      headMs,
      bodyIdleMs,
      stallMs: Math.max(bodyIdleMs, 60_000),
      ledger: options.ledger,
      isResetting: () => this.#resetting,
    }
    this.#pool = new Pool(url.origin, {
      connections: options.connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: bodyIdleMs,
      keepAliveTimeout: options.keepAliveMs,
      keepAliveMaxTimeout: options.keepAliveMs,
      maxHeaderSize: options.maxHeadBytes,
      connect: watchedConnector({ connectMs, tls: this.#tls }, (resetting) => (this.#resetting = resetting)),
    })
    const { keepAliveMs, connections, maxHeadBytes } = options
    const secured = options.http2 === true && url.protocol === 'https:'
    this.#http2 = secured
      ? new Http2Origin({ url, tls: this.#tls, connectMs, keepAliveMs, connections, maxHeadBytes, clock })
      : undefined
  }

  get active(): number {
    return this.#active
  }

  async send(head: RequestHead, body: BodySource | undefined, options: SendOptions): Promise<OriginAnswer> {
    const repeatable = body === undefined && SAFE.has(head.method)
    try {
      return await this.#once(head, body, options)
    } catch (error) {
      if (!repeatable || !(error instanceof Repeatable) || options.signal.aborted) throw unwrap(error)
    }
    return this.#once(head, body, options).catch((error: unknown) => {
      throw unwrap(error)
    })
  }

  retire(): Promise<void> {
    this.#http2?.retire()
    return this.#pool.close()
  }

  close(): Promise<void> {
    this.#http2?.destroy()
    return this.#pool.destroy(new ForecacheError('FC_ORIGIN_REFUSED', { reason: 'the gateway is closing' }))
  }

  #once(head: RequestHead, body: BodySource | undefined, options: SendOptions): Promise<OriginAnswer> {
    if (options.signal.aborted) return Promise.reject(options.signal.reason as Error)
    if (this.#active >= this.#maxActive) {
      return Promise.reject(new ForecacheError('FC_ORIGIN_BUSY', { max: this.#maxActive }))
    }
    this.#active += 1
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(this.#settings, options, {
        answered: resolve,
        failed: (error, stale) => {
          const unasked = isUnaskedContinue(error.cause)
          if (unasked) this.#plain = true
          reject(stale || unasked ? new Repeatable(error) : error)
        },
        closed: () => {
          this.#active -= 1
          metered?.cancel()
        },
      })
      const metered =
        body === undefined
          ? undefined
          : meterBody(body, (whom) => {
              if (whom === 'client') exchange.awaitClient()
              else exchange.awaitOrigin()
            })
      const trailed = trailedBody(body)
      const dispatch = (): void => {
        if (this.#plain || trailed !== undefined) this.#dispatchPlain(head, metered, { exchange, trailed })
        else this.#dispatch(head, metered, exchange)
      }
      if (this.#http2 === undefined) return dispatch()
      const trailers = trailed && (() => trailed.trailers())
      const request = { head, path: this.#prefix + head.target, body: metered, trailers, bodyIdleMs: this.#options.bodyIdleMs }
      this.#http2.dispatch({ request, exchange, fallBack: dispatch })
    })
  }

  #dispatch(head: RequestHead, body: BodySource | undefined, exchange: Exchange): void {
    const path = this.#prefix + head.target
    const request = { method: head.method, path, headers: requestFields(head, body !== undefined) }
    this.#pool.dispatch(
      { ...request, body: (body ?? null) as Dispatcher.DispatchOptions['body'] & null, ...this.#server },
      exchange,
    )
  }

  #dispatchPlain(head: RequestHead, body: BodySource | undefined, sending: PlainSending): void {
    const { exchange, trailed } = sending
    const hopFields = body !== undefined && !head.fields.has('content-length') ? ['transfer-encoding', 'chunked'] : []
    if (trailed !== undefined) hopFields.push('trailer', trailed.announced)
    const { connectMs, bodyIdleMs, maxHeadBytes } = this.#options
    const request = { url: this.#url, head, hasBody: body !== undefined, hopFields, body, trailers: () => trailed?.trailers() }
    sendPlain({ ...request, tls: this.#tls, connectMs, bodyIdleMs, maxHeadBytes }, exchange)
  }
}

/** What a sending by `node:http` needs beside the request. */
interface PlainSending {
  readonly exchange: Exchange
  readonly trailed: TrailedBody | undefined
}

/** A failure that may be tried once more; never leaves this module. */
class Repeatable extends Error {
  constructor(cause: Error) {
    super('stale', { cause })
  }
}

function unwrap(error: unknown): Error {
  if (error instanceof Repeatable) return error.cause as Error
  return originError(error, 'unsent', { connectMs: 0, bodyIdleMs: 0 })
}
