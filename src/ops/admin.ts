/**
 * Administration: the endpoints that the api server mounts, over one engine.
 *
 * Floor 4, room ops. Keys and methods are the server's business; what a handler gets is allowed and complete.
 */
import { hostname } from 'node:os'
import type { Engine } from '../flow/engine.ts'
import { type ApiReply, type Endpoint, jsonReply } from '../model/endpoint.ts'
import { createExplainer, type ExplainerParts } from './explain-endpoint.ts'
import { createInvalidateEndpoint } from './invalidate.ts'
import { exposeMetrics, type PrometheusOptions } from './prometheus.ts'
import { createStatsEndpoint } from './stats.ts'
import { Streams } from './stream.ts'
import { createTopEndpoint } from './top.ts'

/** What administration works on. */
export interface AdminParts extends ExplainerParts {
  readonly metrics?: PrometheusOptions
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
  const registry = exposeMetrics(engine, parts.metrics)
  const streams = new Streams(engine)
  const startedAt = new Date(engine.clock.wall()).toISOString()
  return {
    endpoints: [
      createInvalidateEndpoint(engine, parts.authority ?? (() => undefined)),
      createStatsEndpoint(engine),
      explainer.endpoint,
      createTopEndpoint(engine),
      {
        method: 'GET',
        path: '/v1/instances',
        handle: () => jsonReply(200, { instances: [describeInstance(engine, startedAt)] }),
      },
      streams.endpoint,
      { method: 'GET', path: '/metrics', handle: async () => metricsReply(registry.contentType, await registry.metrics()) },
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
