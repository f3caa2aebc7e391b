/**
 * Numbers of Lua 5.1 as texts.
 *
 * Floor 3, room lua. Pure. Printed with `%.14g`; read as strtod reads them, hexadecimal integers too.
 */

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]+)$/
const NAMED = /^([+-]?)(?:inf(?:inity)?|(nan))$/i

/** undefined: it is no number. */
export function parseNumber(text: string): number | undefined {
  const bare = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '')
  if (DECIMAL.test(bare)) return Number(bare)
  const hexadecimal = HEXADECIMAL.exec(bare)
  if (hexadecimal !== null) return (hexadecimal[1] === '-' ? -1 : 1) * Number.parseInt(hexadecimal[2] as string, 16)
  const named = NAMED.exec(bare)
  if (named === null) return undefined
  if (named[2] !== undefined) return Number.NaN
  return named[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

/** `%.14g`. */
export function printNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e14) return Object.is(value, -0) ? '-0' : String(value)
  return printGeneral(value, 14)
}

/** `%.{precision}g`, without `#`. */
export function printGeneral(value: number, precision: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '-nan' : value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const digits = Math.max(1, precision)
  const [mantissa, power] = exponential(value, digits - 1).split('e') as [string, string]
  const exponent = Number(power)
  if (exponent < -4 || exponent >= digits) {
    return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return trim(fixed(value, Math.max(0, digits - 1 - exponent)))
}

/** `toExponential` as C rounds: a tie goes to the even digit. */
export function exponential(value: number, decimals: number): string {
  const [long = '', power] = value.toExponential(Math.min(100, decimals + 40)).split('e')
  return isEvenTie(long, decimals) ? `${cut(long, decimals)}e${power}` : value.toExponential(decimals)
}

/** `toFixed` as C rounds. @param value below 1e21 */
export function fixed(value: number, decimals: number): string {
  const long = value.toFixed(Math.min(100, decimals + 40))
  return isEvenTie(long, decimals) ? cut(long, decimals) : value.toFixed(Math.min(100, decimals))
}

/** What is left over is exactly one half, and the digit before it is even. */
function isEvenTie(long: string, decimals: number): boolean {
  const end = long.indexOf('.') + 1 + decimals
  const last = long[end - 1] === '.' ? long[end - 2] : long[end - 1]
  return /^50*$/.test(long.slice(end)) && Number(last) % 2 === 0
}

function cut(long: string, decimals: number): string {
  const point = long.indexOf('.')
  return decimals === 0 ? long.slice(0, point) : long.slice(0, point + 1 + decimals)
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
