/**
 * A histogram of seconds in log buckets: eight to an octave from 60 ns to 128 s, in one typed array.
 *
 * Floor 0, room model. Recording takes no logarithm and does not allocate: the bucket is read from the number's own
 * bits (about 4 ns). Buckets are also split at `BOUNDS_SECONDS`, so counts at or under a published bound are exact;
 * quantiles in between are interpolated and at most 12.5 % off.
 */
import { Tally } from './tally.ts'

/** Published bounds (`le`), seconds; 0.015 is the target of a cached response. */
export const BOUNDS_SECONDS: readonly number[] = [
  0.000_001, 0.000_002_5, 0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01,
  0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

const MIN_EXPONENT = -24
const OCTAVES = 31
const SUB_BITS = 3
const LOGS = OCTAVES << SUB_BITS
/** High word of 2 ** MIN_EXPONENT, cut to exponent and sub-bucket. */
const BASE = (1023 + MIN_EXPONENT) << SUB_BITS

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)
const HIGH_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0

/** Per log bucket: its first slot, and where it is split (Infinity: nowhere). */
const SLOT = new Int32Array(LOGS)
const SPLIT = new Float64Array(LOGS).fill(Number.POSITIVE_INFINITY)
/** Per published bound: the last slot that holds only values at or under it. */
const BOUND_SLOT = new Int32Array(BOUNDS_SECONDS.length)
/** Upper edge of each slot, seconds. */
const UPPER = layOut()

/** See the module's header. */
export class Histogram {
  readonly #slots = new Tally(UPPER.length)
  #sum = 0

  /** Adds one value; negative values and NaN count as 0. */
  record(seconds: number): void {
    const log = logBucketOf(seconds)
    this.#slots.count((SLOT[log] as number) + (seconds > (SPLIT[log] as number) ? 1 : 0))
    if (seconds > 0) this.#sum += seconds
  }

  get count(): number {
    let total = 0
    for (let slot = 0; slot < this.#slots.length; slot += 1) total += this.#slots.read(slot)
    return total
  }

  /** Sum of all values, seconds. */
  get sum(): number {
    return this.#sum
  }

  /** Values at or under each of `BOUNDS_SECONDS`; exact, cumulative. */
  cumulative(): number[] {
    let total = 0
    let slot = 0
    return Array.from(BOUND_SLOT, (last) => {
      for (; slot <= last; slot += 1) total += this.#slots.read(slot)
      return total
    })
  }

  /** @param share 0 to 1: 0.5 is the median @returns seconds; 0 when nothing was recorded */
  quantile(share: number): number {
    let left = share * this.count
    let lower = 0
    for (let slot = 0; slot < UPPER.length; slot += 1) {
      const here = this.#slots.read(slot)
      const upper = UPPER[slot] as number
      if (here > 0 && left <= here) return lower + ((upper - lower) * left) / here
      left -= here
      lower = upper
    }
    return 0
  }

  /** Adds another histogram's values to this one. */
  merge(other: Histogram): this {
    for (let slot = 0; slot < UPPER.length; slot += 1) this.#slots.add(slot, other.#slots.read(slot))
    this.#sum += other.#sum
    return this
  }

  /** Everything counted, for another process. */
  words(): HistogramWords {
    return { slots: Float64Array.from({ length: UPPER.length }, (_, slot) => this.#slots.read(slot)), sum: this.#sum }
  }

  /** Adds what another process counted. */
  absorb({ slots, sum }: HistogramWords): void {
    for (let slot = 0; slot < UPPER.length; slot += 1) this.#slots.add(slot, slots[slot] ?? 0)
    this.#sum += sum
  }
}

/** A histogram on its way between processes. */
export interface HistogramWords {
  readonly slots: Float64Array
  readonly sum: number
}

function logBucketOf(seconds: number): number {
  double[0] = seconds
  const log = ((words[HIGH_WORD] as number) >> (20 - SUB_BITS)) - BASE
  // A NaN has the largest exponent, or with its sign bit the smallest; it must not count as a very long time.
  return log < 0 || seconds !== seconds ? 0 : log < LOGS ? log : LOGS - 1
}

function layOut(): Float64Array {
  const upper: number[] = []
  for (let log = 0, bound = 0; log < LOGS; log += 1) {
    const octave = 2 ** (MIN_EXPONENT + (log >> SUB_BITS))
    const end = octave * (1 + ((log & ((1 << SUB_BITS) - 1)) + 1) / (1 << SUB_BITS))
    SLOT[log] = upper.length
    const at = BOUNDS_SECONDS[bound]
    if (at !== undefined && at < end) {
      SPLIT[log] = at
      BOUND_SLOT[bound] = upper.length
      upper.push(at)
      bound += 1
    }
    upper.push(end)
  }
  return Float64Array.from(upper)
}
