/**
 * The body of an origin's answer, as an async iterable with back-pressure.
 *
 * Floor 5, room server. At most `HIGH_WATER_BYTES` wait here (plus what one read of the socket brings); then the
 * connection is paused until the reader has caught up. A reader that stalls longer than `stallMs` loses the connection,
 * and `return()` cancels it at once, so a body nobody reads holds neither memory nor a connection.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'
import type { BodySource, WholeWish } from '../model/exchange.ts'

/** Bytes that may wait for the reader before the connection is paused. */
export const HIGH_WATER_BYTES = 128 * 1024

/** What the body may do to its connection. */
export interface BodyControl {
  pause(): void
  resume(): void
  /** Breaks the connection off. */
  abort(reason: Error): void
}

/** What a body may cost, and where that stands. */
export interface BodyLimits {
  /** A reader that takes nothing for so long loses the connection, ms. */
  readonly stallMs: number
  readonly ledger?: Ledger | undefined
}

/** See the module's header. */
export class OriginBody implements BodySource {
  readonly #control: BodyControl
  readonly #clock: Clock
  readonly #stallMs: number
  readonly #ledger: Ledger | undefined
  #chunks: Uint8Array[] = []
  #bytes = 0
  #paused = false
  #charged = 0
  #ended = false
  #begun = false
  #failure: Error | undefined
  #stall: Timer | undefined
  #waiting: { resolve(next: IteratorResult<Uint8Array>): void; reject(error: Error): void } | undefined

  constructor(control: BodyControl, clock: Clock, { stallMs, ledger }: BodyLimits) {
    this.#control = control
    this.#clock = clock
    this.#stallMs = stallMs
    this.#ledger = ledger
  }

  push(chunk: Uint8Array): void {
    if (this.#ended) return
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting.resolve({ value: chunk, done: false })
      return
    }
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
    if (this.#bytes >= HIGH_WATER_BYTES && !this.#paused) this.#pause()
  }

  /** The body is complete. */
  end(): void {
    this.#ended = true
    this.#discharge()
    this.#settle()
  }

  /** The body broke off: what came before is still read, then the error is thrown. */
  fail(error: Error): void {
    if (this.#ended) return
    this.#failure = error
    this.end()
  }

  /** A copy of the whole body, where all of it is here already and nobody has begun to read; then it is read to its end. */
  whole({ expected, maxBytes }: WholeWish): Uint8Array | undefined {
    if (!this.#ended || this.#failure !== undefined || this.#begun) return undefined
    if (this.#bytes > maxBytes || (expected !== undefined && expected !== this.#bytes)) return undefined
    const whole = new Uint8Array(this.#bytes)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.byteLength
    }
    this.#chunks = []
    this.#bytes = 0
    return whole
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.#begun = true
    return { next: () => this.#next(), return: () => this.#cancel() }
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#bytes -= chunk.byteLength
      if (this.#paused && this.#bytes < HIGH_WATER_BYTES / 2) this.#resume()
      return Promise.resolve({ value: chunk, done: false })
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #cancel(): Promise<IteratorResult<Uint8Array>> {
    const open = !this.#ended
    this.#chunks = []
    this.#bytes = 0
    this.#failure = undefined
    this.end()
    if (open) this.#control.abort(new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'no longer wanted' }))
    return Promise.resolve({ value: undefined, done: true })
  }

  #settle(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    if (this.#failure === undefined) waiting.resolve({ value: undefined, done: true })
    else waiting.reject(this.#failure)
  }

  #pause(): void {
    this.#paused = true
    this.#charged = this.#bytes
    this.#ledger?.charge(ACCOUNT.streams, this.#charged)
    this.#control.pause()
    this.#stall = this.#clock.after(this.#stallMs, () => {
      const error = new ForecacheError('FC_ORIGIN_BROKEN', { reason: `its reader took nothing for ${this.#stallMs} ms` })
      this.fail(error)
      this.#control.abort(error)
    })
  }

  /** Only what waits on a paused connection stands in the ledger: its deadline takes it out again, whatever happens. */
  #discharge(): void {
    this.#stall?.cancel()
    this.#ledger?.release(ACCOUNT.streams, this.#charged)
    this.#charged = 0
  }

  #resume(): void {
    this.#paused = false
    this.#discharge()
    this.#control.resume()
  }
}
