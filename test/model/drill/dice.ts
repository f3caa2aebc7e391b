/**
 * Chance for one step of a drill: seeded by schedule and step, so that a step that is left out changes nothing of what the
 * others draw.
 */

/** Draws without making anything. */
export class Dice {
  #state = 0

  /** Begins the stream of one step. */
  seed(schedule: number, step: number): void {
    this.#state = (Math.imul(schedule ^ (schedule >>> 15), 0x2c1b_3c6d) ^ Math.imul(step + 1, 0x9e37_79b1)) >>> 0
    this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  /** True in this share of all cases. */
  hits(share: number): boolean {
    return this.next() < share
  }
}
