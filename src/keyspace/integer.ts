/**
 * Which bytes are an integer of 64 bits in the one form that Redis accepts.
 *
 * Floor 3, room keyspace. No sign but '-', no leading zero, no space: what it reads is what it would print.
 */

const FORM = /^(?:0|-?[1-9][0-9]{0,18})$/
const MOST = 9223372036854775807n
const LEAST = -9223372036854775808n

/** Whether the text is a signed 64-bit integer in canonical form (string2ll). */
export function isInteger64(text: string): boolean {
  if (text.length === 0 || text.length > 20 || !FORM.test(text)) return false
  if (text.length < 19) return true
  const value = BigInt(text)
  return value <= MOST && value >= LEAST
}

/** Order of two canonical integers by their value. */
export function compareIntegers(a: string, b: string): number {
  const [isLowA, isLowB] = [a.charCodeAt(0) === 45, b.charCodeAt(0) === 45]
  if (isLowA !== isLowB) return isLowA ? -1 : 1
  const order = a.length === b.length ? (a < b ? -1 : a > b ? 1 : 0) : a.length - b.length
  return isLowA ? -order : order
}
