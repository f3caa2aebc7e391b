/**
 * How often what a route loads is read before its window ends, and whether the route is worth a place.
 *
 * Floor 3, room flow. Counted over spans that last as long as the windows and hold enough loads; the first one is left out,
 * for then everything is new. A route that is out is judged by the keys that go on trying, and comes back by them.
 */
import type { ChangeBook } from './change-book.ts'

/** Counts since the start, only ever growing. */
export interface ReuseCounts {
  /** Answers from memory, and callers who shared a load. */
  readonly answers: number
  /** Loads that were stored. */
  readonly fills: number
}

/** What is wrong with a route. */
export type Flaw = 'never-reused' | 'changes-every-time'

const MIN_FILLS = 32
const MAX_SPAN_MS = 3_600_000
/** Reads of what was loaded once, under which it is no use; where it is out, it comes back at twice that. */
const MIN_REUSE = 0.05
/** One answer more is counted than there were, for as long as there is so little to go by. */
const CAUTION = 3
/** Share of refreshes that bring something else: from so many on it is every time, under so many no longer. */
const EVERY_TIME = 0.95
const NO_LONGER = 0.9
/** Where something changes every time it is still worth a place while it is read meanwhile. */
const READ_MEANWHILE = 1
const BACK = 1.5
/** A lower bound of a share that holds in 95 of 100 cases (E. B. Wilson, 1927). */
const Z2 = 1.645 ** 2

/** See the module's header. */
export class ReuseBook {
  #begun: (ReuseCounts & { readonly atMs: number }) | undefined
  #isCold = true
  #answers = 0
  #fills = 0
  #flaw: Flaw | undefined

  /** Answers for each load; undefined: not known yet. */
  get reuse(): number | undefined {
    return this.#fills === 0 ? undefined : this.#answers / this.#fills
  }

  /** What is wrong with it, of late. */
  get flaw(): Flaw | undefined {
    return this.#flaw
  }

  /** @param counts asked for only at the end of a span @param windowMs for which its answers stand */
  look(now: number, windowMs: number, counts: () => ReuseCounts): void {
    if (this.#begun === undefined) this.#begun = { ...counts(), atMs: now }
    if (now - this.#begun.atMs < Math.min(windowMs, MAX_SPAN_MS)) return
    const at = counts()
    const fills = at.fills - this.#begun.fills
    if (fills < MIN_FILLS) return
    const answers = at.answers - this.#begun.answers
    this.#begun = { ...at, atMs: now }
    if (this.#isCold) {
      this.#isCold = false
      return
    }
    this.#answers = this.#answers / 2 + answers
    this.#fills = this.#fills / 2 + fills
  }

  /** Judges anew. @returns whether that changed anything */
  judge(changes: ChangeBook): boolean {
    const before = this.#flaw
    this.#flaw = this.#isUnused() ? 'never-reused' : this.#changesAlways(changes) ? 'changes-every-time' : undefined
    return this.#flaw !== before
  }

  #isUnused(): boolean {
    if (this.#fills === 0) return false
    const bound = this.#flaw === 'never-reused' ? MIN_REUSE * 2 : MIN_REUSE
    return (this.#answers + CAUTION) / this.#fills < bound
  }

  #changesAlways({ seen, changed }: ChangeBook): boolean {
    const isKnown = this.#flaw === 'changes-every-time'
    const share = seen === 0 ? 0 : changed / seen
    if (share < (isKnown ? NO_LONGER : EVERY_TIME) || (!isKnown && lowerBound(share, seen) < NO_LONGER)) return false
    return this.reuse !== undefined && this.reuse < (isKnown ? BACK : READ_MEANWHILE)
  }
}

function lowerBound(share: number, seen: number): number {
  const spread = Math.sqrt((share * (1 - share)) / seen + Z2 / (4 * seen * seen)) * Math.sqrt(Z2)
  return (share + Z2 / (2 * seen) - spread) / (1 + Z2 / seen)
}
