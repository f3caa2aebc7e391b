/**
 * A body on its way in, read by any number of clients from its first byte while it is collected for the store.
 *
 * Floor 4, room http. Up to `maxBytes` the origin is read as fast as it gives, whatever the readers do: a slow client
 * never holds a fill. Beyond that nothing is stored any more; the rest streams through with back-pressure, at most
 * `maxBytes` (64 KiB where all bodies under way together hold too much) ahead of the slowest reader, and a reader that holds others up for `laggardMs` is cut off.
 */
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource } from '../model/exchange.ts'
import type { Holding } from './visit.ts'

/** Limits of one filling. */
export interface FillingLimits {
  /** Bytes that are collected. */
  readonly maxBytes: number
  /** Content-Length as received; a body of another length is broken. */
  readonly expected: number | undefined
  readonly laggardMs: number
  readonly clock: Clock
  /** Go on to the end, for the store, when every reader has gone. */
  readonly finish: boolean
  /** Counts what this filling holds among all that are under way. */
  readonly holding: Holding
}

/** As far ahead is the origin read where bodies under way hold too much. */
const TIGHT_AHEAD_BYTES = 64 * 1024

type State = 'collecting' | 'through' | 'whole' | 'broken'

interface Reader {
  at: number
  wake: (() => void) | undefined
  cut: boolean
}

/** See the module's header. */
export class Filling {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #limits: FillingLimits
  readonly #readers = new Set<Reader>()
  #chunks: Uint8Array[] = []
  /** Chunks let go of; readers count from the first. */
  #gone = 0
  #bytes = 0
  #held = 0
  /** Of it: announced and not yet here. */
  #reserved: number
  #state: State = 'collecting'
  #error: unknown
  #room: (() => void) | undefined
  /** The whole body, or undefined when it broke, was cancelled or was larger than is stored. Never rejects. */
  readonly done: Promise<Uint8Array | undefined>
  /**
   * Whether all of it is collected: false as soon as it is too large or broken. Whoever wants the whole before he reads
   * waits for this: `done` may never come while he holds the rest up. Never rejects.
   */
  readonly collected: Promise<boolean>
  #tellCollected!: (collected: boolean) => void

  constructor(body: BodySource, limits: FillingLimits) {
    this.#source = body[Symbol.asyncIterator]()
    this.#limits = limits
    this.#reserved = Math.min(limits.expected ?? 0, limits.maxBytes)
    this.#hold(this.#reserved)
    this.collected = new Promise((resolve) => {
      this.#tellCollected = resolve
    })
    this.done = this.#pump()
  }

  /** Whether a reader that comes now still gets everything. */
  get joinable(): boolean {
    return this.#state === 'collecting' || this.#state === 'whole'
  }

  /** Whether the body broke off or was given up. */
  get broken(): boolean {
    return this.#state === 'broken'
  }

  /** Whether more came than is stored. */
  get tooLarge(): boolean {
    return this.#bytes > this.#limits.maxBytes
  }

  /** Attaches a reader; it counts from now on, read or not, until it is read to its end or `return()` is called. */
  read(): BodySource {
    const reader: Reader = { at: 0, wake: undefined, cut: false }
    this.#readers.add(reader)
    const iterator: AsyncIterator<Uint8Array> = {
      next: () => this.#next(reader),
      return: () => {
        this.#leave(reader)
        return Promise.resolve({ value: undefined, done: true })
      },
    }
    return { [Symbol.asyncIterator]: () => iterator }
  }

