/**
 * What one route's refreshes taught: how often they brought something else, after what time, and how often what was loaded
 * was read before it was loaded again.
 *
 * Floor 3, room flow. Fades: what is known is halved again and again. Gaps with a change are kept by octave. Learning is
 * O(1); the rate is made anew when a sixteenth more is known. 33 octaves and a few numbers, under 1 KiB.
 */
import { cautiousRate, type Evidence, estimateRate } from './change-rate.ts'

/** One comparison. */
export interface Comparison {
  readonly hasChanged: boolean
  readonly gapMs: number
}

const OCTAVES = 33
const MAX_SEEN = 1024
/** Comparisons after which a route's rate is believed. */
const MIN_SEEN = 20
const FRESH_PART = 16
const ONE_CHANGE = { changes: 1, ms: 0 }

/** See the module's header. */
export class ChangeBook {
  readonly #counts = new Float64Array(OCTAVES)
  readonly #sums = new Float64Array(OCTAVES)
  #quiet = 0
  #quietMs = 0
  #changed = 0
  #rate = 0
  #isDue = 0
  /** Since the start; whoever tells of them keeps them whole. */
  #told = { changed: 0, quiet: 0 }

  /** Comparisons, fading. */
  get seen(): number {
    return this.#quiet + this.#changed
  }

  /** Those that found something else, fading. */
  get changed(): number {
    return this.#changed
  }

  /** Whether enough is known to go by. */
  get isKnown(): boolean {
    return this.seen >= MIN_SEEN
  }

  /** Changes a ms, one more counted than was seen. Only once `isKnown`. */
  get cautious(): number {
    if (this.#isDue <= 0) {
      this.#rate = cautiousRate(this.#evidence(), ONE_CHANGE)
      this.#isDue = Math.ceil(this.seen / FRESH_PART)
    }
    return this.#rate
  }

  /** Changes a ms, as nearly as they can be told; 0 where none was seen. */
  rate(): number {
    return estimateRate(this.#evidence())
  }

  /** @returns whole seconds of all gaps of this outcome that were not told of yet */
  learn({ hasChanged, gapMs }: Comparison): number {
    this.#isDue -= 1
    if (this.seen >= MAX_SEEN) this.#fade()
    if (hasChanged) {
      const octave = Math.min(OCTAVES - 1, Math.max(0, Math.floor(Math.log2(gapMs))))
      this.#counts[octave] = (this.#counts[octave] as number) + 1
      this.#sums[octave] = (this.#sums[octave] as number) + gapMs
      this.#changed += 1
    } else {
      this.#quiet += 1
      this.#quietMs += gapMs
    }
    const kind = hasChanged ? 'changed' : 'quiet'
    const ms = this.#told[kind] + gapMs
    this.#told[kind] = ms % 1000
    return Math.floor(ms / 1000)
  }

  #evidence(): Evidence {
    const changed = []
    for (let octave = 0; octave < OCTAVES; octave += 1) {
      const count = this.#counts[octave] as number
      if (count > 0) changed.push({ count, gapMs: (this.#sums[octave] as number) / count })
    }
    return { changed, quiet: this.#quiet, quietMs: this.#quietMs }
  }

  #fade(): void {
    for (let octave = 0; octave < OCTAVES; octave += 1) {
      this.#counts[octave] = (this.#counts[octave] as number) / 2
      this.#sums[octave] = (this.#sums[octave] as number) / 2
    }
    this.#quiet /= 2
    this.#quietMs /= 2
    this.#changed /= 2
  }
}
