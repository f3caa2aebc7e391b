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

/** `%.{digits}g` of a finite number. */
export function general(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, power] = rounded(value, digits).split('e') as [string, string]
  const exponent = Number(power)
  if (exponent < -4 || exponent >= digits) {
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${trimZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${size}`
  }
  const sign = value < 0 ? '-' : ''
  const figures = mantissa.replace('-', '').replace('.', '')
  if (exponent < 0) return sign + trimZeros(`0.${'0'.repeat(-exponent - 1)}${figures}`)
  const fraction = figures.slice(exponent + 1)
  return sign + trimZeros(fraction === '' ? figures.slice(0, exponent + 1) : `${figures.slice(0, exponent + 1)}.${fraction}`)
}

/** Exponential form; a tie goes to the even digit, where JavaScript goes away from zero. */
function rounded(value: number, digits: number): string {
  const long = value.toExponential(Math.min(100, digits + 60))
  const cut = long.indexOf('.') + digits
  const rest = long.slice(cut, long.indexOf('e'))
  if (/^50*$/.test(rest) && Number(long[cut - 1] === '.' ? long[cut - 2] : long[cut - 1]) % 2 === 0) {
    return long.slice(0, cut) + long.slice(long.indexOf('e'))
  }
  return value.toExponential(digits - 1)
}

function trimZeros(text: string): string {
  if (!text.includes('.')) return text
  let end = text.length
  while (text.charCodeAt(end - 1) === 48) end -= 1
  if (text.charCodeAt(end - 1) === 46) end -= 1
  return text.slice(0, end)
}

function hexadecimalOf(found: RegExpExecArray): number {
  const [, sign, whole, fraction = '', power = '0'] = found as unknown as [string, string, string, string?, string?]
  let value = 0
  for (const digit of whole + fraction) value = value * 16 + Number.parseInt(digit, 16)
  return (sign === '-' ? -1 : 1) * value * 2 ** (Number(power) - 4 * fraction.length)
}
