/**
 * Rounds: each variant in turn, the same requests, then medians over the rounds.
 */
import { createTraffic } from '../../src/cli/demo/traffic.ts'
import { FULL_SIZES } from '../../src/cli/demo/shop/seed.ts'
import { Latencies, median, type Percentiles } from '../../src/cli/latency.ts'
import { type LoadReport, runLoad } from '../../src/cli/load.ts'
import type { Variant } from './plan.ts'
import { readCpuSeconds } from './usage.ts'

/** How much to measure. */
export interface RoundsWish {
  readonly rounds: number
  readonly seconds: number
  readonly clients: number
}

/** One variant in one round. */
export interface Measured {
  readonly variant: string
  readonly load: LoadReport
  readonly dashboard: Percentiles
  /** Processor time per request, µs; null where the system does not tell. */
  readonly cpuMicros: number | null
  readonly cachedShare: number | null
}

/** One variant over all rounds; times in ms. */
export interface VariantSummary {
  readonly name: string
  readonly perSecond: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly cpuMicros: number | null
  /** Answers that X-Cache says came from a cache of responses; null where no answer has the field. */
  readonly cachedShare: number | null
  readonly dashboard: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** Against the first variant, in the same round. */
  readonly p50Ratio: number
  readonly p95Ratio: number
}

const WARM_UP_MS = 1500
const SEED = 20
const DASHBOARD = '/api/v1/dashboard'

/** Rounds from first to last, each with every variant in order. The first, warming one is not kept. */
export async function measureRounds(variants: readonly Variant[], wish: RoundsWish): Promise<Measured[][]> {
  for (const variant of variants) await measure(variant, { ...wish, seconds: WARM_UP_MS / 1000 }, SEED)
  const rounds: Measured[][] = []
  for (let round = 0; round < wish.rounds; round += 1) {
    const measured: Measured[] = []
    for (const variant of variants) measured.push(await measure(variant, wish, SEED + 1 + round))
    rounds.push(measured)
  }
  return rounds
}

async function measure(variant: Variant, wish: RoundsWish, seed: number): Promise<Measured> {
  const dashboard = new Latencies()
  const before = await readCpuSeconds(variant.pids)
  const load = await runLoad({
    origin: variant.origin,
    clients: wish.clients,
    durationMs: wish.seconds * 1000,
    next: createTraffic(FULL_SIZES.products, seed, 0),
    onAnswer: (request, answered) => {
      if (request.path === DASHBOARD) dashboard.add(answered.ms)
    },
  })
  const after = await readCpuSeconds(variant.pids)
  const wrong = Object.keys(load.failures).concat(Object.keys(load.statuses).filter((status) => status !== '200'))
  if (wrong.length > 0) throw new Error(`${variant.name}: answers other than 200, or none: ${wrong.join(', ')}`)
  const cpuMicros = before === undefined || after === undefined ? null : ((after - before) * 1e6) / load.requests
  return { variant: variant.name, load, dashboard: dashboard.percentiles(), cpuMicros, cachedShare: shareOfCached(load) }
}

function shareOfCached({ classes, requests }: LoadReport): number | null {
  const words = Object.keys(classes)
  if (words.every((word) => word === 'none')) return null
  return ((classes['HIT']?.count ?? 0) + (classes['STALE']?.count ?? 0)) / requests
}

/** Medians over the rounds; ratios are taken within each round first. */
export function summarize(rounds: readonly (readonly Measured[])[]): VariantSummary[] {
  const [first] = rounds
  if (first === undefined) return []
  return first.map(({ variant }, at) => {
    const own = rounds.map((round) => round[at] as Measured)
    const over = (pick: (one: Measured) => number): number => median(own.map(pick))
    const ratio = (pick: (one: Measured) => number): number =>
      median(rounds.map((round) => pick(round[at] as Measured) / pick(round[0] as Measured)))
    const known = (pick: (one: Measured) => number | null): number | null => {
      const values = own.map(pick).filter((value) => value !== null)
      return values.length === 0 ? null : median(values)
    }
    return {
      name: variant,
      perSecond: over((one) => one.load.perSecond),
      p50: over((one) => one.load.all.p50),
      p95: over((one) => one.load.all.p95),
      p99: over((one) => one.load.all.p99),
      cpuMicros: known((one) => one.cpuMicros),
      cachedShare: known((one) => one.cachedShare),
      dashboard: {
        p50: over((one) => one.dashboard.p50),
        p95: over((one) => one.dashboard.p95),
        p99: over((one) => one.dashboard.p99),
      },
      p50Ratio: ratio((one) => one.load.all.p50),
      p95Ratio: ratio((one) => one.load.all.p95),
    }
  })
}
