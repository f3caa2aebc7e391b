/**
 * The store's clock, as far as it is known here: how old something is, without comparing two machines' clocks.
 *
 * Floor 2, room tier. Every reply that carries the store's time ties it to this process's steady clock between the question
 * and the reply. What is said of a moment is never later than the truth, so ages come out too great by at most one round
 * trip, never too small. A store whose clock steps back would make everything look younger: what it gains is taken off
 * again for as long as anything written before the step may stand. Pure arithmetic; one instance a server.
 */
/** Rates of clocks may differ by so much before it counts as a step, ms. */
const STEP_MS = 250

/** See the module's header. */
export class StoreClock {
  readonly #longestMs: number
  /** Least store time minus steady time, as the latest replies say. */
  #offsetMs = Number.NEGATIVE_INFINITY
  /** What the store's clock has been stepped back by, and until when it matters. */
  #lagMs = 0
  #lagUntil = 0

  /** @param longestMs nothing stands longer in the store */
  constructor(longestMs: number) {
    this.#longestMs = longestMs
  }

  /** Whether anything is known. */
  get isKnown(): boolean {
    return this.#offsetMs > Number.NEGATIVE_INFINITY
  }

  /**
   * A reply that carried the store's time.
   *
   * @param storeMs the store's time
   * @param asked steady time when the question was sent @param heard when the reply came
   */
  observe(storeMs: number, asked: number, heard: number): void {
    const least = storeMs - heard
    const most = storeMs - asked
    if (most < this.#offsetMs - STEP_MS) {
      this.#lagMs = (heard < this.#lagUntil ? this.#lagMs : 0) + this.#offsetMs - most
      this.#lagUntil = heard + this.#longestMs
      this.#offsetMs = least
    } else if (least > this.#offsetMs) this.#offsetMs = least
  }

  /** The store's time at a steady moment: never later than the truth. */
  at(steadyMs: number): number {
    return steadyMs + this.#offsetMs
  }

  /**
   * Steady time at which something was that the store's clock showed as `storedMs`: never later than the truth.
   *
   * @param storeMs the store's time in the same reply @param asked when the question was sent
   */
  steadyOf(storedMs: number, storeMs: number, asked: number): number {
    const lagMs = asked < this.#lagUntil ? this.#lagMs : 0
    return asked - (storeMs - storedMs) - lagMs
  }
}
