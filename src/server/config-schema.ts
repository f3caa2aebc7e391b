/**
 * The gateway's configuration: every option with its type, unit, default, range and text.
 *
 * Floor 5, room server. The one place where they are written: parsing, JSON Schema and the reference page read it. Unknown
 * names are refused at every level. Sections that belong to lower rooms are those rooms' own schemas.
 */
import { z } from 'zod'
import { CACHE_OPTIONS } from '../flow/options.ts'
import { PREFETCH } from '../flow/prefetch-options.ts'
import { COMPRESS } from '../http/compression.ts'
import { ROUTES } from '../http/policy.ts'
import { REGISTRY, SCALER, SNAPSHOT } from './fleet-schema.ts'
import { address, bytes, count, deadline, window } from './option-shapes.ts'
import { RESP } from './resp-schema.ts'
import { ORIGIN_TLS, TLS } from './tls-schema.ts'

const MINUTE = 60_000
const MAX_WORKERS = 256
const WORKERS = `expected auto or a number from 1 to ${MAX_WORKERS}`
const DAY = 24 * 60 * MINUTE
const KIB = 1024
const MIB = 1024 * KIB

/** An origin's URL says where, not who or what: user, query and fragment have no place in it. */
function isPlainUrl(given: string): boolean {
  if (!URL.canParse(given)) return true // told by the check before
  const { username, password, search, hash } = new URL(given)
  return username === '' && password === '' && search === '' && hash === ''
}

const API = z
  .strictObject({
    listen: address().default({ host: '127.0.0.1', port: 8081 }).meta({
      unit: 'HOST:PORT',
      shown: '127.0.0.1:8081',
      description: 'Administration, metrics and health; port 0 takes any free one.',
    }),
    keys: z.array(z.string().min(16)).max(1000).default([]).meta({
      description:
        'API keys of at least 16 characters, or `sha256:` and 64 hex digits of one; sent as `x-api-key` or bearer. Without any, the api port is open to whoever reaches it.',
    }),
    insecure: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows an api port without keys on an address that is not loopback.' }),
    tls: TLS.optional().meta({ description: 'HTTPS on the api port; without it the port speaks plain HTTP.' }),
  })
  .prefault({})

const CACHE_API = z
  .strictObject({
    maxValue: bytes(1, 256 * MIB, 'a size from 1 to 256MiB')
      .default(MIB)
      .meta({ unit: 'bytes', shown: '1MiB', description: 'Largest value; a larger one is answered 413.' }),
    ttl: window()
      .default(MINUTE)
      .meta({ unit: 'ms', shown: '60s', description: 'Fresh window of a value that is written without one.' }),
    maxTtl: window()
      .default(30 * DAY)
      .meta({
        unit: 'ms',
        shown: '30d',
        description: 'Longest window a writer may ask for, `stale` and `onError` included; more is answered 400.',
      }),
    maxBatch: bytes(KIB, 256 * MIB, 'a size from 1KiB to 256MiB')
      .default(16 * MIB)
      .meta({ unit: 'bytes', shown: '16MiB', description: 'Content of `POST /cache`, and the values in its answer.' }),
    maxKeys: count(100_000).default(1000).meta({ unit: 'keys', description: 'Keys in one `POST /cache`.' }),
    namespaces: count(1_000_000)
      .default(1000)
      .meta({ unit: 'namespaces', description: 'Namespaces in use before a write may name no further one (507).' }),
  })
  .refine(({ ttl, maxTtl }) => ttl <= maxTtl, { path: ['ttl'], error: 'must not exceed cacheApi.maxTtl' })
  .prefault({})

const ORIGIN = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected http://host:port or https://host:port' })
    .refine(isPlainUrl, { error: 'expected http://host:port or https://host:port, without user, query or fragment' })
    .meta({ description: 'Where requests go. A path is put before every target.' }),
  connectTimeout: deadline().default(5000).meta({ unit: 'ms', shown: '5s', description: 'For a connection to be made.' }),
  headTimeout: deadline().default(30_000).meta({
    unit: 'ms',
    shown: '30s',
    description: 'From the request, or its last byte sent, to the head of the answer; over the wait for a connection too.',
  }),
  bodyTimeout: deadline()
    .default(30_000)
    .meta({ unit: 'ms', shown: '30s', description: "Between two reads of an answer's body." }),
  keepAlive: deadline()
    .default(4000)
    .meta({ unit: 'ms', shown: '4s', description: "An unused connection is closed after this; keep it below the origin's own." }),
  connections: count(65_536).default(128).meta({ unit: 'connections', description: 'Connections at once.' }),
  waiting: count(1_000_000)
    .default(1024)
    .meta({ unit: 'requests', description: 'Requests that may wait for a connection; one more is answered 503.' }),
  maxHead: bytes(KIB, 16 * MIB, 'a size from 1KiB to 16MiB')
    .default(64 * KIB)
    .meta({ unit: 'bytes', shown: '64KiB', description: 'Largest head of an answer.' }),
  http2: z.boolean().default(false).meta({
    description: 'Speaks HTTP/2 with an https origin that offers it (ALPN); all others are spoken to as without.',
  }),
  tls: ORIGIN_TLS.prefault({}).meta({ description: 'TLS towards an https origin.' }),
})

