/**
 * The row of an entry: eight Int32 words, 32 bytes, half a cache line; what a hit reads and writes lies together.
 *
 * Floor 1, room shelf. Words 0 and 1 are one Float64: the moment the budget counts from. Offsets are combined with a row's
 * first word by `|`, which needs no overflow check.
 */

/** A slot's first word is at `slot << ROW_SHIFT`. */
export const ROW_SHIFT = 3
/** A slot's Float64, `storedAt`, is at `slot << TIME_SHIFT`. */
export const TIME_SHIFT = 2
/** Position of the log (low 32 bits) at which the entry was last proven current. */
export const MARK = 2
/** Tick of the last read (see arrivals.ts). */
export const LAST_READ = 3
/** Smoothed gap between reads in ticks (upper 24 bits) and reads in this period (lower 8 bits, at most 255). */
export const ARRIVALS = 4
/** Kind, flags, two bits of period history, namespace from NAMESPACE_SHIFT up. */
export const FLAGS = 5
/** End of the fresh window (see fresh-end.ts). */
export const FRESH_END = 6
/** The tier's stamp when a hit last passed every check; while it is the tier's present one, the next hit needs none. */
export const STAMP = 7

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
