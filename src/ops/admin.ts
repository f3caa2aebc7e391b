/**
 * Administration: the endpoints that the api server mounts, over one engine.
 *
 * Floor 4, room ops. Keys and methods are the server's business; what a handler gets is allowed and complete.
 */
import { hostname } from 'node:os'
import type { Engine } from '../flow/engine.ts'
import { type ApiReply, type Endpoint, jsonReply } from '../model/endpoint.ts'
import { createExplainer, type Explainer, type ExplainerParts } from './explain-endpoint.ts'
import { createInvalidateEndpoint } from './invalidate.ts'
import { exposeMetrics, type MetricSource, type PrometheusOptions } from './prometheus.ts'
import { createStatsEndpoint } from './stats.ts'
import { Streams } from './stream.ts'
import { INSTANCES_TEXT, METRICS_TEXT } from './texts.ts'
import { createTopEndpoint } from './top.ts'
import { engineWhole, type Whole } from './whole.ts'

/** What administration works on. */
export interface AdminParts extends ExplainerParts {
  readonly metrics?: PrometheusOptions
  /** What is spoken for; default: the engine alone. */
  readonly whole?: (explainer: Explainer) => Whole
}

/** The endpoints, and how to let go of what they listen to. */
export interface Admin {
  readonly endpoints: readonly Endpoint[]
  close(): void
}

/** Begins to remember what happens to keys, and returns the endpoints. */
export function createAdmin(parts: AdminParts): Admin {
  const { engine } = parts
  const explainer = createExplainer(parts)
  const whole = parts.whole?.(explainer) ?? engineWhole(engine, explainer)
  let source: MetricSource = engine
  const current: MetricSource = {
    get meter() {
      return source.meter
    },
    get memory() {
      return source.memory
    },
    get governor() {
      return source.governor
    },
  }
  const registry = exposeMetrics(current, parts.metrics)
  whole.expose(registry, parts.metrics?.prefix)
  const streams = new Streams(whole.stream)
  const startedAt = new Date(engine.clock.wall()).toISOString()
  return {
    endpoints: [
      createInvalidateEndpoint(whole, parts.authority ?? (() => undefined)),
      createStatsEndpoint(() => whole.stats()),
      { ...explainer.endpoint, handle: async ({ query }) => jsonReply(200, await whole.explain(query)) },
      createTopEndpoint((windowMs) => whole.watch(windowMs)),
      {
        method: 'GET',
        path: '/v1/instances',
        about: INSTANCES_TEXT,
        handle: () => jsonReply(200, { instances: [{ ...describeInstance(engine, startedAt), ...whole.describe() }] }),
      },
      streams.endpoint,
      {
        method: 'GET',
        path: '/metrics',
        about: METRICS_TEXT,
        handle: async () => {
          source = await whole.stats()
          return metricsReply(registry.contentType, await registry.metrics())
        },
      },
    ],
    close: () => {
      explainer.close()
      streams.close()
    },
  }
}

function metricsReply(type: string, body: string): ApiReply {
  return { status: 200, fields: { 'content-type': type, 'cache-control': 'no-store' }, body }
}

function describeInstance(engine: Engine, startedAt: string): object {
  return {
    id: engine.generation,
    self: true,
    host: hostname(),
    pid: process.pid,
    node: process.versions.node,
    startedAt,
    horizon: engine.fence.horizon,
    entries: engine.memory.size,
    bytes: engine.memory.bytes,
  }
}
