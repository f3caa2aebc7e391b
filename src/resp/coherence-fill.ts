/**
 * One reading under way that may be kept: the token taken when it was sent, and what decides how long it holds.
 *
 * Floor 4, room resp. The door opens it with `Coherence.begin` before it writes the command, writes one PTTL per key right behind the
 * command, and hands in the replies as they come (`Coherence.read` first), in the very callback of the parser: no promise lies between a reply and
 * the store (measured: half of all fills stale for ever otherwise).
 */
import { emptyItems, isEmptyReply } from './coherence-empty.ts'

/** PTTL of a key that does not exist, and of one that does not expire. */
const ABSENT = -2
const LASTING = -1

/** What a fill is opened with. */
export interface FillStart {
  readonly hashes: readonly number[] | Int32Array
  readonly token: number
  readonly epoch: number
  readonly order: number
  readonly sentAtMs: number
  readonly maxAgeMs: number
  readonly isClustered: boolean
}

/** See the module's header. */
export class Fill {
  /** Hashes of its keys. */
  readonly hashes: readonly number[] | Int32Array
  /** Changes up to this sequence were before it. */
  readonly token: number
  /** Which run of numbers the token is of. */
  readonly epoch: number
  /** Its place in the order in which readers learn. */
  readonly order: number
  readonly sentAtMs: number
  /** Number of the fence behind which everything that was changed before it is known here; 0: its reply is not there. */
  fence = 0
  /** `clock.now()` up to which what is read may be served. */
  deadlineMs: number
  readonly #isClustered: boolean
  #timesLeft: number
  #isVoid = false
  /** What was read found nothing: as a whole, or key by key. */
  #empty: boolean | readonly boolean[] = false

  constructor(start: FillStart) {
    this.hashes = start.hashes
    this.token = start.token
    this.epoch = start.epoch
    this.order = start.order
    this.sentAtMs = start.sentAtMs
    this.deadlineMs = start.sentAtMs + start.maxAgeMs
    this.#isClustered = start.isClustered
    this.#timesLeft = start.hashes.length
  }

  /** The reply as it stood on the wire, whole. An error voids the fill. */
  reply(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start] === ERROR || bytes[start] === BLOB_ERROR || bytes[start] === ATTRIBUTE) this.#isVoid = true
    else if (this.hashes.length === 1) this.#empty = isEmptyReply(bytes, start, end)
    else this.#empty = emptyItems(bytes, start, end)
  }

  /** As `reply`, where the door has the reply as a value. @param empty whether it found nothing; of several keys, each */
  replied(empty: boolean | readonly boolean[]): void {
    this.#empty = empty
  }

  /** The reply to one PTTL; NaN for anything but a number. */
  time(pttlMs: number): void {
    const index = this.hashes.length - this.#timesLeft
    this.#timesLeft -= 1
    if (pttlMs >= 0) this.deadlineMs = Math.min(this.deadlineMs, this.sentAtMs + pttlMs)
    else if (pttlMs === ABSENT) {
      // A slot that moves takes with it nobody's knowledge that a key was absent: no push ever comes.
      if (this.#isClustered || !this.#wasEmpty(index)) this.#isVoid = true
    } else if (pttlMs !== LASTING) this.#isVoid = true
  }

  /** Nothing comes of it: too large, the connection is gone, or refused. */
  void(): void {
    this.#isVoid = true
  }

  get isVoid(): boolean {
    return this.#isVoid
  }

  /** Whether all replies have come. */
  get isWhole(): boolean {
    return this.#timesLeft <= 0
  }

  #wasEmpty(index: number): boolean {
    return typeof this.#empty === 'boolean' ? this.#empty : this.#empty[index] === true
  }
}

const ERROR = 0x2d
const BLOB_ERROR = 0x21
const ATTRIBUTE = 0x7c
