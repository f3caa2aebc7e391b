/**
 * Shapes that options of a server share: durations and sizes between bounds, counts, addresses.
 *
 * Floor 5, room server. Pure.
 */
import { z } from 'zod'
import { duration, size } from '../model/option.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** A duration between two bounds, ms. */
export function span(minMs: number, maxMs: number, shown: string): z.ZodType<number, number | string> {
  return duration().refine((ms) => ms >= minMs && ms <= maxMs, { error: `expected ${shown}` })
}

/** A size between two bounds, bytes. */
export function bytes(min: number, max: number, shown: string): z.ZodType<number, number | string> {
  return size().refine((given) => given >= min && given <= max, { error: `expected ${shown}` })
}

/** How long something may take, ms. */
export const deadline = (): z.ZodType<number, number | string> => span(1, 60 * MINUTE, 'a duration from 1ms to 1h')
/** How long something may be kept, ms. */
export const window = (): z.ZodType<number, number | string> => span(1, 366 * DAY, 'a duration from 1ms to 366d')
/** A whole number from 1. */
export const count = (max: number): z.ZodInt => z.int().min(1).max(max)

/** `HOST:PORT`; a bare port means loopback. */
export const address = (): z.ZodType<{ host: string; port: number }, string | number> =>
  z.union([z.string(), z.number()], { error: 'expected HOST:PORT' }).transform((given, context) => {
    const match = /^(?:(\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9._-]+):)?(\d{1,5})$/.exec(String(given))
    const port = Number(match?.[2])
    if (match === null || port > 65_535) {
      context.addIssue({
        code: 'custom',
        message: `expected HOST:PORT such as 127.0.0.1:8080, given ${String(given)}`,
        input: given,
      })
      return z.NEVER
    }
    return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port }
  })
