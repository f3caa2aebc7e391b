/**
 * Pairs of requests counted by the time between them.
 *
 * Floor 4, room advice. Powers of two of a millisecond; a fixed size.
 */
import type { Evidence, EvidenceSource } from './judgement.ts'

/** What two requests that follow each other showed. */
export interface Pair {
  /** Of the same value. */
  readonly isRepeat: boolean
  readonly isSame: boolean
  readonly isReturn: boolean
}

const GAPS = 48
const [PAIRS, DIFFERING, REPEATS, REPEATS_DIFFERING, RETURNS] = [0, 1, 2, 3, 4] as const
const WIDTH = 5

/** See the module's header. */
export class Gathered implements EvidenceSource {
  readonly #counts = new Float64Array(GAPS * WIDTH)

  note(gapMs: number, { isRepeat, isSame, isReturn }: Pair): void {
    const at = (gapMs <= 0 ? 0 : Math.min(GAPS - 1, 1 + Math.floor(Math.log2(gapMs + 1)))) * WIDTH
    this.#add(at + (isRepeat ? REPEATS : PAIRS))
    if (!isSame) this.#add(at + (isRepeat ? REPEATS_DIFFERING : DIFFERING))
    if (isReturn) this.#add(at + RETURNS)
  }

  evidence(nearest = Number.POSITIVE_INFINITY): Evidence {
    const sums = [0, 0, 0, 0, 0]
    for (let gap = 0; gap < GAPS && (sums[PAIRS] as number) < nearest; gap += 1)
      for (let what = 0; what < WIDTH; what += 1)
        sums[what] = (sums[what] as number) + (this.#counts[gap * WIDTH + what] as number)
    const [pairs, differing, repeats, repeatsDiffering, returns] = sums as [number, number, number, number, number]
    return { pairs, differing, repeats, repeatsDiffering, returns }
  }

  #add(at: number): void {
    this.#counts[at] = (this.#counts[at] as number) + 1
  }
}
