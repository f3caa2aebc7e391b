/**
 * `GET /metrics`: everything counted, in the Prometheus text format.
 *
 * Floor 4, room ops. What is shown is read once for each request: all series of an answer are of one moment.
 */
import type { Endpoint } from '../model/endpoint.ts'
import { exposeMetrics, type MetricSource, type PrometheusOptions } from './prometheus.ts'
import { METRICS_TEXT } from './texts.ts'
import type { Whole } from './whole.ts'

export type { PrometheusOptions } from './prometheus.ts'

/** What is asked for besides. */
export interface MetricParts {
  readonly metrics?: PrometheusOptions | undefined
  /** Adds metrics to those of the engine. */
  readonly expose?: Whole['expose'] | undefined
}

/** @param first what is shown until somebody asks */
export function createMetricsEndpoint(whole: Whole, first: MetricSource, { metrics, expose }: MetricParts): Endpoint {
  let source = first
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
    get second() {
      return source.second
    },
  }
  const registry = exposeMetrics(current, metrics)
  whole.expose(registry, metrics?.prefix)
  expose?.(registry, metrics?.prefix)
  return {
    method: 'GET',
    path: '/metrics',
    about: METRICS_TEXT,
    handle: async () => {
      source = await whole.stats()
      const fields = { 'content-type': registry.contentType, 'cache-control': 'no-store' }
      return { status: 200, fields, body: await registry.metrics() }
    },
  }
}
