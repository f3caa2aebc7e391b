/**
 * Keeps the event loop turning: hits resolve without it, so a loop that only reads would never let anything else run.
 *
 * Floor 5, room register. A real client gives way at each reply. Here what one turn of the event loop may read from memory
 * is bounded in time; then commands go to the server until the loop has turned. Costs one setImmediate per turn with hits.
 */

/** From the first hit of a turn on, ms. */
const TURN_MS = 10

/** See the module's header. */
export class Turn {
  #untilMs = 0
  #isCounting = false

  /** Whether this turn of the event loop may still take from memory. */
  allows(now: number): boolean {
    if (this.#isCounting) return now < this.#untilMs
    this.#isCounting = true
    this.#untilMs = now + TURN_MS
    setImmediate(this.#over).unref()
    return true
  }

  readonly #over = (): void => {
    this.#isCounting = false
  }
}
