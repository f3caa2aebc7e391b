/**
 * Options of the engine: every one with its unit, default and range; checked once, at creation.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'
import { type Budget, DEFAULT_BUDGET, DEFAULT_CONTEXTS } from '../model/budget.ts'
import { type Clock, systemClock } from '../model/clock.ts'
import { budget, duration, parseOptions, size } from '../model/option.ts'
import { type Logger, SILENT } from '../model/port.ts'
import type { Random } from '../model/random.ts'
import { AUDIT } from './audit-options.ts'
import { L2 } from './l2-options.ts'
import { REDIS_SHARED } from './mount-options.ts'
import { PREDICTION } from './prediction-options.ts'

const MEMORY = z
  .strictObject({
    maxBytes: size()
      .default(256 * 1024 * 1024)
      .meta({
        unit: 'bytes',
        shown: '256MiB',
        description: 'Limit of memory: entries with keys, heads, bodies and tags, and what is held beside them.',
      }),
    maxEntries: z
      .number()
      .int()
      .min(1)
      .optional()
      .meta({ unit: 'entries', shown: 'none', description: 'Limit of L1 in entries, beside the limit in bytes.' }),
    maxEntryBytes: size()
      .optional()
      .meta({ unit: 'bytes', shown: 'maxBytes / 8', description: 'A larger entry is answered but not stored.' }),
    policy: z.enum(['s3-fifo', 'lru', 'w-tinylfu']).default('s3-fifo').meta({ description: 'Eviction policy.' }),
  })
  .prefault({})

const DEADLINES = z
  .strictObject({
    soft: duration().optional().meta({
      unit: 'ms',
      shown: 'none',
      description: 'A caller that may be served stale waits this long for a load, then gets the stale answer.',
    }),
    hard: duration().default(30_000).meta({
      unit: 'ms',
      shown: '30s',
      description: 'A caller waits this long for a load, then gets the reserve or FC_LOAD_TIMEOUT; the load goes on behind.',
    }),
    token: duration().default(200).meta({
      unit: 'ms',
      shown: '200ms',
      description: 'A caller with a version token waits this long for what it names to be heard here, then goes to the origin.',
    }),
    maxLoad: duration()
      .default(60_000)
      .meta({ unit: 'ms', shown: '60s', description: 'A load is aborted after this long; its answer is not stored.' }),
  })
  .prefault({})

const BACKOFF = z
  .strictObject({
    first: duration().default(1000).meta({
      unit: 'ms',
      shown: '1s',
      description: 'Pause after the first failed load of a key that has something stale; doubles; 0 turns it off.',
    }),
    max: duration().default(30_000).meta({ unit: 'ms', shown: '30s', description: 'Longest pause.' }),
    maxKeys: z.number().int().min(1).max(1_000_000).default(10_000).meta({ unit: 'keys', description: 'Keys remembered.' }),
  })
  .prefault({})

const FLIGHTS = z
  .strictObject({
    maxWaiters: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .default(10_000)
      .meta({ unit: 'callers', description: 'Callers that may wait for one load.' }),
    maxFlights: z.number().int().min(1).max(10_000_000).default(65_536).meta({ unit: 'loads', description: 'Loads at once.' }),
    whenAbandoned: z
      .enum(['finish', 'cancel'])
      .default('finish')
      .meta({ description: 'What becomes of a load when every caller has gone.' }),
  })
  .prefault({})

const REFRESH = z
  .strictObject({
    concurrency: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .meta({ unit: 'refreshes', description: 'Background refreshes at once.' }),
  })
  .prefault({})

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Schema of `createCache`'s options. */
export const CACHE_OPTIONS = z.strictObject({
  memory: MEMORY,
  budget: budget().optional().meta({ unit: 'ms', shown: '60s', description: 'Budget of calls that name none.' }),
  contexts: z
    .record(z.string().min(1), budget())
    .default({})
    .meta({ description: 'Budgets by context; added to user:profile 30s, user:dashboard 2m, user:analytics 10m.' }),
  negative: z
    .union([z.literal(false), budget()])
    .default({ freshMs: 5000, staleMs: 5000, onErrorMs: 5000 })
    .meta({
      unit: 'ms',
      shown: '5s',
      description: 'Budget of answers that say "nothing there" (null, undefined); false does not store them.',
    }),
  jitter: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .meta({ unit: 'ratio', description: 'Fresh windows are shortened at random by up to this share.' }),
  deadlines: DEADLINES,
  backoff: BACKOFF,
  flights: FLIGHTS,
  refresh: REFRESH,
  values: z
    .enum(['freeze', 'clone', 'reference'])
    .default('freeze')
    .meta({ description: 'How objects are kept from being changed by their readers.' }),
  events: z
    .record(
      z.string().min(1),
      z
        .array(
          z
            .string()
            .regex(/^[^\s{}]*(?:\{[^\s{}]+\}[^\s{}]*)*$/, { error: 'expected a tag such as user:{id}, without white space' })
            .min(1),
        )
        .min(1),
    )
    .default({})
    .meta({
      description:
        'Tags that an event invalidates, such as {"user.updated": ["user:{id}"]}; without a rule `noun.verb` with an id names `noun:{id}`.',
    }),
  ...PREDICTION,
  originLag: duration().default(0).meta({
    unit: 'ms',
    shown: '0',
    description: "How far the origin's replicas lag: fills begun this soon after an invalidation are not stored.",
  }),
  audit: AUDIT.optional().meta({
    description: 'Looks at a share of the answers from memory and holds them against what was promised; off without it.',
  }),
  l2: L2.optional().meta({ description: 'A second level shared by several processes.' }),
  redis: REDIS_SHARED.prefault({}).meta({
    description:
      'The namespace in which the keys of the Redis hook of this process stand: there the library reads and writes the very values of the Redis. `{namespace, server, database}`, or `false`: a namespace as any.',
  }),
  clock: z
    .custom<Clock>((given) => offers(given, ['now', 'coarse', 'wall', 'after']), {
      error: 'expected now, coarse, wall and after',
    })
    .optional()
    .meta({ description: 'Source of time.' }),
  random: z
    .custom<Random>((given) => typeof given === 'function')
    .optional()
    .meta({ description: 'Source of randomness.' }),
  logger: z
    .custom<Logger>((given) => offers(given, LEVELS), { error: 'expected debug, info, warn and error' })
    .optional()
    .meta({ description: 'Any logger with debug, info, warn, error.' }),
})

