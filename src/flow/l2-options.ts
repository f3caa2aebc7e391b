/**
 * Options of the second level.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'
import { ForecacheError } from '../model/errors.ts'
import { duration, size } from '../model/option.ts'
import { parseRedisUrl } from '../tier/redis-address.ts'
import { createSeal } from '../wire/seal.ts'
import { BUS } from './bus-options.ts'
import { LEASE } from './lease-options.ts'
import { CLIENT_TLS } from './tls-options.ts'

const KEY = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,32}$/, { error: 'expected 1 to 32 letters, digits, _ . or -' })
    .meta({ description: 'Name of the key; stands beside what it encrypts.' }),
  secret: z.string().min(1).meta({ description: '32 bytes as base64 or hex.' }),
})

/** Schema of `l2`. */
export const L2 = z.strictObject({
  url: z.string().superRefine(asChecked(parseRedisUrl)).meta({
    description:
      'Redis or Valkey, redis://[user:password@]host[:port][,host…][/database][?master=name], rediss:// for TLS; single, Cluster and Sentinel are told apart by asking.',
  }),
  tls: CLIENT_TLS.optional().meta({
    shown: "the system's authorities",
    description: 'How it is spoken to where the URL is rediss://.',
  }),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{0,64}$/, { error: 'expected at most 64 letters, digits, _ . : or -' })
    .default('forecache:')
    .meta({ description: 'Before every key there. Caches that share it share their entries: same code, same routes.' }),
  deadline: duration().default(50).meta({
    unit: 'ms',
    shown: '50ms',
    description: 'A miss waits this long for the second level, then goes to the origin; a caller with less time does not ask it.',
  }),
  maxEntryBytes: size()
    .default(1024 * 1024)
    .meta({ unit: 'bytes', shown: '1MiB', description: 'A larger entry stays in memory alone.' }),
  maxQueueBytes: size()
    .default(8 * 1024 * 1024)
    .meta({ unit: 'bytes', shown: '8MiB', description: 'What waits to be written; more is not written. Counts against memory.' }),
  maxAge: duration()
    .default(86_400_000)
    .meta({ unit: 'ms', shown: '24h', description: 'Nothing stands longer, whatever its budget.' }),
  except: z
    .array(z.string().min(1))
    .max(1000)
    .default([])
    .meta({ description: 'Contexts whose answers stay in memory alone: data that is hardly ever used twice.' }),
  lease: LEASE.prefault({}).meta({ description: 'Who loads what no instance has.' }),
  bus: BUS.prefault({}).meta({ description: 'The log of invalidations that all instances follow.' }),
  encryption: z.array(KEY).min(1).max(16).superRefine(asChecked(createSeal)).optional().meta({
    shown: 'none',
    description: 'Keys for AES-256-GCM at rest: the first encrypts, all of them decrypt. Names of keys are hashed then.',
  }),
})

/** Resolved. */
export type L2Settings = z.output<typeof L2>

/** What a function refuses is refused with its reason, which names no secret. */
function asChecked<T>(check: (given: T) => unknown): (given: T, context: z.core.$RefinementCtx<T>) => void {
  return (given, context) => {
    try {
      check(given)
    } catch (error) {
      const message = error instanceof ForecacheError ? String(error.detail['reason']) : 'cannot be read'
      context.addIssue({ code: 'custom', message, input: undefined })
    }
  }
}
