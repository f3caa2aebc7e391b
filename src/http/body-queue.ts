/**
 * A body on its way from a handler that writes to a reader that pulls, with back-pressure both ways.
 *
 * Floor 4, room http. Holds about `HIGH_WATER_BYTES` before it tells the writer to wait. A reader that goes away frees
 * the writer: what it still writes is dropped. Chunks are copied, since writers may use their buffers again.
 */
import type { BodySource } from '../model/exchange.ts'

/** Bytes held before `push` says to wait. */
export const HIGH_WATER_BYTES = 65_536

interface Held {
  readonly bytes: Uint8Array
  readonly taken: (() => void) | undefined
}

/** See the module's header. */
export class BodyQueue {
  readonly #held: Held[] = []
  #bytes = 0
  #full = false
  #ended = false
  #left = false
  #touched = false
  #error: unknown
  #wake: (() => void) | undefined
  readonly #onDrain: () => void
  readonly #onLeave: () => void

  /**
   * @param onDrain the writer, told once to wait, may go on
   * @param onLeave the reader has gone before the end
   */
  constructor(onDrain: () => void, onLeave: () => void = () => {}) {
    this.#onDrain = onDrain
    this.#onLeave = onLeave
  }

  /** Whether the reader has gone before the end. */
  get left(): boolean {
    return this.#left
  }

  /** Whether `end` or `fail` was called. */
  get closed(): boolean {
    return this.#ended || this.#error !== undefined
  }

  /** Whether the reader has taken anything. */
  get touched(): boolean {
    return this.#touched
  }

  /** Whether the writer was told to wait. */
  get full(): boolean {
    return this.#full
  }

  /** @param taken called when the chunk was read or dropped. @returns false: wait for `onDrain` */
  push(chunk: Uint8Array, taken?: () => void): boolean {
    if (this.#left || this.closed || chunk.byteLength === 0) {
      if (taken !== undefined) queueMicrotask(taken)
      return true
    }
    this.#held.push({ bytes: Uint8Array.from(chunk), taken })
    this.#bytes += chunk.byteLength
    this.#full ||= this.#bytes >= HIGH_WATER_BYTES
    this.#awake()
    return !this.#full
  }

  /** The body is complete. */
  end(): void {
    this.#ended = true
    this.#awake()
  }

  /** The body breaks off; its reader gets `error` behind what was written. No effect after `end`. */
  fail(error: unknown): void {
    if (this.closed) return
    this.#error = error ?? new Error('broken')
    this.#awake()
  }

  /** The reader's side; one reader. */
  get source(): BodySource {
    return { [Symbol.asyncIterator]: () => ({ next: () => this.#next(), return: () => this.#leave() }) }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const first = this.#held.shift()
      if (first !== undefined) {
        this.#touched = true
        this.#bytes -= first.bytes.byteLength
        first.taken?.()
        if (this.#full && this.#bytes === 0) this.#drain()
        return { value: first.bytes, done: false }
      }
      if (this.#error !== undefined) throw this.#error
      if (this.#ended || this.#left) return { value: undefined, done: true }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #leave(): Promise<IteratorResult<Uint8Array>> {
    this.#left = true
    for (const { taken } of this.#held.splice(0)) taken?.()
    this.#bytes = 0
    if (this.#full) this.#drain()
    this.#awake()
    if (!this.closed) queueMicrotask(this.#onLeave)
    return Promise.resolve({ value: undefined, done: true })
  }

  #drain(): void {
    this.#full = false
    queueMicrotask(this.#onDrain)
  }

  #awake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
