/**
 * The horizon of one member: how much of the log it has applied, and up to when it has proven that there was no more.
 *
 * Floor 2, room tier. A state machine without I/O and without a clock of its own. What it is told may come late, twice, and
 * in another order than it was said, over two connections: records count only where they follow without a gap, and a proof
 * counts from the moment at which it was asked for, once everything it spoke of is applied. A blocking read that comes back
 * with nothing proves nothing here: it would wait for ever at a log that was emptied under it.
 */
import type { Position } from '../model/entry.ts'

/** What the carrier of the log says of it. */
export interface LogPlace {
  /** Random name of the log; another one after every loss. */
  readonly generation: string
  /** What stands at or below it is not to be had any more. */
  readonly floor: Position
  /** Its end. */
  readonly last: Position
}

/** The moment at which a proof was asked for. */
export interface Asked {
  readonly at: number
  readonly position: Position
  readonly generation: string
}

/**
 * What a proof says: everything is applied; records are missing that can be had; records are missing for good (trimmed,
 * taken back by a failover, of another log); or nothing, because it was asked for before this member began anew.
 */
export type Judged = 'current' | 'behind' | 'lost' | 'moot'

/** What a record is: the next one, one that is known already, one after a gap, one of another log. */
export type Following = 'next' | 'known' | 'gap' | 'other'

/** Of one stretch in which silence is trusted there are four, and some that were asked out of turn. */
const MAX_AWAITED = 32

/** A proof that holds once this member has come so far. */
interface Awaited {
  readonly last: Position
  readonly at: number
}

/** See the module's header. */
export class Horizon {
  readonly #blindAfterMs: number
  #generation = ''
  #position: Position = 0
  #provenAt = Number.NEGATIVE_INFINITY
  /** In the order asked. A later one does not take an earlier one's place: where the log grows as it is followed, none would ever hold. */
  #awaited: Awaited[] = []

  constructor(blindAfterMs: number) {
    this.#blindAfterMs = blindAfterMs
  }

  get generation(): string {
    return this.#generation
  }

  /** Last place applied, everything before it too. */
  get position(): Position {
    return this.#position
  }

  /** Silence may be trusted until then. */
  get provenUntil(): number {
    return this.#provenAt + this.#blindAfterMs
  }

  /** To be taken before the question is sent. */
  ask(now: number): Asked {
    return { at: now, position: this.#position, generation: this.#generation }
  }

  /** Weighs the answer to a question asked at `asked`. */
  judge(place: LogPlace, asked: Asked): Judged {
    if (asked.generation !== this.#generation) return 'moot'
    if (place.generation !== this.#generation || place.last < asked.position || place.floor > this.#position) return 'lost'
    this.#await({ last: place.last, at: asked.at })
    this.#weigh()
    return place.last <= this.#position ? 'current' : 'behind'
  }

  /** Whether a record is the next to be applied; call `advance` after it was. */
  follow(sequence: Position, generation: string): Following {
    if (generation !== this.#generation) return 'other'
    if (sequence <= this.#position) return 'known'
    return sequence === this.#position + 1 ? 'next' : 'gap'
  }

  /** The next record is applied. */
  advance(): void {
    this.#position += 1
    this.#weigh()
  }

  /** Begins anew at a place of a log; nothing is proven of it. */
  restart(generation: string, position: Position): void {
    this.#generation = generation
    this.#position = position
    this.#provenAt = Number.NEGATIVE_INFINITY
    this.#awaited = []
  }

  #await(proof: Awaited): void {
    if (this.#awaited.some(({ last, at }) => at >= proof.at && last <= proof.last)) return
    // What was asked too long ago proves nothing any more, nor more than this one what was asked before it and speaks of more.
    const left = this.#awaited.filter(({ last, at }) => {
      return at + this.#blindAfterMs > proof.at && !(at <= proof.at && last >= proof.last)
    })
    if (left.length < MAX_AWAITED) left.push(proof)
    this.#awaited = left.sort((a, b) => a.at - b.at)
  }

  #weigh(): void {
    let held = 0
    for (const { last, at } of this.#awaited) {
      if (last > this.#position) break
      this.#provenAt = Math.max(this.#provenAt, at)
      held += 1
    }
    if (held > 0) this.#awaited.splice(0, held)
  }
}
