/**
 * What the administration's endpoints say of themselves: parameters and shapes of their answers.
 *
 * Floor 4, room ops. The OpenAPI document is printed from these, and a test holds every answer against them.
 */
import { z } from 'zod'
import type { EndpointText } from '../model/endpoint.ts'
import { COUNTER_ROWS } from '../model/metric.ts'
import { REASONS } from '../model/reason.ts'

const count = z.int().min(0)
const share = z.number().min(0).max(1)
const moment = z.string().meta({ format: 'date-time' })
const text = (): z.ZodString => z.string()
const counts = z.partialRecord(z.enum(Object.keys(COUNTER_ROWS) as [string, ...string[]]), count)
const rates = z.looseObject({ hit: share, effectiveHit: share, stale: share })
/** How often something changed; counts fade where they are told by `explain`. */
const CHANGES = { compared: z.number(), changed: z.number(), everyMs: count.nullable() }
const budget = z.strictObject({ freshMs: z.number(), staleMs: z.number(), onErrorMs: z.number() })
const latency = z.strictObject({ count, p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number() })
const latencies = z.strictObject({ cached: latency, stale: latency, uncached: latency }).partial()

const STATS = z.looseObject({
  entries: count,
  bytes: count,
  maxBytes: count,
  flights: count,
  refreshing: count,
  horizon: count,
  token: text(),
  counts,
  rates,
  latency: latencies,
  targets: z.array(z.strictObject({ name: text(), wanted: text(), now: z.number(), held: z.boolean() })),
  routes: z.array(
    z.strictObject({ route: text(), rates, counts, latency: latencies, changes: z.strictObject(CHANGES).optional() }),
  ),
})

const found = z.enum(['same', 'changed', 'unknown'])

const VIOLATION = z.strictObject({
  breach: z.enum(['invalidated', 'budget', 'outdated']),
  text: text().meta({ description: 'All of it in one sentence.' }),
  key: text(),
  route: text(),
  instance: text(),
  at: moment.meta({ description: 'When it was served.' }),
  storedAt: moment.meta({ description: 'When its reading of the origin began.' }),
  ageMs: count,
  promisedMs: count,
  budget,
  asOf: count,
  way: z.enum(['load', 'refresh', 'renewal', 'write', 'promotion', 'snapshot', 'unknown']),
  tags: z.array(text()),
  records: z.array(z.strictObject({ position: count, at: moment, by: text(), targets: z.array(text()) })),
  origin: found,
  second: found,
  staleMs: count.optional(),
  steps: z.array(z.strictObject({ at: moment, what: text() })),
})

const AUDIT = z.strictObject({
  settings: z
    .strictObject({
      share: z.number(),
      perSecond: z.number(),
      concurrency: count,
      timeout: z.number(),
      maxViolations: count,
    })
    .nullable()
    .meta({ description: 'Null: nothing is audited.' }),
  checks: z.strictObject({ current: count, outdated: count, violating: count, inconclusive: count, skipped: count }),
  violations: count.meta({ description: 'Broken promises since the start.' }),
  realStaleness: z.array(
    z.strictObject({ route: text(), stale: z.boolean(), count, p50Seconds: z.number(), p99Seconds: z.number() }),
  ),
  last: z.array(VIOLATION).meta({ description: 'Newest first.' }),
})

const EXPLANATION = z.looseObject({
  reason: z.enum(Object.keys(REASONS) as [string, ...string[]]),
  text: text(),
  cached: z.boolean(),
  key: text().nullable(),
  url: text().optional(),
  route: text().optional(),
  parts: z.array(z.strictObject({ name: text(), value: text(), note: text().optional() })).optional(),
  entry: z
    .strictObject({
      kind: z.enum(['value', 'pass', 'vary']),
      ageMs: count,
      bytes: count,
      budget,
      left: budget,
      tags: z.array(text()),
      namespace: text(),
    })
    .optional(),
  lastDecision: z.looseObject({ what: text(), at: moment }).optional(),
  lastFailure: z.strictObject({ at: moment, text: text() }).optional(),
  lastInvalidation: z
    .strictObject({ position: count, at: moment, by: text(), soft: z.boolean(), targets: z.array(text()) })
    .optional(),
  backoffMs: count.optional(),
  change: z.looseObject({ ...CHANGES, route: z.looseObject({ route: text(), ...CHANGES }) }).optional(),
  violations: z.array(VIOLATION).optional(),
  loading: z.boolean(),
})

