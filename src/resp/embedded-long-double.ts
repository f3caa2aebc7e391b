/**
 * INCRBYFLOAT's arithmetic: the 80-bit numbers that Redis computes with on x86.
 *
 * Floor 4, room resp. Pure. A number is a mantissa of at most 64 bits and a power of two; every result is rounded to the
 * nearest, ties to even, as the processor does; printed with 17 decimals (`%.17Lf`), zeros at the end cut off.
 */
import { REFUSED } from './embedded-errors.ts'

/** mantissa * 2^power */
interface LongDouble {
  readonly mantissa: bigint
  readonly power: number
}

const BITS = 64
const DECIMALS = 17
const MAX_TEXT = 5 * 1024
const MAX_DECIMAL_POWER = 4932
const MIN_DECIMAL_POWER = -4951
const MAX_POWER = 16_384
const NUMBER = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?$/
const INFINITE = /^[+-]?inf(?:inity)?$/i

/** The sum, printed. @throws where one is no number, or the sum is not finite */
export function addLongDoubles(a: string, b: string): string {
  const [one, other] = [parse(a), parse(b)]
  if (one === 'infinite' || other === 'infinite') throw REFUSED.notNumberResult
  const power = Math.min(one.power, other.power)
  const sum = (one.mantissa << BigInt(one.power - power)) + (other.mantissa << BigInt(other.power - power))
  const result = round(sum, 1n, power)
  if (result.power + lengthOf(result.mantissa) > MAX_POWER) throw REFUSED.notNumberResult
  return print(result)
}

/** @throws value is not a valid float */
export function checkLongDouble(text: string): void {
  parse(text)
}

function parse(text: string): LongDouble | 'infinite' {
  if (text.length === 0 || text.length >= MAX_TEXT) throw REFUSED.notFloat
  if (INFINITE.test(text)) return 'infinite'
  const hexadecimal = HEXADECIMAL.exec(text)
  if (hexadecimal !== null) return parseHexadecimal(hexadecimal)
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  if (sign === undefined || whole.length + fraction.length === 0) throw REFUSED.notFloat
  const digits = BigInt(whole + fraction)
  if (digits === 0n) return { mantissa: 0n, power: 0 }
  const scale = Number(exponent) - fraction.length
  const size = String(digits).length + scale
  if (size > MAX_DECIMAL_POWER + 1 || size < MIN_DECIMAL_POWER) throw REFUSED.notFloat
  const signed = sign === '-' ? -digits : digits
  return scale >= 0 ? round(signed * 10n ** BigInt(scale), 1n, 0) : round(signed, 10n ** BigInt(-scale), 0)
}

function parseHexadecimal(found: RegExpExecArray): LongDouble {
  const [, sign, whole = '', fraction = '', exponent = '0'] = found
  if (whole.length + fraction.length === 0 || Math.abs(Number(exponent)) > MAX_POWER) throw REFUSED.notFloat
  const digits = BigInt(`0x${whole}${fraction}`)
  return round(sign === '-' ? -digits : digits, 1n, Number(exponent) - 4 * fraction.length)
}

/** above / below * 2^power to the nearest. */
function round(above: bigint, below: bigint, power: number): LongDouble {
  if (above === 0n) return { mantissa: 0n, power: 0 }
  const isNegative = above < 0n
  const size = isNegative ? -above : above
  let shift = lengthOf(size) - lengthOf(below) - BITS
  let cut = divide(size, below, shift)
  if (lengthOf(cut.whole) > BITS) {
    shift += 1
    cut = divide(size, below, shift)
  } else if (lengthOf(cut.whole) < BITS) {
    shift -= 1
    cut = divide(size, below, shift)
  }
  const isUp = cut.twice > cut.below || (cut.twice === cut.below && cut.whole % 2n === 1n)
  const mantissa = isUp ? cut.whole + 1n : cut.whole
  return { mantissa: isNegative ? -mantissa : mantissa, power: power + shift }
}

/** size / below / 2^shift, and twice its rest beside what it was divided by. */
function divide(size: bigint, below: bigint, shift: number): { whole: bigint; twice: bigint; below: bigint } {
  const above = shift < 0 ? size << BigInt(-shift) : size
  const under = shift > 0 ? below << BigInt(shift) : below
  return { whole: above / under, twice: (above % under) * 2n, below: under }
}

function print({ mantissa, power }: LongDouble): string {
  const isNegative = mantissa < 0n
  const size = (isNegative ? -mantissa : mantissa) * 10n ** BigInt(DECIMALS)
  let scaled = size
  if (power >= 0) {
    scaled = size << BigInt(power)
  } else {
    const { whole, twice, below } = divide(size, 1n, -power)
    scaled = twice > below || (twice === below && whole % 2n === 1n) ? whole + 1n : whole
  }
  const digits = String(scaled).padStart(DECIMALS + 1, '0')
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '')
  const text = digits.slice(0, -DECIMALS) + (fraction === '' ? '' : `.${fraction}`)
  return isNegative && text !== '0' ? `-${text}` : text
}

function lengthOf(value: bigint): number {
  const text = (value < 0n ? -value : value).toString(16)
  return (text.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(text[0] as string, 16)))
}
