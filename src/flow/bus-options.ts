/**
 * Options of the log that machines share through the second level's server.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'
import { ForecacheError } from '../model/errors.ts'
import { duration } from '../model/option.ts'
import { parseNatsUrl } from '../tier/nats-address.ts'
import { CLIENT_TLS } from './tls-options.ts'

/** Schema of `l2.bus`. */
export const BUS = z.strictObject({
  url: z.string().superRefine(asNats).optional().meta({
    shown: "the second level's server",
    description:
      'A NATS with JetStream that carries the log instead, nats://[user:password@]host[:port][,host…], tls:// for TLS. All instances name the same one. Needs @nats-io/transport-node.',
  }),
  credentials: z.string().min(1).optional().meta({
    unit: 'file',
    shown: 'what the URL says',
    description:
      'Who this process is to that NATS: a `.creds` file, or one with the seed of an nkey (`SU…`), or the text itself. Read again at each connection.',
  }),
  tls: CLIENT_TLS.optional().meta({ shown: "the system's authorities", description: 'How NATS is spoken to where TLS is used.' }),
  blind: z.enum(['budget', 'miss', 'fail']).default('budget').meta({
    description:
      'What is done while the log is out of sight: `budget` serves what is stored within its budget, `miss` asks the origin, `fail` answers 503. Where it is in sight nobody serves what was invalidated for longer than `blindAfter`, whatever stands here.',
  }),
  blindAfter: duration()
    .refine((ms) => ms >= 100 && ms <= 3_600_000, { error: 'expected 100ms to 1h' })
    .default(1000)
    .meta({
      unit: 'ms',
      shown: '1s',
      description:
        'Silence of the log is trusted for so long after the last proof that nothing newer stands in it; four proofs in that time.',
    }),
  acknowledge: duration().optional().meta({
    unit: 'ms',
    shown: 'blindAfter × 1.25',
    description:
      'An invalidation waits so long for its place in the log, and so long again for the other instances; then its answer says how many have followed.',
  }),
  maxRecords: z.number().int().min(100).max(10_000_000).default(65_536).meta({
    unit: 'records',
    description: 'Invalidations kept in the log, about. An instance that was away for more begins with an empty memory.',
  }),
})

/** What is refused is refused with its reason, which names no secret. */
function asNats(url: string, context: z.core.$RefinementCtx<string>): void {
  try {
    parseNatsUrl(url)
  } catch (error) {
    const message = error instanceof ForecacheError ? String(error.detail['reason']) : 'cannot be read'
    context.addIssue({ code: 'custom', message, input: undefined })
  }
}
