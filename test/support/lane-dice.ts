/**
 * Seeded choices for generated conversations.
 */
import { createRandom } from '../../src/model/random.ts'

/** A source of choices; the same seed gives the same ones. */
export class Dice {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = createRandom(seed)
  }

  /** 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.#random() * below)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T
  }

  /** One of the values, by weight. */
  weighed<T>(rows: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.#random() * rows.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, value] of rows) {
      left -= weight
      if (left < 0) return value
    }
    return (rows.at(-1) as readonly [number, T])[1]
  }

  /** Up to `max` of them, each once, in random order. */
  some<T>(list: readonly T[], max: number): T[] {
    const rest = [...list]
    const taken: T[] = []
    for (let left = this.int(max + 1); left > 0 && rest.length > 0; left -= 1) {
      taken.push(rest.splice(this.int(rest.length), 1)[0] as T)
    }
    return taken
  }
}
