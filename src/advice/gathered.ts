/**
 * What requests that agree in everything else say of one dimension.
 *
 * Floor 4, room advice. Three in a row tell most: an answer that gives way to another and is back in the third was not changed
 * by time. Pairs are counted too, by the time between them in powers of two of a millisecond. A fixed size.
 */
import { excess, GAPS, gapOf, type Excess, STRATUM } from './strata.ts'

/** Pairs of one stratum. */
export interface GapCount {
  readonly gap: number
  readonly pairs: number
  readonly differing: number
  /** Time between them, together. */
  readonly sumMs: number
}

/** See the module's header. */
export class Gathered {
  readonly #strata = new Float64Array(GAPS * STRATUM)
  /** Answers that were back, with another value of the dimension between them; and those of which the answer between differed. */
  between = 0
  betweenDiffering = 0
  /** The same with one value throughout: what anything else does. */
  alike = 0
  alikeDiffering = 0
  /** Answers that gave way to another and were the next one again, whatever the values. */
  returns = 0
  /** How exactly the log tells times; ms. */
  readonly preciseMs: number

  constructor(preciseMs: number) {
    this.preciseMs = preciseMs
  }

  /** Two that follow each other. */
  pair(gapMs: number, isOther: boolean, isDiffering: boolean): void {
    const stratum = gapOf(gapMs) * STRATUM
    const at = stratum + (isOther ? 2 : 0)
    this.#add(at, 1)
    if (isDiffering) this.#add(at + 1, 1)
    if (isOther) this.#add(stratum + 4, gapMs)
  }

  /** How much more often those of another value differ, at like distances in time. */
  excess(): Excess {
    return excess(this.#strata)
  }

  /** Pairs of another value, and those of them that differ. */
  others(): { pairs: number; differing: number } {
    return this.#sum(2)
  }

  /** The same by gap, the shortest first. */
  gaps(): GapCount[] {
    return Array.from({ length: GAPS }, (_, gap) => ({
      gap,
      pairs: this.#strata[gap * STRATUM + 2] as number,
      differing: this.#strata[gap * STRATUM + 3] as number,
      sumMs: this.#strata[gap * STRATUM + 4] as number,
    })).filter(({ pairs }) => pairs > 0)
  }

  /** Pairs of the same value, and those of them that differ. */
  repeats(): { pairs: number; differing: number } {
    return this.#sum(0)
  }

  #sum(from: number): { pairs: number; differing: number } {
    let [pairs, differing] = [0, 0]
    for (let at = from; at < this.#strata.length; at += STRATUM) {
      pairs += this.#strata[at] as number
      differing += this.#strata[at + 1] as number
    }
    return { pairs, differing }
  }

  #add(at: number, what: number): void {
    this.#strata[at] = (this.#strata[at] as number) + what
  }
}
