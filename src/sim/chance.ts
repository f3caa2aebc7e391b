/**
 * Chance with a seed, for one simulation: everything that could be otherwise is drawn here.
 *
 * Floor 1, room sim. Seeded anew at each step of a schedule, so that a step that is left out changes as little as can be of
 * what the others draw: that is what makes schedules short when they are shrunk.
 */
import { createRandom, type Random } from '../model/random.ts'

/** See the module's header. */
export class Chance {
  #next: Random

  constructor(seed: number) {
    this.#next = createRandom(seed)
  }

  /** Begins another stream of numbers. */
  seed(seed: number): void {
    this.#next = createRandom(seed)
  }

  /** Uniform in [0, 1); a `Random` to hand on. */
  readonly next: Random = () => this.#next()

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.#next() * count)
  }

  /** Uniform in [least, most). */
  between(least: number, most: number): number {
    return least + this.#next() * (most - least)
  }

  /** True in this share of all cases; draws nothing for 0. */
  hits(share: number): boolean {
    return share > 0 && this.#next() < share
  }
}