const TOP = z.strictObject({
  windowMs: count,
  reads: count,
  errorReads: count,
  keys: z.array(z.strictObject({ key: text(), reads: count, perSecond: z.number(), share })),
})

const INSTANCES = z.strictObject({
  instances: z.array(
    z.looseObject({
      id: text(),
      self: z.boolean(),
      host: text(),
      pid: count,
      node: text(),
      startedAt: moment,
      entries: count,
      bytes: count,
      version: text().optional(),
      address: text().optional(),
      api: text().optional(),
      state: z.enum(['starting', 'ready', 'draining']).optional(),
      requestsPerSecond: z.number().optional(),
      cpu: z.number().optional().meta({ description: 'CPU time for each second and process.' }),
      loopDelayMs: z.number().optional(),
      p99Ms: z.number().optional(),
      rssBytes: count.optional(),
      hitRatio: share.optional(),
    }),
  ),
  complete: z.boolean().meta({ description: 'False where the registry could not be read: others may live.' }),
})

const INVALIDATED = z.strictObject({
  token: text().meta({ description: 'Version token of the log.' }),
  matched: count.meta({ description: 'Entries that were named.' }),
  nodes: z.strictObject({ expected: count, acknowledged: count }),
})

export const INVALIDATE_TEXT: EndpointText = {
  id: 'invalidate',
  summary: 'Invalidates keys, tags, URLs, prefixes, namespaces, or what events name',
  answers: {
    200: { description: 'Done: no read that begins later gets older data.', content: { 'application/json': INVALIDATED } },
    400: { description: 'The body is wrong; nothing was done.' },
    413: { description: 'The body is too large.' },
  },
}

export const STATS_TEXT: EndpointText = {
  id: 'getStats',
  summary: 'Counters, rates, latencies and targets, in all and per route',
  answers: { 200: { description: 'The state now.', content: { 'application/json': STATS } } },
}

export const EXPLAIN_TEXT: EndpointText = {
  id: 'explain',
  summary: 'How a URL or a key would be answered, and why',
  description: 'Either `key` or `url`. Asks no origin and counts no use.',
  parameters: [
    { name: 'key', in: 'query', description: 'A key as stored.' },
    { name: 'url', in: 'query', description: 'An absolute URL, or a path of this gateway.' },
    { name: 'method', in: 'query', description: 'Of the request by `url`; default GET.' },
    { name: 'header', in: 'query', description: '`name: value` of the request by `url`.', schema: z.array(text()) },
  ],
  answers: {
    200: { description: 'The explanation.', content: { 'application/json': EXPLANATION } },
    400: { description: 'Neither or both were given, or one cannot be read.' },
  },
}

export const AUDIT_TEXT: EndpointText = {
  id: 'getAudit',
  summary: 'What the audit found, and the last broken promises with their traces',
  answers: {
    200: { description: 'Counts since the start; all 0 where nothing is audited.', content: { 'application/json': AUDIT } },
  },
}

export const TOP_TEXT: EndpointText = {
  id: 'getTop',
  summary: 'The keys read most, counted while the request waits',
  parameters: [
    { name: 'seconds', in: 'query', description: 'Time to count; default 1.', schema: z.number().min(0.1).max(10) },
    { name: 'limit', in: 'query', description: 'Keys in the answer; default 20.', schema: z.number().min(1).max(1000) },
  ],
  answers: {
    200: { description: 'Most read first.', content: { 'application/json': TOP } },
    400: { description: 'A parameter is out of range.' },
  },
}

export const INSTANCES_TEXT: EndpointText = {
  id: 'getInstances',
  summary: 'The instances that share this cache',
  answers: { 200: { description: 'All that are known.', content: { 'application/json': INSTANCES } } },
}

export const STREAM_TEXT: EndpointText = {
  id: 'stream',
  summary: 'What happens inside, as server-sent events',
  parameters: [{ name: 'events', in: 'query', description: 'Names of events, commas between.' }],
  answers: {
    200: { description: 'Events until the client goes.', content: { 'text/event-stream': text() } },
    400: { description: 'An event is not known.' },
    503: { description: 'Too many streams are open.' },
  },
}

export const METRICS_TEXT: EndpointText = {
  id: 'getMetrics',
  summary: 'Metrics in the Prometheus text format',
  answers: { 200: { description: 'All metrics.', content: { 'text/plain': text() } } },
}
