/**
 * The meter's numbers in Prometheus' words, through prom-client's registry: nothing is copied until somebody scrapes.
 *
 * Floor 4, room ops. Names, labels and texts are those of model/metric.ts. Only what is measured is exposed: a family
 * without a source is not registered. A scrape costs a pass over the routes' counters, nothing per entry.
 */
import { collectDefaultMetrics, type Metric, type PrometheusContentType, Registry } from 'prom-client'
import type { MemoryState } from '../flow/governor.ts'
import { BOUNDS_SECONDS } from '../model/histogram.ts'
import type { LabelledHistogram, Meter } from '../model/meter.ts'
import {
  COUNTER_ROWS,
  type CounterName,
  type CounterRow,
  GAUGE_ROWS,
  type GaugeName,
  HISTOGRAM_ROWS,
  type HistogramName,
} from '../model/metric.ts'

/** What is exposed. */
export interface MetricSource {
  readonly meter: Meter
  readonly memory: { readonly size: number; readonly bytes: number; readonly maxBytes: number }
  readonly governor?: { state(): MemoryState } | undefined
  readonly second?: { readonly isUp: boolean; readonly queueBytes: number } | undefined
}

/** How it is exposed. */
export interface PrometheusOptions {
  /** Before each name; '' gives the bare names; default `forecache_`. */
  readonly prefix?: string
  /** Registry to add to; default: a new one. */
  readonly registry?: Registry<PrometheusContentType>
  /** Adds prom-client's metrics of the process under their usual names, `process_*` and `nodejs_*`; default false. */
  readonly process?: boolean
}

/** One number of a family. */
export interface Sample {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
}

/** A family that computes its samples when it is asked; to a registry it looks like any metric of prom-client. */
class CollectedFamily {
  readonly name: string
  readonly help: string
  readonly type: Family['type']
  readonly aggregator = 'sum'
  readonly #collect: () => Sample[]

  constructor(family: Family, collect: () => Sample[]) {
    this.name = family.name
    this.help = family.help
    this.type = family.type
    this.#collect = collect
  }

  async get(): Promise<Family & { aggregator: string; values: Sample[] }> {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: this.#collect() }
  }

  /** Registries ask for it; counters of a running cache are not set back. */
  reset(): void {}
}

/** Adds a family whose samples are computed when somebody scrapes. */
export function addFamily(registry: Registry<PrometheusContentType>, family: Family, collect: () => Sample[]): void {
  registry.registerMetric(new CollectedFamily(family, collect) as unknown as Metric)
}

/**
 * @returns the registry, with every metric registered
 * @throws prom-client's error when the registry has a metric of one of these names
 */
export function exposeMetrics(source: MetricSource, options: PrometheusOptions = {}): Registry<PrometheusContentType> {
  const { prefix = 'forecache_', registry = new Registry(), process: withProcess = false } = options
  const add = (family: Family, collect: () => Sample[]): void => {
    addFamily(registry, { ...family, name: prefix + family.name }, collect)
  }
  for (const names of counterFamilies()) {
    const { name, help } = COUNTER_ROWS[names[0] as CounterName]
    add({ name, help, type: 'counter' }, () => names.flatMap((counter) => counterSamples(source.meter, counter)))
  }
  for (const [key, row] of Object.entries(HISTOGRAM_ROWS)) {
    const name = prefix + row.name
    const collect = (): Sample[] =>
      source.meter.histograms(key as HistogramName).flatMap((series) => histogramSamples(name, series))
    add({ ...row, type: 'histogram' }, collect)
  }
  for (const [key, row] of Object.entries(GAUGE_ROWS)) {
    add({ ...row, type: 'gauge' }, () => gaugeSamples(source, key as GaugeName))
  }
  if (withProcess) collectDefaultMetrics({ register: registry })
  return registry
}

type SecondGauge = 'l2Up' | 'l2QueueBytes'
type SimpleGauge = Exclude<GaugeName, `memory${string}` | SecondGauge>
type MemoryGauge = Exclude<GaugeName, SimpleGauge | SecondGauge | 'memoryLedger'>

const GAUGES: Readonly<Record<SimpleGauge, (source: MetricSource) => number>> = {
  entries: ({ memory }) => memory.size,
  bytes: ({ memory }) => memory.bytes,
  maxBytes: ({ memory }) => memory.maxBytes,
  effectiveHitRatio: ({ meter }) => meter.rates().effectiveHit,
}

const MEMORY_GAUGES: Readonly<Record<MemoryGauge, (state: MemoryState) => number>> = {
  memoryLimit: (state) => state.limitBytes,
  memoryEffective: (state) => state.effectiveBytes,
  memoryRss: (state) => state.rssBytes,
  memoryBase: (state) => state.baseBytes,
}

function gaugeSamples(source: MetricSource, gauge: GaugeName): Sample[] {
  if (Object.hasOwn(GAUGES, gauge)) return [{ labels: {}, value: GAUGES[gauge as SimpleGauge](source) }]
  if (gauge === 'l2Up' || gauge === 'l2QueueBytes') return secondSamples(source.second, gauge)
  const state = source.governor?.state()
  if (state === undefined) return []
  if (gauge !== 'memoryLedger') return [{ labels: {}, value: MEMORY_GAUGES[gauge as MemoryGauge](state) }]
  return Object.entries(state.ledger).map(([account, value]) => ({ labels: { account }, value }))
}

/** None where there is no second level. */
function secondSamples(second: MetricSource['second'], gauge: SecondGauge): Sample[] {
  if (second === undefined) return []
  return [{ labels: {}, value: gauge === 'l2Up' ? Number(second.isUp) : second.queueBytes }]
}

/** Counters grouped by the family they belong to. */
function counterFamilies(): CounterName[][] {
  const families = new Map<string, CounterName[]>()
  for (const [counter, { name }] of Object.entries(COUNTER_ROWS)) {
    const family = families.get(name)
    if (family === undefined) families.set(name, [counter as CounterName])
    else family.push(counter as CounterName)
  }
  return [...families.values()]
}

function counterSamples(meter: Meter, counter: CounterName): Sample[] {
  const row: CounterRow = COUNTER_ROWS[counter]
  if (!row.perRoute) return [{ labels: row.labels ?? {}, value: meter.read(counter) }]
  return meter.routes.map((route, id) => ({ labels: { ...row.labels, route }, value: meter.read(counter, id) }))
}

function histogramSamples(name: string, { cached, stale, route, histogram }: LabelledHistogram): Sample[] {
  const labels = { cached: String(cached), stale: String(stale), route }
  const count = histogram.count
  const samples: Sample[] = histogram.cumulative().map((value, index) => {
    return { metricName: `${name}_bucket`, labels: { le: BOUNDS_SECONDS[index] as number, ...labels }, value }
  })
  samples.push({ metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count })
  samples.push({ metricName: `${name}_sum`, labels, value: histogram.sum })
  samples.push({ metricName: `${name}_count`, labels, value: count })
  return samples
}
