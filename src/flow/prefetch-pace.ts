/**
 * Whether the origin has time for what nobody has asked for yet: by its own latency and its failures.
 *
 * Floor 3, room flow. A load that takes three times as long as usual, on the average of the last few, or one that failed, stops
 * fetching beforehand until it is over; after failures for twice as long each time.
 */

const FAST = 0.3
const SLOW = 0.02
/** Loads before there is a usual time. */
const MIN_LOADS = 5
const TIMES_SLOWER = 3
/** So much slower is no sign of anything, ms. */
const SLACK_MS = 20
const FIRST_PAUSE_MS = 5000
const MAX_PAUSE_MS = 60_000

/** See the module's header. */
export class PrefetchPace {
  #loads = 0
  #lately = 0
  #usually = 0
  #lastMs = 0
  #pauseUntilMs = 0
  #pauseMs = FIRST_PAUSE_MS

  isBusy(nowMs: number): boolean {
    if (nowMs < this.#pauseUntilMs) return true
    if (this.#loads < MIN_LOADS || nowMs - this.#lastMs > MAX_PAUSE_MS) return false
    return this.#lately > this.#usually * TIMES_SLOWER + SLACK_MS
  }

  /** A load that came. */
  loaded(tookMs: number, nowMs: number): void {
    this.#loads += 1
    this.#lastMs = nowMs
    this.#pauseMs = FIRST_PAUSE_MS
    const share = Math.max(1 / this.#loads, SLOW)
    this.#lately += (tookMs - this.#lately) * Math.max(share, FAST)
    this.#usually += (tookMs - this.#usually) * share
  }

  /** One that did not. */
  failed(nowMs: number): void {
    if (nowMs < this.#pauseUntilMs) return // one outage, not many
    this.#pauseUntilMs = nowMs + this.#pauseMs
    this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2)
  }
}
