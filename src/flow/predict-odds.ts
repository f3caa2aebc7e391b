/**
 * The odds that an entry is read within one more period, learned from what became of entries that were read alike.
 *
 * Floor 3, room flow. A table of counts by history (read in the two periods before), reads in this period, smoothed gap and
 * time since the last read, both against the period. A cell that has seen little leans on two coarser ones. Halved again and
 * again, so that what was learned long ago fades. 18 KiB, no allocation; learning and asking cost three places each.
 */
import type { Arrivals } from '../shelf/arrivals.ts'

/** How an entry was read, as a place in the table. */
export type Cell = number

/** Upper ends of the classes; above the last is one more. */
const READS: readonly number[] = [0, 1, 2, 4, 8, 16]
const GAPS: readonly number[] = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4]
const AGES: readonly number[] = [1 / 8, 1 / 4, 1 / 2, 3 / 4, 1, 2, 4]
const READ_CLASSES = READS.length + 1
/** One for entries read but once, whose gap is unknown. */
const GAP_CLASSES = GAPS.length + 2
const AGE_CLASSES = AGES.length + 1
const HISTORIES = 4

const CELLS = HISTORIES * READ_CLASSES * GAP_CLASSES * AGE_CLASSES
const COARSE = HISTORIES * READ_CLASSES * AGE_CLASSES
const PACES = READ_CLASSES * GAP_CLASSES
/** Where the coarser tables begin. */
const COARSE_AT = CELLS
const PACES_AT = CELLS + COARSE

/** Before anything was seen: 0.2. */
const FIRST_READ = 0.3
const FIRST_SEEN = 1.5
/** How much a cell leans on the coarse one, and that on the pace's, in outcomes. */
const LEAN = 5
const COARSE_LEAN = 3
const MAX_SEEN = 500

/** See the module's header. */
export class Odds {
  readonly #read = new Float32Array(PACES_AT + PACES).fill(FIRST_READ)
  readonly #seen = new Float32Array(PACES_AT + PACES).fill(FIRST_SEEN)

  /** Bytes it holds. */
  static readonly BYTES = (PACES_AT + PACES) * 8

  /**
   * @param sinceReadMs since the last read
   * @param periodMs how long an entry is fresh
   */
  cell({ reads, gapMs, before }: Arrivals, sinceReadMs: number, periodMs: number): Cell {
    const history = (before[0] ? 1 : 0) + (before[1] ? 2 : 0)
    const gap = gapMs === 0 ? 0 : 1 + classOf(GAPS, gapMs / periodMs)
    const age = classOf(AGES, sinceReadMs / periodMs)
    return ((history * READ_CLASSES + classOf(READS, reads)) * GAP_CLASSES + gap) * AGE_CLASSES + age
  }

  /** The chance, 0 to 1, that it is read within one more period. */
  chance(cell: Cell): number {
    const coarse = coarseOf(cell)
    const pace = paceOf(cell)
    const ofPace = this.#at(this.#read, pace) / this.#at(this.#seen, pace)
    const prior = (this.#at(this.#read, coarse) + ofPace * COARSE_LEAN) / (this.#at(this.#seen, coarse) + COARSE_LEAN)
    return (this.#at(this.#read, cell) + prior * LEAN) / (this.#at(this.#seen, cell) + LEAN)
  }

  /** What became of one. */
  learn(cell: Cell, wasRead: boolean): void {
    this.#count(cell, wasRead)
    this.#count(coarseOf(cell), wasRead)
    this.#count(paceOf(cell), wasRead)
  }

  #at(table: Float32Array, place: number): number {
    return table[place] as number
  }

  #count(place: number, wasRead: boolean): void {
    if (wasRead) this.#read[place] = this.#at(this.#read, place) + 1
    const seen = this.#at(this.#seen, place) + 1
    this.#seen[place] = seen
    if (seen <= MAX_SEEN) return
    this.#seen[place] = seen / 2
    this.#read[place] = this.#at(this.#read, place) / 2
  }
}

function classOf(ends: readonly number[], value: number): number {
  let at = 0
  while (at < ends.length && value > (ends[at] as number)) at += 1
  return at
}

/** Without the gap. */
function coarseOf(cell: Cell): number {
  const age = cell % AGE_CLASSES
  const historyAndReads = Math.floor(cell / (AGE_CLASSES * GAP_CLASSES))
  return COARSE_AT + historyAndReads * AGE_CLASSES + age
}

/** Reads and gap alone. */
function paceOf(cell: Cell): number {
  const rest = Math.floor(cell / AGE_CLASSES)
  const reads = Math.floor(rest / GAP_CLASSES) % READ_CLASSES
  return PACES_AT + reads * GAP_CLASSES + (rest % GAP_CLASSES)
}
