/**
 * The answer to PTTL.
 *
 * Floor 4, room resp. Pure.
 */
const INTEGER = 0x3a
const MINUS = 0x2d
const ZERO = 0x30

/** @param frame `:123\r\n` @returns the number; NaN for anything else, an error above all */
export function parseTime(frame: Uint8Array): number {
  if (frame[0] !== INTEGER) return Number.NaN
  const isNegative = frame[1] === MINUS
  let value = 0
  const first = isNegative ? 2 : 1
  const end = frame.length - 2
  if (end <= first) return Number.NaN
  for (let i = first; i < end; i += 1) {
    const digit = (frame[i] as number) - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return isNegative ? -value : value
}
