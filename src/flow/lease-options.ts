/**
 * Options of leases: one process loads, the others wait for it.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'
import { duration } from '../model/option.ts'

/** Schema of `l2.lease`. */
export const LEASE = z.strictObject({
  on: z.boolean().default(true).meta({
    description: 'One instance loads a key that none of them has; the others wait for what it gets, from its first byte.',
  }),
  time: duration()
    .refine((ms) => ms >= 200 && ms <= 300_000, { error: 'expected 200ms to 5m' })
    .default(2000)
    .meta({
      unit: 'ms',
      shown: '2s',
      description: 'A loading instance that was not heard for so long is taken for dead: one of those who wait takes its place.',
    }),
  deadline: duration()
    .refine((ms) => ms >= 1 && ms <= 60_000, { error: 'expected 1ms to 1m' })
    .default(200)
    .meta({
      unit: 'ms',
      shown: '200ms',
      description:
        'Who asks whether another instance loads waits this long for the reply, then loads himself; nobody asks where the second level has just not replied.',
    }),
  wait: duration()
    .refine((ms) => ms >= 1 && ms <= 3_600_000, { error: 'expected 1ms to 1h' })
    .default(30_000)
    .meta({
      unit: 'ms',
      shown: '30s',
      description: 'Without progress nobody waits longer for another instance, but loads for himself.',
    }),
})
