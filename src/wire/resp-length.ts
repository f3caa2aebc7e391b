/**
 * Counts and lengths of the Redis protocol, read as Redis's `string2ll` reads them.
 *
 * Floor 1, room wire. Pure, without strings. No leading zeros, no plus, no spaces; what does not fit 64 bits is no number.
 * Numbers beyond 2^53 lose their last digits: every limit lies far below.
 */
const MINUS = 0x2d
const ZERO = 0x30
/** One more than the digits and sign of the longest 64-bit number. */
const MAX_TEXT = 21
const MAX_INT64 = '9223372036854775807'
const MIN_INT64 = '9223372036854775808'

/**
 * @param bytes the digits stand in `[start, end)`
 * @returns NaN when they are no 64-bit number
 */
export function parseLength(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start >= MAX_TEXT) return Number.NaN
  if (end - start === 1 && bytes[start] === ZERO) return 0
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  if (first >= end || bytes[first] === ZERO) return Number.NaN
  let value = 0
  for (let i = first; i < end; i += 1) {
    const digit = (bytes[i] as number) - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  const extreme = isNegative ? MIN_INT64 : MAX_INT64
  if (end - first >= extreme.length && !isUpTo(extreme, bytes.subarray(first, end))) return Number.NaN
  return isNegative ? -value : value
}

/** Whether digits, 19 or more, are at most `extreme`, which has 19. */
function isUpTo(extreme: string, digits: Uint8Array): boolean {
  if (digits.length > extreme.length) return false
  for (let i = 0; i < extreme.length; i += 1) {
    const digit = digits[i] as number
    const limit = extreme.charCodeAt(i)
    if (digit !== limit) return digit < limit
  }
  return true
}
