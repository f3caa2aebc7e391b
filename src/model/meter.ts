/**
 * What happened, counted: counters per route and histograms per (cached, stale, route), in typed arrays.
 *
 * Floor 0, room model. Names become small integers once (`route`), then `count` is one indexed addition (about 1 ns)
 * and `observe` about 4 ns; neither allocates after the first use of a series. Routes are bounded: what comes after
 * `maxRoutes` is counted under `(other)`. How to use it:
 *
 *     const meter = createMeter()
 *     const route = meter.route('catalog')                                // once, at creation; 'default' is 0
 *     meter.count(COUNTER.hits, route)                                    // one more
 *     meter.add(COUNTER.invalidatedKeys, DEFAULT_ROUTE, targets.length)   // several
 *     meter.observe(HISTOGRAM.request, seconds, seriesOf(route, cached, stale))
 *
 * Every cacheable answer counts exactly one of hits, staleServes, reserveServes, misses; an uncached way counts passes.
 * What each counter means stands in model/metric.ts.
 */
import { Histogram, type HistogramWords } from './histogram.ts'
import { COUNTER, COUNTER_ROWS, type CounterName, HISTOGRAM_ROWS, type HistogramName } from './metric.ts'
import { Tally } from './tally.ts'

/** Small integer of a route. */
export type RouteId = number
/** Small integer of (route, cached, stale). */
export type Series = number

/** Route of everything that names none. */
export const DEFAULT_ROUTE: RouteId = 0

const COUNTER_NAMES = Object.keys(COUNTER_ROWS) as CounterName[]
const HISTOGRAM_NAMES = Object.keys(HISTOGRAM_ROWS) as HistogramName[]
const WIDTH = COUNTER_NAMES.length
const HISTOGRAMS = HISTOGRAM_NAMES.length
const SERIES_PER_ROUTE = 4
const OTHER = '(other)'

/** @returns the series of an answer, for `Meter.observe` */
export function seriesOf(route: RouteId, cached: boolean, stale: boolean): Series {
  return route * SERIES_PER_ROUTE + (cached ? 2 : 0) + (stale ? 1 : 0)
}

/** One histogram with its labels. */
export interface LabelledHistogram {
  readonly cached: boolean
  readonly stale: boolean
  readonly route: string
  readonly histogram: Histogram
}

/** What a meter has counted, on its way between processes of one version. */
export interface MeterWords {
  readonly routes: readonly string[]
  /** Every counter of the first route, then of the next. */
  readonly counts: Float64Array
  /** `series` is of `seriesOf` with this meter's route ids. */
  readonly histograms: readonly { readonly series: Series; readonly histogram: number; readonly words: HistogramWords }[]
}

/** Shares of cacheable requests since start, 0 to 1; 0 when there were none. */
export interface Rates {
  /** Fresh answers. */
  readonly hit: number
  /** Answers from the cache, fresh or stale: what the origin was spared. */
  readonly effectiveHit: number
  /** Stale answers; target: under 0.05. */
  readonly stale: number
  /** Background refreshes that failed, of those started; target: under 0.001. */
  readonly refreshFailure: number
  /** Requests that went round the cache, of all. */
  readonly bypass: number
}

/** See the module's header. */
export class Meter {
  readonly #maxRoutes: number
  readonly #routes = new Map<string, RouteId>()
  readonly #counts = new Tally(WIDTH * 4)
  readonly #histograms: (Histogram | undefined)[] = []
  readonly #followed = new Map<CounterName, () => number>()

  constructor(maxRoutes: number) {
    this.#maxRoutes = maxRoutes
    this.route('default')
  }