const LIMITS = z
  .strictObject({
    connections: count(1_000_000)
      .default(10_000)
      .meta({ unit: 'connections', description: 'Client connections at once; further ones are closed.' }),
    streams: count(10_000)
      .default(100)
      .meta({ unit: 'requests', description: 'Requests at once on one HTTP/2 connection; one more is refused.' }),
    head: bytes(KIB, MIB, 'a size from 1KiB to 1MiB')
      .default(32 * KIB)
      .meta({ unit: 'bytes', shown: '32KiB', description: 'Request line and fields together; more is answered 431.' }),
    fields: count(2000).default(100).meta({ unit: 'fields', description: 'Header fields of a request; more is answered 431.' }),
    target: bytes(64, MIB, 'a size from 64 to 1MiB')
      .default(8 * KIB)
      .meta({ unit: 'bytes', shown: '8KiB', description: 'Request target; a longer one is answered 414.' }),
    body: bytes(0, Number.MAX_SAFE_INTEGER, 'a size')
      .default(1024 * MIB)
      .meta({ unit: 'bytes', shown: '1GiB', description: 'Content of a request; more is answered 413.' }),
    headTimeout: deadline()
      .default(10_000)
      .meta({ unit: 'ms', shown: '10s', description: "From a request's first byte to the end of its head." }),
    requestTimeout: deadline()
      .default(5 * MINUTE)
      .meta({ unit: 'ms', shown: '5m', description: "From a request's first byte to its last." }),
    bodyTimeout: deadline()
      .default(30_000)
      .meta({ unit: 'ms', shown: '30s', description: "Between two chunks of a request's content." }),
    writeTimeout: deadline().default(30_000).meta({
      unit: 'ms',
      shown: '30s',
      description: 'A client that takes nothing of its answer for so long loses its connection.',
    }),
    keepAlive: deadline()
      .default(MINUTE)
      .meta({ unit: 'ms', shown: '1m', description: 'A connection without a request is closed after this.' }),
    tunnelTimeout: deadline()
      .default(5 * MINUTE)
      .meta({
        unit: 'ms',
        shown: '5m',
        description: 'A WebSocket on which nothing moves in either direction is closed after this.',
      }),
    drain: deadline()
      .default(10_000)
      .meta({ unit: 'ms', shown: '10s', description: 'Time for requests under way when the process is told to stop.' }),
  })
  .prefault({})

const HEADERS = z
  .strictObject({
    latency: z
      .union([z.enum(['off', 'on', 'request']), z.boolean().transform((given) => (given ? ('on' as const) : ('off' as const)))])
      .default('off')
      .meta({ description: 'X-Cache-Latency in µs: never, on every answer, or where the request bears `x-cache-latency`.' }),
    trust: z.array(z.string()).max(1000).default([]).meta({
      description:
        "Proxies whose X-Forwarded-For, X-Forwarded-Proto and Forwarded are believed: addresses, networks, `loopback`, `private`. All others' are replaced.",
    }),
  })
  .prefault({})

const METRICS = z
  .strictObject({
    prefix: z
      .string()
      .regex(/^(?:[a-zA-Z_][a-zA-Z0-9_]*)?$/, { error: 'expected letters, digits and _' })
      .default('forecache_')
      .meta({ description: 'Before every name at `/metrics`; empty gives the bare names.' }),
    process: z
      .boolean()
      .default(true)
      .meta({ description: 'Adds metrics of the process under their usual names: CPU, memory, event loop, garbage collection.' }),
  })
  .prefault({})

const LOG = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .meta({ description: 'Least severity that is written.' }),
  })
  .prefault({})

