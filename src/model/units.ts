/**
 * Durations and sizes as people write them, turned into milliseconds and bytes once, at creation.
 *
 * Floor 0, room model. Pure. Numbers mean milliseconds (durations) and bytes (sizes).
 */
import { ForecacheError, textOf } from './errors.ts'

/** Milliseconds as a number, or text such as `250ms`, `30s`, `2m`, `1h`, `7d`. */
export type Duration = number | string
/** Bytes as a number, or text such as `64KiB`, `256MiB`, `1GiB` (also `KB`, `MB`, `GB`, powers of ten). */
export type Size = number | string

const MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const BYTES: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}

/**
 * @param given a Duration
 * @param name the option's path, named in the error
 * @returns milliseconds, finite and at least 0
 * @throws FC_OPTION_DURATION
 */
export function parseDuration(given: Duration, name = 'duration'): number {
  const ms = typeof given === 'number' ? given : typeof given === 'string' ? parseUnit(given, MS, 1) : undefined
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) {
    throw new ForecacheError('FC_OPTION_DURATION', { name, given: textOf(given) })
  }
  return ms
}

/**
 * @param given a Size
 * @param name the option's path, named in the error
 * @returns bytes, a whole number of at least 0
 * @throws FC_OPTION_SIZE
 */
export function parseSize(given: Size, name = 'size'): number {
  const bytes = typeof given === 'number' ? given : typeof given === 'string' ? parseUnit(given, BYTES, 1) : undefined
  if (bytes === undefined || !Number.isFinite(bytes) || bytes < 0) {
    throw new ForecacheError('FC_OPTION_SIZE', { name, given: textOf(given) })
  }
  return Math.floor(bytes)
}

function parseUnit(text: string, units: Record<string, number>, bare: number): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  if (match === null) return undefined
  const unit = (match[2] ?? '').toLowerCase()
  const factor = unit === '' ? bare : Object.hasOwn(units, unit) ? units[unit] : undefined
  return factor === undefined ? undefined : Number(match[1]) * factor
}