  /** Gives the source up; what readers have not got yet breaks off. */
  cancel(reason: unknown): void {
    if (this.#state === 'whole' || this.#state === 'broken') return
    this.#end('broken', reason)
    void this.#source.return?.().catch(() => {})
  }

  async #pump(): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        const step = await this.#source.next()
        if (this.#state === 'broken') return undefined
        if (step.done === true) break
        this.#take(step.value)
        if (this.#state === 'through') await this.#makeRoom()
      }
    } catch (error) {
      this.#end('broken', error)
      return undefined
    }
    const { expected } = this.#limits
    if (expected !== undefined && expected !== this.#bytes) {
      this.#end('broken', new ForecacheError('FC_ORIGIN_BROKEN', { reason: `${this.#bytes} of ${expected} bytes came` }))
      return undefined
    }
    const stored = this.#state === 'collecting'
    const whole = stored ? join(this.#chunks, this.#bytes) : undefined
    this.#end('whole', undefined)
    return whole
  }

  #take(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
    const announced = Math.min(this.#reserved, chunk.byteLength)
    this.#reserved -= announced
    this.#hold(chunk.byteLength - announced)
    if (this.#state === 'collecting' && this.#isTooMuch()) {
      this.#state = 'through'
      this.#hold(-this.#reserved)
      this.#reserved = 0
      this.#tellCollected(false)
    }
    this.#wakeAll()
  }

  /** Too large to be stored, or all bodies under way together hold too much. */
  #isTooMuch(): boolean {
    const { maxBytes, holding } = this.#limits
    if (this.#bytes > maxBytes) return true
    if (this.#limits.expected !== undefined || holding.bytes <= holding.maxBytes) return false // what is announced was reserved
    holding.refuse()
    return true
  }

  /** Bytes that the origin may be ahead of the slowest reader. */
  #ahead(): number {
    const { maxBytes, holding } = this.#limits
    return holding.bytes <= holding.maxBytes ? maxBytes : Math.min(maxBytes, TIGHT_AHEAD_BYTES)
  }

  /** Waits until the slowest reader is near enough; without readers there is nobody to go on for. */
  async #makeRoom(): Promise<void> {
    for (;;) {
      if (this.#readers.size === 0) {
        this.cancel(new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'no longer wanted' }))
        return
      }
      this.#letGo()
      if (this.#held <= this.#ahead() || this.#state !== 'through') return
      const timer = this.#limits.clock.after(this.#limits.laggardMs, () => this.#cutLaggards())
      await new Promise<void>((resolve) => {
        this.#room = resolve
      })
      timer.cancel()
    }
  }

  /** Drops chunks that every reader has had. */
  #letGo(): void {
    let slowest = Infinity
    for (const reader of this.#readers) slowest = Math.min(slowest, reader.at)
    while (this.#chunks.length > 0 && this.#gone < slowest) {
      this.#hold(-(this.#chunks.shift() as Uint8Array).byteLength)
      this.#gone += 1
    }
  }

  /** Only where somebody else is held up: a single slow reader is its own listener's business. */
  #cutLaggards(): void {
    const end = this.#gone + this.#chunks.length
    const slow = [...this.#readers].filter((reader) => reader.at === this.#gone)
    if (slow.length < this.#readers.size && [...this.#readers].some((reader) => reader.at === end)) {
      for (const reader of slow) {
        reader.cut = true
        this.#readers.delete(reader)
        reader.wake?.()
      }
    }
    this.#room?.()
  }

  async #next(reader: Reader): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      if (reader.cut) throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'this reader held up the others' })
      const chunk = this.#chunks[reader.at - this.#gone]
      if (chunk !== undefined && this.#readers.has(reader)) {
        reader.at += 1
        if (this.#state === 'through') this.#room?.()
        return { value: chunk, done: false }
      }
      if (!this.#readers.has(reader)) return { value: undefined, done: true }
      if (this.#state === 'broken') {
        this.#leave(reader)
        throw this.#error
      }
      if (this.#state === 'whole') {
        this.#leave(reader)
        return { value: undefined, done: true }
      }
      await new Promise<void>((resolve) => {
        reader.wake = resolve
      })
    }
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader)
    reader.wake?.()
    if (this.#readers.size > 0 || this.#state === 'whole' || this.#state === 'broken') {
      this.#room?.()
      return
    }
    if (this.#state === 'through' || !this.#limits.finish)
      this.cancel(new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'no longer wanted' }))
    this.#room?.()
  }

  #end(state: 'whole' | 'broken', error: unknown): void {
    if (this.#state === 'whole' || this.#state === 'broken') return
    this.#tellCollected(state === 'whole' && this.#state === 'collecting')
    this.#state = state
    this.#error = error
    this.#hold(-this.#held) // what readers have still to take goes with them
    this.#room?.()
    this.#wakeAll()
  }

  #hold(bytes: number): void {
    this.#held += bytes
    this.#limits.holding.hold(bytes)
  }

  #wakeAll(): void {
    for (const reader of this.#readers) {
      const { wake } = reader
      reader.wake = undefined
      wake?.()
    }
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}
