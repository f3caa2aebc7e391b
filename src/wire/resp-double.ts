/**
 * Numbers as Redis 7.0 prints them.
 *
 * Floor 1, room wire. Pure.
 */

/** `%.17g` of C; infinities as Redis words them, both versions of the protocol. */
export function formatDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf'
  if (value === Number.NEGATIVE_INFINITY) return '-inf'
  if (Number.isNaN(value)) return 'nan'
  if (Number.isInteger(value) && Math.abs(value) < 1e17) return Object.is(value, -0) ? '-0' : String(value)
  const [mantissa = '', exponent = '0'] = value.toExponential(16).split('e')
  const power = Number(exponent)
  if (power < -4 || power >= 17) {
    const sign = power < 0 ? '-' : '+'
    return `${trimZeros(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
  }
  return trimZeros(value.toFixed(16 - power))
}

function trimZeros(digits: string): string {
  if (!digits.includes('.')) return digits
  let end = digits.length
  while (digits.charCodeAt(end - 1) === 0x30) end -= 1
  if (digits.charCodeAt(end - 1) === 0x2e) end -= 1
  return digits.slice(0, end)
}
