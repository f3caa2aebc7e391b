/**
 * Arrival statistics of an entry, in two words of its row: when it was read last, and the smoothed gap between reads.
 *
 * Floor 1, room shelf. One call per hit; no allocation.
 */
import { ARRIVALS, LAST_READ } from './table.ts'

const MAX_GAP_MS = 0xffffff

/**
 * Notes one read.
 *
 * @param at the row's first word
 * @param sinceStart coarse ms since the table's start, as int32
 */
export function noteRead(words: Int32Array, at: number, sinceStart: number): void {
  const gap = (sinceStart - (words[at + LAST_READ] as number)) | 0
  const arrivals = words[at + ARRIVALS] as number
  const smoothed = arrivals >>> 8
  const next = smoothed + ((Math.min(gap, MAX_GAP_MS) - smoothed) >> 2)
  const reads = arrivals & 0xff
  words[at + LAST_READ] = sinceStart
  words[at + ARRIVALS] = (next << 8) | (reads === 0xff ? reads : reads + 1)
}
