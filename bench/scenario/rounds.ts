/**
 * Rounds: each variant in turn, the same requests, once paced and once as fast as they are answered.
 */
import { FULL_SIZES } from '../../src/cli/demo/shop/seed.ts'
import { createTraffic } from '../../src/cli/demo/traffic.ts'
import { Latencies, median, type Percentiles } from '../../src/cli/latency.ts'
import { type LoadReport, runLoad } from '../../src/cli/load.ts'
import { runPaced } from './paced.ts'
import type { Variant } from './plan.ts'
import { readCpuSeconds } from './usage.ts'

/** How much to measure. */
export interface RoundsWish {
  readonly rounds: number
  /** Of each of the two loads. */
  readonly seconds: number
  /** Requests per second of the paced load. */
  readonly rate: number
  /** Of the closed loop. */
  readonly clients: number
}

/** One variant over all rounds; times in ms. */
export interface VariantSummary {
  readonly name: string
  /** Paced: every variant sees the same arrivals. All rounds together. */
  readonly paced: Percentiles
  readonly pacedDashboard: Percentiles
  /** Uncached p50 / this one's, and the same of p95 and p99: medians of the rounds' ratios. */
  readonly faster: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** Closed loop: medians of the rounds. */
  readonly perSecond: number
  /** Processor time per request, µs; null where the system does not tell. */
  readonly cpuMicros: number | null
  /** Answers that X-Cache says came from a cache of responses; null where no answer has the field. */
  readonly cachedShare: number | null
}

interface Measured {
  readonly paced: Percentiles
  readonly perSecond: number
  readonly cpuMicros: number | null
  readonly cachedShare: number | null
}

interface Series {
  readonly variant: Variant
  readonly all: Latencies
  readonly dashboard: Latencies
  readonly rounds: Measured[]
}

const WARM_UP_MS = 1500
const SEED = 20
const DASHBOARD = '/api/v1/dashboard'

/** Rounds from first to last, each with every variant in order, after one that only warms. */
export async function measureRounds(variants: readonly Variant[], wish: RoundsWish): Promise<VariantSummary[]> {
  for (const variant of variants) await race(variant, { ...wish, seconds: WARM_UP_MS / 1000 }, SEED)
  const all = variants.map((variant): Series => ({ variant, all: new Latencies(), dashboard: new Latencies(), rounds: [] }))
  for (let round = 1; round <= wish.rounds; round += 1) {
    for (const series of all) {
      const paced = await pace(series, wish, SEED + round)
      series.rounds.push({ paced, ...(await race(series.variant, wish, SEED - round)) })
    }
  }
  const [first] = all
  return first === undefined ? [] : all.map((series) => summarize(series, first))
}

async function pace(series: Series, wish: RoundsWish, seed: number): Promise<Percentiles> {
  const round = new Latencies()
  await runPaced({
    origin: series.variant.origin,
    rate: wish.rate,
    seconds: wish.seconds,
    seed,
    next: createTraffic(FULL_SIZES.products, seed, 0),
    onAnswer: (request, ms) => {
      round.add(ms)
      series.all.add(ms)
      if (request.path === DASHBOARD) series.dashboard.add(ms)
    },
  })
  return round.percentiles()
}

async function race(variant: Variant, wish: RoundsWish, seed: number): Promise<Omit<Measured, 'paced'>> {
  const before = await readCpuSeconds(variant.pids)
  const load = await runLoad({
    origin: variant.origin,
    clients: wish.clients,
    durationMs: wish.seconds * 1000,
    next: createTraffic(FULL_SIZES.products, seed, 0),
  })
  const after = await readCpuSeconds(variant.pids)
  const wrong = Object.keys(load.failures).concat(Object.keys(load.statuses).filter((status) => status !== '200'))
  if (wrong.length > 0) throw new Error(`${variant.name}: answers other than 200, or none: ${wrong.join(', ')}`)
  const cpuMicros = before === undefined || after === undefined ? null : ((after - before) * 1e6) / load.requests
  return { perSecond: load.perSecond, cpuMicros, cachedShare: shareOfCached(load) }
}

function shareOfCached({ classes, requests }: LoadReport): number | null {
  const words = Object.keys(classes)
  if (words.every((word) => word === 'none')) return null
  return ((classes['HIT']?.count ?? 0) + (classes['STALE']?.count ?? 0)) / requests
}

function summarize(series: Series, first: Series): VariantSummary {
  const faster = (name: 'p50' | 'p95' | 'p99'): number =>
    median(series.rounds.map((own, round) => (first.rounds[round] as Measured).paced[name] / own.paced[name]))
  const known = (pick: (one: Measured) => number | null): number | null => {
    const values = series.rounds.map(pick).filter((value) => value !== null)
    return values.length === 0 ? null : median(values)
  }
  return {
    name: series.variant.name,
    paced: series.all.percentiles(),
    pacedDashboard: series.dashboard.percentiles(),
    faster: { p50: faster('p50'), p95: faster('p95'), p99: faster('p99') },
    perSecond: median(series.rounds.map((one) => one.perSecond)),
    cpuMicros: known((one) => one.cpuMicros),
    cachedShare: known((one) => one.cachedShare),
  }
}
