/**
 * The row of an entry: eight Int32 words, 32 bytes, half a cache line; what a hit reads and writes lies together.
 *
 * Floor 1, room shelf. Words 0 and 1 are one Float64: the end of the fresh window, in ms of the tier's clock.
 */
import { unpackWindow } from './windows.ts'

/** A slot's first word is at `slot << ROW_SHIFT`. */
export const ROW_SHIFT = 3
/** A slot's Float64 is at `slot << TIME_SHIFT`. */
export const TIME_SHIFT = 2
/** Position of the log (low 32 bits) at which the entry was last proven current. */
export const MARK = 2
/** Ms of the last read, counted from the tier's start, modulo 2^32. */
export const LAST_READ = 3
/** Smoothed gap between reads in ms (upper 24 bits) and reads in this period (lower 8 bits, at most 255). */
export const ARRIVALS = 4
/** Kind, flags, two bits of period history, namespace from NAMESPACE_SHIFT up. */
export const FLAGS = 5
/** Fresh window as packed by windows.ts. */
export const FRESH = 6
/** Bytes the entry was given with. */
export const BYTES = 7

/** Bits of FLAGS. */
export const KIND_MASK = 0b0000_0011
export const WIDE_KEY = 0b0000_0100
export const HAS_TAGS = 0b0000_1000
export const HAS_SHARE = 0b0001_0000
/** Bit 5: read in the period before this one; bit 6: in the one before that. */
export const HISTORY_SHIFT = 5
export const HISTORY_MASK = 0b0110_0000
export const NAMESPACE_SHIFT = 8
/** Namespaces that fit into FLAGS. */
export const MAX_NAMESPACE = 2 ** 24 - 1

/** The moment its budget counts from, recovered from the end of its fresh window. */
export function storedAtOf(times: Float64Array, words: Int32Array, slot: number): number {
  return (times[slot << TIME_SHIFT] as number) - unpackWindow(words[(slot << ROW_SHIFT) + FRESH] as number)
}
