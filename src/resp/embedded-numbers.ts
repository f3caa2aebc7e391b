/**
 * Numbers as Redis reads and prints them.
 *
 * Floor 4, room resp. Integers of 64 bits in canonical form; doubles as strtod reads them and `%.17g` prints them.
 */
import { isInteger64 } from '../keyspace/integer.ts'
import { REFUSED } from './embedded-errors.ts'

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?/
const INFINITE = /^([+-]?)inf(?:inity)?/i
const SPACE = /^[ \t\n\v\f\r]+/
const NONZERO = /[1-9]/
export const MOST_64 = 9223372036854775807n
export const LEAST_64 = -9223372036854775808n

/** A 64-bit integer; beyond 2^53 the nearest double. @throws value is not an integer or out of range */
export function parseInteger(text: string): number {
  if (!isInteger64(text)) throw REFUSED.notInteger
  return Number(text)
}

/** The same exactly. */
export function parseBigInteger(text: string): bigint {
  if (!isInteger64(text)) throw REFUSED.notInteger
  return BigInt(text)
}

/** What strtod makes of the beginning of a text. */
interface Beginning {
  readonly value: number
  readonly length: number
  /** The number does not fit: it became infinite or zero. */
  readonly isOut: boolean
}

/** strtod without leading space. */
export function readDouble(text: string): Beginning {
  const infinite = INFINITE.exec(text)
  if (infinite !== null) return { value: infinite[1] === '-' ? -Infinity : Infinity, length: infinite[0].length, isOut: false }
  const hexadecimal = HEXADECIMAL.exec(text)
  if (hexadecimal !== null && (hexadecimal[2] as string).length + (hexadecimal[3] ?? '').length > 0) {
    return { value: hexadecimalOf(hexadecimal), length: hexadecimal[0].length, isOut: false }
  }
  const decimal = DECIMAL.exec(text)
  if (decimal === null) return { value: 0, length: 0, isOut: false }
  const value = Number(decimal[0])
  const isZero = value === 0 && NONZERO.test(decimal[0].split(/[eE]/)[0] as string)
  return { value, length: decimal[0].length, isOut: isZero || !Number.isFinite(value) }
}

/** A double as arguments give it; undefined: it is none. */
export function doubleOf(text: string): number | undefined {
  const { value, length, isOut } = readDouble(text)
  if (length === 0 || length !== text.length || isOut) return undefined
  return value
}

/** @throws value is not a valid float */
export function parseDouble(text: string): number {
  const value = doubleOf(text)
  if (value === undefined) throw REFUSED.notFloat
  return value
}

/** A double as ranges of scores give it: leading space, nothing at all and (if wanted) what does not fit are taken. */
export function looseDoubleOf(text: string, takesAny = true): number | undefined {
  const end = text.indexOf('\0')
  const whole = end < 0 ? text : text.slice(0, end)
  if (whole === '') return 0
  const bare = whole.replace(SPACE, '')
  const { value, length, isOut } = readDouble(bare)
  return length === 0 || length !== bare.length || (isOut && !takesAny) ? undefined : value
}

function hexadecimalOf(found: RegExpExecArray): number {
  const [, sign, whole, fraction = '', power = '0'] = found as unknown as [string, string, string, string?, string?]
  let value = 0
  for (const digit of whole + fraction) value = value * 16 + Number.parseInt(digit, 16)
  return (sign === '-' ? -1 : 1) * value * 2 ** (Number(power) - 4 * fraction.length)
}
