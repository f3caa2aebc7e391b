/**
 * Administration: the endpoints that the api server mounts, over one engine.
 *
 * Floor 4, room ops. Keys and methods are the server's business; what a handler gets is allowed and complete.
 */
import { hostname } from 'node:os'
import type { Engine } from '../flow/engine.ts'
import { type ApiReply, type Endpoint, jsonReply } from '../model/endpoint.ts'
import type { ExplainPort } from '../model/explain.ts'
import { createExplainEndpoint } from './explain-endpoint.ts'
import { createInvalidateEndpoint } from './invalidate.ts'
import { Journal } from './journal.ts'
import { exposeMetrics, type PrometheusOptions } from './prometheus.ts'
import { createStatsEndpoint } from './stats.ts'
import { Streams } from './stream.ts'
import { createTopEndpoint } from './top.ts'

/** What administration works on. */
export interface AdminParts {
  readonly engine: Engine
  /** Doors that can say how they see a request; asked in order. */
  readonly doors?: readonly ExplainPort[]
  /** Authority (`host:port`) taken for a URL that names none: the gateway's own. */
  readonly authority?: () => string | undefined
  readonly metrics?: PrometheusOptions
  /** Keys whose last happening is remembered for explain; default 10,000. */
  readonly journalKeys?: number
}

/** The endpoints, and how to let go of what they listen to. */
export interface Admin {
  readonly endpoints: readonly Endpoint[]
  close(): void
}

/** Begins to remember what happens to keys, and returns the endpoints. */
export function createAdmin(parts: AdminParts): Admin {
  const { engine } = parts
  const journal = new Journal(engine.events, engine.clock, parts.journalKeys ?? 10_000)
  const registry = exposeMetrics(engine, parts.metrics)
  const streams = new Streams(engine)
  const startedAt = new Date(engine.clock.wall()).toISOString()
  return {
    endpoints: [
      createInvalidateEndpoint(engine),
      createStatsEndpoint(engine),
      createExplainEndpoint({ engine, journal, doors: parts.doors ?? [], authority: parts.authority ?? (() => undefined) }),
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
      journal.close()
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
