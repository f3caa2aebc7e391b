/**
 * The content of a client's request, pulled chunk by chunk, counted and under a deadline.
 *
 * Floor 5, room server. Nothing is read before it is asked for, so a slow origin slows the client down instead of
 * filling memory; `100 Continue` is sent with the first pull. `return()` answers at once, even while a chunk is awaited.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { trailerFields } from './trailer.ts'

/** What brings a content: a message of `node:http`, or a stream of HTTP/2 in its clothes. */
export interface ContentSource {
  /** Every byte, and the trailers, have come. */
  readonly complete: boolean
  readonly readableEnded: boolean
  /** Flat name, value list; complete once the content has ended. */
  readonly rawTrailers: readonly string[]
  read(): unknown
  on(event: 'error' | 'close' | 'end' | 'readable', listener: () => void): this
}

/** What a body may cost. */
export interface ClientBodyOptions {
  readonly maxBytes: number
  /** Between two chunks of the client, ms. */
  readonly idleMs: number
  readonly clock: Clock
  /** The Trailer field, where trailers can follow the content. */
  readonly trailer: string | undefined
  /** Called before the first chunk is awaited: sends 100 Continue where the client waits for it. */
  readonly onStart: () => void
}

/** See the module's header. */
export class ClientBody implements BodySource {
  readonly #request: ContentSource
  readonly #options: ClientBodyOptions
  #started = false
  #cancelled = false
  #bytes = 0
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(request: ContentSource, options: ClientBodyOptions) {
    this.#request = request
    this.#options = options
    const gone = (): void => {
      if (!request.complete) this.fail(new ForecacheError('FC_REQUEST_ABORTED'))
      else this.#wake?.()
    }
    request
      .on('error', gone)
      .on('close', gone)
      .on('end', () => this.#wake?.())
      .on('readable', () => this.#wake?.())
  }

  /** Names of the trailer fields that the client announced and that may be passed on; undefined when there are none. */
  get announced(): string | undefined {
    const given = this.#options.trailer
    if (given === undefined) return undefined
    const names = given
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '')
    const allowed = trailerFields(Fields.fromRaw(names.flatMap((name) => [name, ''])))
    return allowed?.names().join(', ')
  }

  /** Trailer fields that came behind the content; complete once it has ended. */
  trailers(): Fields | undefined {
    return trailerFields(Fields.fromRaw(this.#request.rawTrailers))
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next(), return: () => this.#cancel() }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#started) {
      this.#started = true
      this.#options.onStart()
    }
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#cancelled) return { value: undefined, done: true }
      const chunk = this.#request.read() as Buffer | null
      if (chunk !== null) return { value: this.#count(chunk), done: false }
      if (this.#request.readableEnded) return { value: undefined, done: true }
      await this.#readable()
    }
  }

  #count(chunk: Buffer): Buffer {
    this.#bytes += chunk.byteLength
    if (this.#bytes <= this.#options.maxBytes) return chunk
    this.#failure = new ForecacheError('FC_REQUEST_TOO_LARGE', { max: this.#options.maxBytes })
    throw this.#failure
  }

  #readable(): Promise<void> {
    const { clock, idleMs } = this.#options
    return new Promise((resolve) => {
      const timer: Timer = clock.after(idleMs, () => this.fail(new ForecacheError('FC_REQUEST_TIMEOUT', { ms: idleMs })))
      this.#wake = () => {
        this.#wake = undefined
        timer.cancel()
        resolve()
      }
    })
  }

  /** The rest will not come: what waits for it gets this error. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#wake?.()
  }

  #cancel(): Promise<IteratorResult<Uint8Array>> {
    this.#cancelled = true
    this.#wake?.()
    return Promise.resolve({ value: undefined, done: true })
  }
}
