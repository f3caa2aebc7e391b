/**
 * Latencies of one class of answers, and their percentiles.
 *
 * Floor 6, room cli. Exact up to `MAX_SAMPLES`; beyond that a uniform sample of that many is kept (reservoir), so
 * memory stays bounded however long a load runs.
 */
import { createRandom, type Random } from '../model/random.ts'

const MAX_SAMPLES = 262_144

/** Percentiles in ms; NaN when nothing was recorded. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** See the module's header. */
export class Latencies {
  readonly #samples: number[] = []
  readonly #random: Random = createRandom(1)
  #count = 0
  #max = Number.NaN

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    this.#count += 1
    if (!(ms <= this.#max)) this.#max = ms
    if (this.#samples.length < MAX_SAMPLES) {
      this.#samples.push(ms)
      return
    }
    const at = Math.floor(this.#random() * this.#count)
    if (at < MAX_SAMPLES) this.#samples[at] = ms
  }

  /** Sorts what was recorded; not for hot paths. */
  percentiles(): Percentiles {
    const sorted = Float64Array.from(this.#samples).sort()
    return { count: this.#count, p50: pick(sorted, 0.5), p95: pick(sorted, 0.95), p99: pick(sorted, 0.99), max: this.#max }
  }
}

/** Median of a few numbers; NaN of none. */
export function median(values: readonly number[]): number {
  return pick(Float64Array.from(values).sort(), 0.5)
}

/** Nearest rank: the smallest value that at least `share` of all do not exceed. */
function pick(sorted: Float64Array, share: number): number {
  return sorted.length === 0 ? Number.NaN : (sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] as number)
}
