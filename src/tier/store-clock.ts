/**
 * The store's clock, as far as it is known here: how old something is, without comparing two machines' clocks.
 *
 * Floor 2, room tier. Every reply that carries the store's time ties it to this process's steady clock between the question
 * and the reply: their difference lies between two bounds. What is said of a moment is never later than the truth, so ages
 * come out too great by at most one round trip, never too small. A store whose clock is set back would make everything look
 * younger: where the bounds prove that it was, all it can have lost is added to every age, for as long as anything written
 * before may stand. Pure arithmetic; one instance a server.
 */
/** The store's time comes in whole µs, cut off. */
const CUT_MS = 0.001

/** See the module's header. */
export class StoreClock {
  readonly #longestMs: number
  /** Store time minus steady time is at least this now. */
  #leastMs = Number.NEGATIVE_INFINITY
  /** The greatest it ever was, its bounds, and when it may have been so last. */
  #peakLeastMs = Number.NEGATIVE_INFINITY
  #peakMostMs = Number.NEGATIVE_INFINITY
  #peakAt = Number.NEGATIVE_INFINITY
  /** What the clock has lost against its peak. */
  #lostMs = 0

  /** @param longestMs nothing stands longer in the store */
  constructor(longestMs: number) {
    this.#longestMs = longestMs
  }

  /** Whether anything is known. */
  get isKnown(): boolean {
    return this.#leastMs > Number.NEGATIVE_INFINITY
  }

  /**
   * A reply that carried the store's time.
   *
   * @param storeMs the store's time
   * @param asked steady time when the question was sent @param heard when the reply came
   */
  observe(storeMs: number, asked: number, heard: number): void {
    const least = storeMs - heard
    const most = storeMs + CUT_MS - asked
    if (least > this.#peakLeastMs || heard - this.#peakAt > this.#longestMs) {
      this.#peakLeastMs = least
      this.#peakMostMs = most
    }
    const isLower = most < this.#peakLeastMs
    if (!isLower) this.#peakAt = heard
    this.#lostMs = isLower ? this.#peakMostMs - least : 0
    // The best bound holds on while nothing contradicts it.
    this.#leastMs = this.#leastMs <= most ? Math.max(this.#leastMs, least) : least
  }

  /** The store's time at a steady moment: never later than the truth. */
  at(steadyMs: number): number {
    return steadyMs + this.#leastMs
  }

  /**
   * Steady time at which something was that the store's clock showed as `storedMs`: never later than the truth. Call it with
   * what was observed last.
   *
   * @param storeMs the store's time in the same reply @param asked when the question was sent
   */
  steadyOf(storedMs: number, storeMs: number, asked: number): number {
    return asked - (storeMs - storedMs) - this.#lostMs
  }
}
