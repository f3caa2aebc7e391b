/**
 * Arrival statistics of an entry, in two words of its row: when it was read last, how often in this period, the smoothed
 * gap between reads, and whether it was read at all in the two periods before.
 *
 * Floor 1, room shelf. Time is counted in ticks of 4 ms, and reads within one tick count once: a key read more often than
 * that is hot by any measure, and its hits then cost one comparison and no write. No allocation.
 */
import { ARRIVALS, FLAGS, HISTORY_MASK, HISTORY_SHIFT, LAST_READ } from './row.ts'

/** A tick is `1 << READ_TICK_SHIFT` ms. */
export const READ_TICK_SHIFT = 2

const READS_MASK = 0xff
const GAP_SHIFT = 8
const MAX_GAP = 0xffffff

/** How a key has been read: what refreshing ahead goes by. */
export interface Arrivals {
  /** Reads since the entry was stored or refreshed, within 4 ms counted once; 255 means at least as many. */
  readonly reads: number
  /** Smoothed gap between reads in ms, a multiple of 4, at most about 18 h; 0 before the first read. */
  readonly gapMs: number
  /** Whether it was read in each of the two periods before, the latest first. */
  readonly before: readonly [boolean, boolean]
}

/** And how long ago. */
export interface RecentArrivals extends Arrivals {
  /** Since the last read, or since the entry was first stored; ms. */
  readonly sinceReadMs: number
}

/** Counts a read at `tick` into the row that starts at `at`; call it when LAST_READ differs from `tick`. */
export function noteRead(words: Int32Array, at: number, tick: number): void {
  const arrivals = words[at | ARRIVALS] as number
  const gap = Math.min((tick - (words[at | LAST_READ] as number)) >>> 0, MAX_GAP)
  const smoothed = arrivals >>> GAP_SHIFT
  const next = smoothed === 0 ? gap : smoothed + ((gap - smoothed) >> 2)
  const reads = arrivals & READS_MASK
  words[at | LAST_READ] = tick
  words[at | ARRIVALS] = (next << GAP_SHIFT) | (reads === READS_MASK ? reads : reads + 1)
}

/** Closes the period of the row that starts at `at`: its reads become history. */
export function closePeriod(words: Int32Array, at: number): void {
  const flags = words[at | FLAGS] as number
  const arrivals = words[at | ARRIVALS] as number
  const read = (arrivals & READS_MASK) > 0 ? 1 << HISTORY_SHIFT : 0
  words[at | FLAGS] = (flags & ~HISTORY_MASK) | (((flags & HISTORY_MASK) << 1) & HISTORY_MASK) | read
  words[at | ARRIVALS] = arrivals & ~READS_MASK
}

export function arrivalsAt(words: Int32Array, at: number): Arrivals {
  const arrivals = words[at | ARRIVALS] as number
  const history = ((words[at | FLAGS] as number) & HISTORY_MASK) >>> HISTORY_SHIFT
  const gapMs = (arrivals >>> GAP_SHIFT) << READ_TICK_SHIFT
  return { reads: arrivals & READS_MASK, gapMs, before: [(history & 1) === 1, (history & 2) === 2] }
}
