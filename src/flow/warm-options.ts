/**
 * Options of warming.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'
import { duration } from '../model/option.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

function span(minMs: number, maxMs: number, shown: string): z.ZodType<number, number | string> {
  return duration().refine((ms) => ms >= minMs && ms <= maxMs, { error: `expected ${shown}` })
}

function isTimeZone(given: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const FIELDS = z.strictObject({
  keys: z.int().min(1).max(20_000).default(1000).meta({ unit: 'keys', description: 'Hottest keys that are remembered.' }),
  halfLife: span(MINUTE, 90 * DAY, 'a duration from 1m to 90d')
    .default(DAY)
    .meta({ unit: 'ms', shown: '1d', description: 'After so long a read counts half.' }),
  extra: z.number().min(0).max(10).default(0.1).meta({
    unit: 'ratio',
    description:
      'Requests to the origin in quiet times and before expected hours, as a share of the loads that clients caused; saved up to one for each key.',
  }),
  minChance: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .meta({ unit: 'ratio', description: 'What is less likely to be read while it is fresh is never warmed.' }),
  minPrecision: z.number().min(0).max(1).default(0.5).meta({
    unit: 'ratio',
    description: 'Where less of what was warmed is read, a route is left alone: an hour at first, a day at last.',
  }),
  concurrency: z.int().min(1).max(1000).default(4).meta({
    unit: 'requests',
    description: 'At once, at most; begins at one, and anew after anything that went wrong.',
  }),
  rate: z
    .number()
    .positive()
    .max(10_000)
    .default(5)
    .meta({ unit: 'requests/s', description: 'In quiet times and before expected hours.' }),
  urgentRate: z
    .number()
    .positive()
    .max(10_000)
    .default(100)
    .meta({ unit: 'requests/s', description: 'After a start or an invalidation.' }),
  slowAt: z.number().min(1.1).max(100).default(3).meta({
    unit: 'ratio',
    description: 'The origin counts as slow from so many times the time it usually takes; then warming stops.',
  }),
  lead: span(0, HOUR, 'a duration up to 1h')
    .default(5 * MINUTE)
    .meta({ unit: 'ms', shown: '5m', description: 'Before the hour in which a key is expected to be read.' }),
  startup: span(0, 30_000, 'a duration up to 30s').default(1000).meta({
    unit: 'ms',
    shown: '1s',
    description: 'A gateway that starts asks for its hottest keys for so long before it takes requests, and goes on behind.',
  }),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: 'expected a time zone such as Europe/Berlin' })
    .optional()
    .meta({ shown: "the process's", description: 'In which hours and weekdays are counted.' }),
})

/** Schema of `warming`: `true` takes the defaults. */
export const WARMING = z
  .union([z.boolean(), FIELDS])
  .transform((given) => (given === false ? undefined : given === true ? FIELDS.parse({}) : given))

/** Resolved options. */
export type WarmSettings = z.output<typeof FIELDS>

/** Of whoever says no more than that he wants it. */
export const WARM_DEFAULTS: WarmSettings = FIELDS.parse({})
