/**
 * What one administration speaks for: a single engine, or all processes of an instance as if they were one.
 *
 * Floor 4, room ops.
 */
import type { PrometheusContentType, Registry } from 'prom-client'
import type { Engine } from '../flow/engine.ts'
import type { InvalidateInput, InvalidateResult } from '../flow/invalidate.ts'
import type { Violation } from '../model/audit.ts'
import type { StatsSource } from '../flow/stats.ts'
import type { LargeCounts } from './advice.ts'
import type { UrlExplanation, Explainer } from './explain-endpoint.ts'
import { ownUsage } from './own-usage.ts'
import type { MetricSource } from './prometheus.ts'
import { engineSource, type StreamSource } from './stream.ts'
import { type ReadCounts, watchReads } from './top.ts'

/** Everything that is shown as numbers. */
export type WholeStats = StatsSource & MetricSource

/** Resources of all processes of an instance, since their start. */
export interface Usage {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** Processes that take requests. */
  readonly processes: number
  /** How late timers were of late, of the worst of them, ms. */
  readonly loopDelayMs: number
}

/** See the module's header. */
export interface Whole {
  /** Counts and gauges of now. */
  stats(): WholeStats | Promise<WholeStats>
  /** Counts reads for so long, ms. */
  watch(windowMs: number): Promise<ReadCounts>
  /** @throws FC_API_QUERY */
  explain(query: URLSearchParams): UrlExplanation | Promise<UrlExplanation>
  /** Resolves when nothing serves what it names. @throws FC_TAG_TYPE, FC_EVENT_UNKNOWN, FC_OPTION_VALUE */
  invalidate(input: InvalidateInput): Promise<InvalidateResult>
  /** The last broken promises that the audit found. */
  violations(): readonly Violation[] | Promise<readonly Violation[]>
  /** What the processes behind this one stored that is larger than it should be. */
  large(): readonly LargeCounts[] | Promise<readonly LargeCounts[]>
  readonly stream: StreamSource
  usage(): Usage
  /** What `/v1/instances` tells besides. */
  describe(): object
  /** Adds metrics of its own. */
  expose(registry: Registry<PrometheusContentType>, prefix: string | undefined): void
}

/** A single engine. */
export function engineWhole(engine: Engine, explainer: Explainer): Whole {
  return {
    stats: () => engine,
    watch: (windowMs) => watchReads(engine, windowMs),
    explain: (query) => explainer.explain(query),
    invalidate: (input) => engine.invalidateEverywhere(input),
    violations: () => engine.audit?.violations() ?? [],
    large: () => [],
    stream: engineSource(engine),
    usage: () => ({ ...ownUsage(), processes: 1 }),
    describe: () => ({}),
    expose: () => {},
  }
}
