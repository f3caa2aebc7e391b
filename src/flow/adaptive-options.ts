/**
 * Options of adaptive windows.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'
import { duration } from '../model/option.ts'

const FIELDS = z.strictObject({
  maxStaleChance: z.number().min(0.001).max(0.9).default(0.1).meta({
    unit: 'ratio',
    description: 'No answer is served as fresh that is likelier than this to have changed meanwhile.',
  }),
  min: duration().optional().meta({
    unit: 'ms',
    shown: 'a quarter of the promised one',
    description: 'No fresh window is made shorter than this, whatever the chance; never longer than promised for its sake.',
  }),
  max: duration()
    .optional()
    .meta({ unit: 'ms', shown: 'the end of the stale window', description: 'No fresh window is longer than this.' }),
  demote: z.enum(['off', 'l2', 'cache']).default('off').meta({
    description:
      'Routes that are never reused, or change every time and are read less than once meanwhile, are taken out of the second level (`l2`) or out of the cache (`cache`), but for one key in 16 that goes on trying.',
  }),
})

/** Schema of `adaptive`: `true` takes the defaults. */
export const ADAPTIVE = z
  .union([z.boolean(), FIELDS])
  .transform((given) => (given === false ? undefined : given === true ? FIELDS.parse({}) : given))

/** Resolved options. */
export type AdaptiveSettings = z.output<typeof FIELDS>

/** Of whoever says no more than that he wants it. */
export const ADAPTIVE_DEFAULTS: AdaptiveSettings = FIELDS.parse({})
