/**
 * Options of prefetching.
 *
 * Floor 3, room flow. What a route may say for itself, and what is one for the whole gateway.
 */
import { z } from 'zod'
import { duration } from '../model/option.ts'

const ROUTE = {
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
    .default(0.45)
    .meta({ unit: 'ratio', description: 'What is less likely to be asked for next is never prefetched.' }),
  patience: duration().default(60_000).meta({
    unit: 'ms',
    shown: '60s',
    description: 'What is asked for within this was prefetched rightly.',
  }),
  concurrency: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(8)
    .meta({ unit: 'requests', description: 'Prefetches at once, for each route; what finds no place is left.' }),
  credentials: z.enum(['omit', 'send']).default('omit').meta({
    description:
      '`omit`: Cookie and Authorization are left out, and nothing is prefetched whose key or Vary depends on them. `send`: they are sent as in the request before; only for origins whose cacheable GETs have no effects.',
  }),
  hints: z.boolean().default(false).meta({
    description:
      "Prefetches what the origin's answers name as `Link: rel=prefetch`, or 103 Early Hints as prefetch or preload: same origin, routes with prefetch alone, without credentials, from a budget of the same size beside.",
  }),
  bodies: z.boolean().default(false).meta({
    description:
      'Learns which identifiers of JSON answers (up to 64 KiB) are asked for next: details of what a list shows first.',
  }),
}

const WHOLE = {
  routes: z
    .enum(['all', 'named'])
    .default('all')
    .meta({ description: '`named`: only routes that say so themselves; the rest of the section is for them.' }),
  client: z
    .union([
      z.literal('address'),
      z.strictObject({ cookie: z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/) }),
      z.strictObject({ header: z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/) }),
    ])
    .default('address')
    .meta({
      description:
        "What tells one client from another: `address` (what is forwarded as X-Forwarded-For), `{cookie: NAME}` or `{header: NAME}`. Kept only as a digest under the process's own secret.",
    }),
  clients: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(10_000)
    .meta({ unit: 'clients', description: 'Clients whose last requests are remembered.' }),
  rules: z
    .number()
    .int()
    .min(16)
    .max(10_000_000)
    .default(65_536)
    .meta({ unit: 'URLs', description: 'URLs whose successors are remembered; in bytes at most a sixteenth of `memory.max`.' }),
}

const ROUTE_FIELDS = z.strictObject(ROUTE)
const WHOLE_FIELDS = z.strictObject({ ...ROUTE, ...WHOLE })

/** Schema of a route's `prefetch`: `true` takes the defaults. */
export const ROUTE_PREFETCH = z
  .union([z.boolean(), ROUTE_FIELDS])
  .transform((given) => (given === false ? undefined : given === true ? ROUTE_FIELDS.parse({}) : given))

/** Schema of the section `prefetch`: `true` takes the defaults. */
export const PREFETCH = z
  .union([z.boolean(), WHOLE_FIELDS])
  .transform((given) => (given === false ? undefined : given === true ? WHOLE_FIELDS.parse({}) : given))

/** Resolved options of a route. */
export type PrefetchSettings = z.output<typeof ROUTE_FIELDS>
/** Resolved options of the section. */
export type PrefetchSection = z.output<typeof WHOLE_FIELDS>
/** What names a client. */
export type ClientSource = PrefetchSection['client']

/** Of a gateway that has no section. */
export const PREFETCH_DEFAULTS: PrefetchSection = WHOLE_FIELDS.parse({})