/** The whole configuration. */
export const CONFIG = z.strictObject({
  listen: address()
    .default({ host: '127.0.0.1', port: 8080 })
    .meta({ unit: 'HOST:PORT', shown: '127.0.0.1:8080', description: 'Where clients connect; port 0 takes any free one.' }),
  tls: TLS.optional().meta({ description: 'HTTPS where clients connect; without it the port speaks plain HTTP.' }),
  h2c: z.boolean().default(false).meta({
    description: 'Speaks HTTP/2 without TLS to clients that begin with it (prior knowledge), such as a proxy beside the gateway.',
  }),
  origin: ORIGIN.optional().meta({ description: 'The API behind the gateway; may be left out where `resp` is the only door.' }),
  resp: RESP.optional().meta({
    description: 'The Redis door: a front before a Redis, or a cache that speaks its protocol; docs/guide/redis-front.md.',
  }),
  profile: z.enum(['safe', 'conformance']).default('safe').meta({
    description:
      '`safe`: nothing is shared or served stale that was not clearly allowed. `conformance`: everything RFC 9111 allows.',
  }),
  api: API.meta({ description: 'Administration, metrics and health.' }),
  cacheApi: CACHE_API.meta({ description: 'The native cache API, `/cache` on the api port.' }),
  memory: CACHE_OPTIONS.shape.memory.meta({ description: 'What is kept in memory.' }),
  l2: CACHE_OPTIONS.shape.l2,
  audit: CACHE_OPTIONS.shape.audit,
  refreshAhead: CACHE_OPTIONS.shape.refreshAhead,
  warming: CACHE_OPTIONS.shape.warming,
  adaptive: CACHE_OPTIONS.shape.adaptive,
  prefetch: PREFETCH.prefault(false).meta({
    description:
      'Fetches what a client is likely to ask for next, before he does, within a budget of extra requests: `true`, `false`, or `{extra, minChance, patience, concurrency, credentials, hints, bodies, routes, client, clients, rules}`; docs/guide/prediction.md.',
  }),
  contexts: CACHE_OPTIONS.shape.contexts,
  routes: ROUTES.default([]).meta({ description: 'Route policies; the most specific path wins.' }),
  events: CACHE_OPTIONS.shape.events,
  limits: LIMITS.meta({ description: 'What clients may cost.' }),
  headers: HEADERS.meta({ description: 'Fields that the gateway reads and writes.' }),
  lane: z.boolean().default(true).meta({
    description: 'Answers hits from the raw socket, before the HTTP stack; the same answers, for less.',
  }),
  compress: COMPRESS.default(true).meta({
    description:
      'Other codings (br, gzip, zstd) of stored responses, made when they are stored and chosen by Accept-Encoding: `true`, `false`, or `{codings, minBytes, types}`; docs/guide/compression.md.',
  }),
  workers: z
    .union([z.string(), z.number()], { error: WORKERS })
    .transform((given, context) => {
      const count = Number(given)
      if (given === 'auto') return given
      if (Number.isInteger(count) && count >= 1 && count <= MAX_WORKERS) return count
      context.addIssue({ code: 'custom', message: WORKERS, input: given })
      return z.NEVER
    })
    .default(1)
    .meta({
      unit: 'processes',
      description:
        'Processes that share the port and keep one log of invalidations; `auto`: one for each core. Above 1 a supervisor owns the api port and answers for all.',
    }),
  registry: REGISTRY.meta({ description: 'The list of all instances; docs/guide/scale-out.md.' }),
  scaler: SCALER.optional().meta({
    description: 'Starts and ends instances by load: one of `ecs`, `kubernetes`, `webhook`, `command`.',
  }),
  snapshot: SNAPSHOT.optional().meta({ description: 'Keeps what is hot on disk, for the next start.' }),
  metrics: METRICS.meta({ description: 'What `/metrics` shows.' }),
  log: LOG.meta({ description: 'What is written on stderr.' }),
})

/** The configuration as users write it. */
export type ConfigInput = z.input<typeof CONFIG>
/** The section `origin`, defaults filled in. */
export type OriginSettings = z.output<typeof ORIGIN>
/** The configuration with every default filled in; durations in ms, sizes in bytes; what lower rooms parse stays as written. */
export interface Config extends Omit<z.output<typeof CONFIG>, 'routes' | 'contexts'> {
  readonly routes: z.input<typeof ROUTES>
  readonly contexts: NonNullable<ConfigInput['contexts']>
}