/** Options of `createCache`. */
export type CacheOptions = z.input<typeof CACHE_OPTIONS>

/** Resolved options. */
export interface Settings extends Omit<z.output<typeof CACHE_OPTIONS>, 'clock' | 'random' | 'logger' | 'budget'> {
  readonly budget: Budget
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** @throws FC_OPTION_* naming the first bad option */
export function resolveSettings(given: CacheOptions): Settings {
  const parsed = parseOptions(CACHE_OPTIONS, given, 'cache')
  return {
    ...parsed,
    contexts: { ...DEFAULT_CONTEXTS, ...parsed.contexts },
    budget: parsed.budget ?? DEFAULT_BUDGET,
    clock: parsed.clock ?? systemClock(),
    random: parsed.random ?? Math.random,
    logger: parsed.logger === undefined ? SILENT : guarded(parsed.logger),
  }
}

function offers(given: unknown, methods: readonly string[]): boolean {
  if (typeof given !== 'object' || given === null) return false
  return methods.every((name) => typeof (given as Record<string, unknown>)[name] === 'function')
}

/** A logger that fails must not fail what it was told about: nothing that breaks here reaches the application. */
function guarded(logger: Logger): Logger {
  const tell =
    (level: (typeof LEVELS)[number]) =>
    (detail: object, text?: string): void => {
      try {
        logger[level](detail, text)
      } catch {
        // there is nobody left to tell
      }
    }
  return { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') }
}
