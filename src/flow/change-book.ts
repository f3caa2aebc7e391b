/**
 * What one route's refreshes taught: how often they brought something else, after what time, and how often what was loaded
 * was read before it was loaded again.
 *
 * Floor 3, room flow. Fades: what is known is halved again and again. Gaps with a change are kept by octave. The rate is that
 * of gaps about as long as windows: a route's keys differ, and where some always change and some never do, long gaps make of
 * both one slow rate that is true of nothing. Learning is O(1); the rate is made anew when a sixteenth more is known. Under 1 KiB.
 */
import { cautiousRate, type Evidence, estimateRate } from './change-rate.ts'

/** One comparison. */
export interface Comparison {
  readonly hasChanged: boolean
  readonly gapMs: number
  /** The gap is not much longer than windows are. */
  readonly isNear: boolean
}

const OCTAVES = 33
const MAX_SEEN = 1024
/** Comparisons of near readings after which a route's rate is believed. */
const MIN_SEEN = 20
const FRESH_PART = 16
const ONE_CHANGE = { changes: 1, ms: 0 }

/** Gaps up to so many windows tell of a window. */
const NEAR = 8

/** Whether two readings say something of a window. @param freshMs the one of what stood; 0: it had none */
export function isNear(gapMs: number, freshMs: number): boolean {
  return freshMs === 0 || gapMs <= freshMs * NEAR
}

/** See the module's header. */
export class ChangeBook {
  readonly #counts = new Float64Array(OCTAVES)
  readonly #sums = new Float64Array(OCTAVES)
  #quiet = 0
  #quietMs = 0
  #nearChanged = 0
  #seen = 0
  #changed = 0
  #rate = 0
  #isDue = 0
  /** Since the start; whoever tells of them keeps them whole. */
  #told = { changed: 0, quiet: 0 }

  /** Comparisons, fading. */
  get seen(): number {
    return this.#seen
  }

  /** Those that found something else, fading. */
  get changed(): number {
    return this.#changed
  }

  /** Whether enough is known to go by. */
  get isKnown(): boolean {
    return this.#near >= MIN_SEEN
  }

  /** Changes a ms, one more counted than was seen. Only once `isKnown`. */
  get cautious(): number {
    if (this.#isDue <= 0) {
      this.#rate = cautiousRate(this.#evidence(), ONE_CHANGE)
      this.#isDue = Math.ceil(this.#near / FRESH_PART)
    }
    return this.#rate
  }

  /** Changes a ms, as nearly as they can be told; 0 where none was seen. */
  rate(): number {
    return estimateRate(this.#evidence())
  }

  /** @returns whole seconds of all gaps of this outcome that were not told of yet */
  learn({ hasChanged, gapMs, isNear }: Comparison): number {
    if (this.#seen >= MAX_SEEN) {
      this.#seen /= 2
      this.#changed /= 2
    }
    this.#seen += 1
    if (hasChanged) this.#changed += 1
    if (isNear) this.#learnNear(hasChanged, gapMs)
    const kind = hasChanged ? 'changed' : 'quiet'
    const ms = this.#told[kind] + gapMs
    this.#told[kind] = ms % 1000
    return Math.floor(ms / 1000)
  }

  get #near(): number {
    return this.#quiet + this.#nearChanged
  }

  #learnNear(hasChanged: boolean, gapMs: number): void {
    this.#isDue -= 1
    if (this.#near >= MAX_SEEN) this.#fade()
    if (!hasChanged) {
      this.#quiet += 1
      this.#quietMs += gapMs
      return
    }
    const octave = Math.min(OCTAVES - 1, Math.max(0, Math.floor(Math.log2(gapMs))))
    this.#counts[octave] = (this.#counts[octave] as number) + 1
    this.#sums[octave] = (this.#sums[octave] as number) + gapMs
    this.#nearChanged += 1
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
    this.#nearChanged /= 2
  }
}