  /** The small integer of a route's name; ask once, at creation, not per request. */
  route(name: string): RouteId {
    const known = this.#routes.get(name)
    if (known !== undefined) return known
    if (name !== OTHER && this.#routes.size >= this.#maxRoutes - 1) return this.route(OTHER)
    const id = this.#routes.size
    this.#routes.set(name, id)
    if ((id + 1) * WIDTH > this.#counts.length) this.#counts.grow(this.#counts.length * 2)
    return id
  }

  /** One more. @param counter a number of `COUNTER` */
  count(counter: number, route: RouteId = DEFAULT_ROUTE): void {
    this.#counts.count(route * WIDTH + counter)
  }

  /** Several more. */
  add(counter: number, route: RouteId, by: number): void {
    this.#counts.add(route * WIDTH + counter, by)
  }

  /**
   * @param histogram a number of `HISTOGRAM`
   * @param seconds what was measured; ms / 1000
   * @param series of `seriesOf`
   */
  observe(histogram: number, seconds: number, series: Series): void {
    const at = series * HISTOGRAMS + histogram
    const found = this.#histograms[at]
    if (found !== undefined) found.record(seconds)
    else this.#begin(at).record(seconds)
  }

  /**
   * Adds what another part counts by itself (memory counts the hits of `peek`) to a counter of the default route.
   *
   * @param read the count since the start, never falling
   */
  follow(name: CounterName, read: () => number): void {
    this.#followed.set(name, read)
  }

  /** Names of all routes, in the order of their ids. */
  get routes(): string[] {
    return [...this.#routes.keys()]
  }

  /** A counter of one route, or of all routes together. */
  read(name: CounterName, route?: RouteId): number {
    const followed = route === undefined || route === DEFAULT_ROUTE ? (this.#followed.get(name)?.() ?? 0) : 0
    if (route !== undefined) return followed + this.#counts.read(route * WIDTH + COUNTER[name])
    let sum = followed
    for (let id = 0; id < this.#routes.size; id += 1) sum += this.#counts.read(id * WIDTH + COUNTER[name])
    return sum
  }

  /** Every counter by name, of one route or of all together. */
  totals(route?: RouteId): Record<CounterName, number> {
    return Object.fromEntries(COUNTER_NAMES.map((name) => [name, this.read(name, route)])) as Record<CounterName, number>
  }

  /** The series of a histogram that have been observed. */
  histograms(name: HistogramName): LabelledHistogram[] {
    const routes = this.routes
    const offset = HISTOGRAM_NAMES.indexOf(name)
    const found: LabelledHistogram[] = []
    for (let at = offset; at < this.#histograms.length; at += HISTOGRAMS) {
      const histogram = this.#histograms[at]
      if (histogram === undefined) continue
      const series = (at - offset) / HISTOGRAMS
      const route = routes[Math.floor(series / SERIES_PER_ROUTE)] as string
      found.push({ cached: (series & 2) !== 0, stale: (series & 1) !== 0, route, histogram })
    }
    return found
  }

  /** Hit rates of one route or of all together. */
  rates(route?: RouteId): Rates {
    const n = this.totals(route)
    const stale = n.staleServes + n.reserveServes
    const cacheable = n.hits + stale + n.misses
    return {
      hit: share(n.hits, cacheable),
      effectiveHit: share(n.hits + stale, cacheable),
      stale: share(stale, cacheable),
      refreshFailure: share(n.refreshFailures, n.refreshes),
      bypass: share(n.passes, cacheable + n.passes),
    }
  }

  /** Everything counted, for another process. */
  words(): MeterWords {
    const { routes } = this
    const counts = Float64Array.from({ length: routes.length * WIDTH }, (_, at) =>
      this.read(COUNTER_NAMES[at % WIDTH] as CounterName, Math.floor(at / WIDTH)),
    )
    const histograms = this.#histograms.flatMap((found, at) => {
      const [series, histogram] = [Math.floor(at / HISTOGRAMS), at % HISTOGRAMS]
      return found === undefined ? [] : [{ series, histogram, words: found.words() }]
    })
    return { routes, counts, histograms }
  }

  /** Adds what another process counted, route by route. */
  absorb({ routes, counts, histograms }: MeterWords): void {
    const ids = routes.map((name) => this.route(name))
    for (let at = 0; at < counts.length; at += 1)
      this.add(at % WIDTH, ids[Math.floor(at / WIDTH)] as RouteId, counts[at] as number)
    for (const { series, histogram, words } of histograms) {
      const id = ids[Math.floor(series / SERIES_PER_ROUTE)] as RouteId
      const at = (id * SERIES_PER_ROUTE + (series % SERIES_PER_ROUTE)) * HISTOGRAMS + histogram
      const found = this.#histograms[at] ?? this.#begin(at)
      found.absorb(words)
    }
  }

  #begin(at: number): Histogram {
    while (this.#histograms.length < at) this.#histograms.push(undefined) // keeps the array without holes
    const histogram = new Histogram()
    this.#histograms[at] = histogram
    return histogram
  }
}

/** @param maxRoutes routes counted apart, `default` and `(other)` included; at least 3 */
export function createMeter(maxRoutes = 1024): Meter {
  return new Meter(Math.max(3, maxRoutes))
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
