/**
 * Options of refreshing ahead.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'

const FIELDS = z.strictObject({
  extra: z
    .number()
    .min(0)
    .max(10)
    .default(0.1)
    .meta({ unit: 'ratio', description: 'Extra requests to the origin, as a share of those that would be made anyway.' }),
  minChance: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .meta({ unit: 'ratio', description: 'What is less likely to be read once more is never refreshed ahead.' }),
  concurrency: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(8)
    .meta({ unit: 'refreshes', description: 'Refreshes ahead at once, for each route.' }),
})

/** Schema of `refreshAhead`: `true` takes the defaults. */
export const REFRESH_AHEAD = z
  .union([z.boolean(), FIELDS])
  .transform((given) => (given === false ? undefined : given === true ? FIELDS.parse({}) : given))

/** Resolved options. */
export type AheadSettings = z.output<typeof FIELDS>

/** Of whoever says no more than that he wants it. */
export const AHEAD_DEFAULTS: AheadSettings = FIELDS.parse({})
