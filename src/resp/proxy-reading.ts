/**
 * One reading on its way that may be kept: the request, the reply as it comes, and what coherence says of it.
 *
 * Floor 4, room resp. Holds the reply's pieces until the key's remaining life is known, which usually stands in the same
 * chunk; never more than `maxBytes`.
 */
import type { Fill } from './coherence-fill.ts'
import type { Filling } from './reply-cache.ts'

/** What a reading is opened with. */
export interface ReadingStart {
  readonly fill: Fill
  /** The request's bytes: what the reply is kept under. Nobody else writes to them. */
  readonly request: Buffer
  readonly partition: number
  readonly maxBytes: number
}

/** See the module's header. */
export class Reading implements Filling {
  readonly fill: Fill
  readonly request: Buffer
  readonly partition: number
  readonly #maxBytes: number
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(start: ReadingStart) {
    this.fill = start.fill
    this.request = start.request
    this.partition = start.partition
    this.#maxBytes = start.maxBytes
  }

  /** A piece of the reply; the bytes are not written to any more. */
  take(bytes: Buffer, start: number, end: number): void {
    if (this.fill.isVoid) return
    this.#bytes += end - start
    if (this.#bytes > this.#maxBytes) {
      this.#pieces = []
      this.fill.void()
      return
    }
    this.#pieces.push(bytes.subarray(start, end))
  }

  /** The reply, now that it is whole; undefined where it was too large. */
  whole(): Buffer | undefined {
    if (this.fill.isVoid) return undefined
    const pieces = this.#pieces
    this.#pieces = []
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
  }
}
