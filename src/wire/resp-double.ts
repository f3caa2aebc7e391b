/**
 * Numbers as Redis 7.0 prints them.
 *
 * Floor 1, room wire. Pure.
 */

/** Digits of `%.17g`. */
const DIGITS = 17
/** Enough to tell whether the rest is exactly half of the last digit. */
const LONG_DIGITS = 40

/** `%.17g` of C; infinities as Redis words them in both versions of the protocol. */
export function formatDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf'
  if (value === Number.NEGATIVE_INFINITY) return '-inf'
  if (Number.isNaN(value)) return 'nan'
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0' : String(value)
  const sign = value < 0 ? '-' : ''
  const { digits, power } = rounded(Math.abs(value))
  if (power < -4 || power >= DIGITS) {
    const exponent = `e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
    return `${sign}${trimZeros(`${digits[0]}.${digits.slice(1)}`)}${exponent}`
  }
  if (power < 0) return sign + trimZeros(`0.${'0'.repeat(-power - 1)}${digits}`)
  return sign + trimZeros(`${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`)
}

/** 17 digits and the power of ten of the first one; halves go to the even digit, where JavaScript takes the larger. */
function rounded(value: number): { digits: string; power: number } {
  const [mantissa = '', exponent = '0'] = value.toExponential(DIGITS - 1).split('e')
  const long = value.toExponential(LONG_DIGITS).replace('.', '')
  const isHalf = /^50*e/.test(long.slice(DIGITS))
  const isEven = Number(long[DIGITS - 1]) % 2 === 0
  const digits = isHalf && isEven ? long.slice(0, DIGITS) : mantissa.replace('.', '')
  return { digits, power: Number(exponent) }
}

function trimZeros(digits: string): string {
  let end = digits.length
  while (digits.charCodeAt(end - 1) === 0x30) end -= 1
  if (digits.charCodeAt(end - 1) === 0x2e) end -= 1
  return digits.slice(0, end)
}
