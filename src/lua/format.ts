/**
 * `string.format`.
 *
 * Floor 3, room lua.
 */
import type { Args } from './library.ts'
import { exponential, fixed, printGeneral } from './number.ts'

const SPEC = /^([-+ #0]*)([0-9]{0,2})(?:\.([0-9]{0,2}))?/

interface Spec {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
}

export function formatText(args: Args): string {
  const format = args.text(0)
  let made = ''
  let next = 1
  for (let i = 0; i < format.length; i += 1) {
    if (format[i] !== '%') {
      made += format[i]
      continue
    }
    i += 1
    if (format[i] === '%') {
      made += '%'
      continue
    }
    const [whole = '', flags = '', width = '', precision] = SPEC.exec(format.slice(i)) ?? []
    i += whole.length
    const spec = { flags, width: Number(width), precision: precision === undefined ? undefined : Number(precision) }
    made += formatOne(args, next, { letter: format[i] ?? '', spec })
    next += 1
  }
  return made
}

function formatOne(args: Args, i: number, { letter, spec }: { readonly letter: string; readonly spec: Spec }): string {
  switch (letter) {
    case 'c':
      return pad(String.fromCharCode(args.integer(i) & 0xff), spec, false)
    case 'd':
    case 'i':
      return integral(args.number(i), spec)
    case 'u':
      return integral(unsigned(args.number(i)), spec)
    case 'o':
    case 'x':
    case 'X':
      return based(args.number(i), letter, spec)
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return real(args.number(i), letter, spec)
    case 'q':
      return quoted(args.text(i))
    case 's': {
      const text = args.machine.tostring(args.any(i))
      return pad(spec.precision === undefined ? text : text.slice(0, spec.precision), spec, false)
    }
    default:
      throw args.machine.fail(`invalid option '%${letter}' to 'format'`)
  }
}

function unsigned(value: number): number {
  return Number(BigInt.asUintN(64, BigInt(Math.trunc(value) || 0)))
}

function integral(value: number, spec: Spec): string {
  const whole = Number.isFinite(value) ? BigInt(Math.trunc(value)) : -(2n ** 63n)
  const digits = (whole < 0n ? -whole : whole).toString().padStart(spec.precision ?? 1, '0')
  return pad(signed(digits, whole < 0n, spec), spec, spec.precision === undefined)
}

function based(value: number, letter: string, spec: Spec): string {
  const raw = BigInt.asUintN(64, BigInt(Math.trunc(value) || 0))
  const digits = raw.toString(letter === 'o' ? 8 : 16).padStart(spec.precision ?? 1, '0')
  const prefix = spec.flags.includes('#') && raw !== 0n ? (letter === 'o' ? '0' : '0x') : ''
  const text = pad(prefix + digits, spec, spec.precision === undefined)
  return letter === 'X' ? text.toUpperCase() : text
}

function real(value: number, letter: string, spec: Spec): string {
  const precision = spec.precision ?? 6
  const size = Math.abs(value)
  let text: string
  if (!Number.isFinite(value)) text = Number.isNaN(value) ? 'nan' : 'inf'
  else if (letter === 'f')
    text = size < 1e21 ? fixed(size, precision) : `${BigInt(size)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`
  else if (letter.toLowerCase() === 'e') text = exponential(size, precision).replace(/e([+-])(\d)$/, 'e$10$2')
  else text = printGeneral(size, precision)
  const isNegative = value < 0 || Object.is(value, -0) || Number.isNaN(value)
  const padded = pad(signed(text, isNegative, spec), spec, Number.isFinite(value))
  return letter === 'E' || letter === 'G' ? padded.toUpperCase() : padded
}

function signed(digits: string, isNegative: boolean, { flags }: Spec): string {
  if (isNegative) return `-${digits}`
  return `${flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''}${digits}`
}

function pad(text: string, { flags, width }: Spec, mayZero: boolean): string {
  if (text.length >= width) return text
  if (flags.includes('-')) return text.padEnd(width)
  if (!mayZero || !flags.includes('0')) return text.padStart(width)
  const sign = /^(?:[-+ ]|0x)?/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}

function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\\n\r\0]/g, (char) => {
    if (char === '\r') return '\\r'
    if (char === '\0') return '\\000'
    return `\\${char}`
  })
  return `"${escaped}"`
}
