/**
 * Options of the audit.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'
import { duration } from '../model/option.ts'

/** Schema of `audit`. */
export const AUDIT = z.strictObject({
  share: z
    .number()
    .gt(0)
    .max(1)
    .default(0.001)
    .meta({ unit: 'ratio', description: 'Answers from the cache that are looked at, of all; chosen at random.' }),
  perSecond: z.number().gt(0).max(10_000).default(1).meta({
    unit: 'checks per second',
    description:
      'Most answers looked at, and so the most requests that the origin gets for it; the rest is left out and counted.',
  }),
  concurrency: z
    .number()
    .int()
    .min(1)
    .max(256)
    .default(4)
    .meta({ unit: 'checks', description: 'Questions to the origin at once.' }),
  timeout: duration()
    .refine((ms) => ms >= 1 && ms <= 60_000, { error: 'expected a duration from 1ms to 1m' })
    .default(5000)
    .meta({ unit: 'ms', shown: '5s', description: 'A question without an answer after this is inconclusive.' }),
  maxViolations: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .meta({ unit: 'violations', description: 'The last ones, kept with their traces.' }),
})

/** Resolved options. */
export type AuditSettings = z.output<typeof AUDIT>
