/**
 * One message that the full stack reads out of a lane's connection: where it ends, as far as that can be told.
 *
 * Floor 5, room server. Its end is known when its head is complete and frames it beyond doubt; until then, and where it
 * never is, every byte belongs to it.
 */
import { headEnd, messageLength } from './lane-scan.ts'

const NOTHING = Buffer.alloc(0)

/** See the module's header. */
export class AsideMessage {
  readonly #maxHeadBytes: number
  /** Bytes seen while its head is not complete. */
  #seen: Buffer = NOTHING
  /** Bytes of it that are still to come; undefined while unknown, Infinity where it has no end. */
  #left: number | undefined
  #taken = 0

  constructor(maxHeadBytes: number) {
    this.#maxHeadBytes = maxHeadBytes
  }

  /** Its bytes have no end that could be told. */
  get isEndless(): boolean {
    return this.#left === Infinity
  }

  /** All of it has been taken. */
  get isWhole(): boolean {
    return this.#left === 0
  }

  /** All that comes is its from now on: the lane does not open again. */
  keep(): void {
    this.#close(Infinity)
  }

  /** Looks at bytes before they are taken. */
  look(bytes: Buffer): void {
    if (this.#left !== undefined) return
    const from = Math.max(0, this.#seen.length - 3)
    const seen = this.#seen.length === 0 ? bytes : Buffer.concat([this.#seen, bytes])
    const end = headEnd(seen, from)
    if (end < 0) {
      this.#seen = seen
      if (seen.length > this.#maxHeadBytes) this.#close(Infinity)
      return
    }
    const length = messageLength(seen.subarray(0, end))
    this.#close(length === undefined ? Infinity : length - this.#taken)
  }

  /** How many of `count` bytes, the next ones, belong to it; they are taken. */
  take(count: number): number {
    if (this.#left === undefined) {
      this.#taken += count
      return count
    }
    const mine = Math.min(count, this.#left)
    this.#left -= mine
    return mine
  }

  #close(left: number): void {
    this.#left = left
    this.#seen = NOTHING
  }
}
