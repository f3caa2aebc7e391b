/**
 * `GET /v1/stats`: counters, rates, latencies and the targets they are measured against, in all and per route.
 *
 * Floor 4, room ops.
 */
import { readStats, type Stats, type StatsSource } from '../flow/stats.ts'
import { type Endpoint, jsonReply } from '../model/endpoint.ts'
import { BOUNDS_SECONDS, Histogram } from '../model/histogram.ts'
import type { LabelledHistogram, Meter, Rates, RouteId } from '../model/meter.ts'
import type { CounterName } from '../model/metric.ts'
import { readChanges, type RouteChanges } from './route-changes.ts'
import { STATS_TEXT } from './texts.ts'

/** Percentiles of one kind of answers, ms. */
export interface Latency {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** Latencies by where the answer came from; kinds that never happened are left out. */
export interface Latencies {
  readonly cached?: Latency
  readonly stale?: Latency
  readonly uncached?: Latency
}

/** One route's share. */
export interface RouteStats {
  readonly route: string
  readonly rates: Rates
  readonly counts: Readonly<Partial<Record<CounterName, number>>>
  readonly latency: Latencies
  /** How often its answers really change; absent: nothing was compared. */
  readonly changes?: RouteChanges
}

/** A figure to hold and what it is now, both as shares of 0 to 1. */
export interface Target {
  readonly name: string
  readonly wanted: string
  readonly now: number
  readonly held: boolean
}

/** The answer of `/v1/stats`. */
export interface FullStats extends Stats {
  readonly latency: Latencies
  readonly targets: readonly Target[]
  readonly routes: readonly RouteStats[]
}

const FAST_SECONDS = 0.015
const FAST_SHARE = 0.99
const MAX_STALE = 0.05
const MAX_REFRESH_FAILURE = 0.001

/** @param source asked at each request @returns the endpoint */
export function createStatsEndpoint(source: () => StatsSource | Promise<StatsSource>): Endpoint {
  return {
    method: 'GET',
    path: '/v1/stats',
    about: STATS_TEXT,
    handle: async () => jsonReply(200, readFullStats(await source())),
  }
}

/** Reads everything; costs a pass over routes and their histograms. */
export function readFullStats(source: StatsSource): FullStats {
  const { meter } = source
  const series = doorSeries(meter)
  return {
    ...readStats(source),
    latency: latencies(series),
    targets: targets(meter.rates(), series),
    routes: meter.routes
      .map((route, id) =>
        routeStats(
          meter,
          id,
          series.filter((one) => one.route === route),
        ),
      )
      .filter(isUsed),
  }
}

/** Times at the door where a door measures them, else those of the library. */
function doorSeries(meter: Meter): LabelledHistogram[] {
  const atDoor = meter.histograms('request')
  return atDoor.length > 0 ? atDoor : meter.histograms('hit')
}

function latencies(series: readonly LabelledHistogram[]): Latencies {
  const cached = latency(series.filter((one) => one.cached && !one.stale))
  const stale = latency(series.filter((one) => one.stale))
  const uncached = latency(series.filter((one) => !one.cached && !one.stale))
  return { ...(cached && { cached }), ...(stale && { stale }), ...(uncached && { uncached }) }
}

function latency(series: readonly LabelledHistogram[]): Latency | undefined {
  const all = merge(series)
  if (all.count === 0) return undefined
  const ms = (share: number): number => Number((all.quantile(share) * 1000).toPrecision(3))
  return { count: all.count, p50Ms: ms(0.5), p95Ms: ms(0.95), p99Ms: ms(0.99) }
}

function merge(series: readonly LabelledHistogram[]): Histogram {
  return series.reduce((all, { histogram }) => all.merge(histogram), new Histogram())
}

function targets(rates: Rates, series: readonly LabelledHistogram[]): Target[] {
  const cached = merge(series.filter((one) => one.cached))
  const fast = cached.count === 0 ? 1 : (cached.cumulative()[BOUNDS_SECONDS.indexOf(FAST_SECONDS)] as number) / cached.count
  return [
    { name: 'cached answers within 15 ms', wanted: `at least ${FAST_SHARE}`, now: fast, held: fast >= FAST_SHARE },
    { name: 'stale answers', wanted: `under ${MAX_STALE}`, now: rates.stale, held: rates.stale < MAX_STALE },
    {
      name: 'failed refreshes',
      wanted: `under ${MAX_REFRESH_FAILURE}`,
      now: rates.refreshFailure,
      held: rates.refreshFailure < MAX_REFRESH_FAILURE,
    },
  ]
}

function routeStats(meter: Meter, id: RouteId, series: readonly LabelledHistogram[]): RouteStats {
  const all = meter.totals(id)
  const counts = Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0))
  const changes = readChanges(all)
  return {
    route: meter.routes[id] as string,
    rates: meter.rates(id),
    counts,
    latency: latencies(series),
    ...(changes.compared > 0 && { changes }),
  }
}

function isUsed({ counts, latency: measured }: RouteStats): boolean {
  return Object.keys(counts).length > 0 || Object.keys(measured).length > 0
}
