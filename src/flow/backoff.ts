/**
 * Back-off after failed loads: while a key has something stale to serve, its origin is not asked at every request.
 *
 * Floor 3, room flow. The pause doubles with each failure in a row. Bounded: the oldest key is forgotten first, which
 * costs one early attempt.
 */
import type { Clock } from '../model/clock.ts'
import { OldestFirst } from '../model/oldest.ts'

interface Pause {
  readonly failures: number
  readonly untilMs: number
}

/** Limits of the pause, ms. */
export interface BackoffLimits {
  /** After the first failure; 0 turns back-off off. */
  readonly firstMs: number
  readonly maxMs: number
  /** Keys remembered. */
  readonly maxKeys: number
}

/** See the module's header. */
export class Backoff {
  readonly #pauses = new OldestFirst<Pause>()
  readonly #clock: Clock
  readonly #limits: BackoffLimits

  constructor(clock: Clock, limits: BackoffLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Ms until the next attempt; 0 when one may be made now. */
  leftMs(key: string): number {
    if (this.#pauses.size === 0) return 0
    const pause = this.#pauses.get(key)
    return pause === undefined ? 0 : Math.max(0, pause.untilMs - this.#clock.now())
  }

  failed(key: string): void {
    const { firstMs, maxMs, maxKeys } = this.#limits
    if (firstMs === 0) return
    const failures = (this.#pauses.get(key)?.failures ?? 0) + 1
    const pauseMs = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30))
    this.#pauses.set(key, { failures, untilMs: this.#clock.now() + pauseMs })
    if (this.#pauses.size > maxKeys) this.#pauses.takeOldest()
  }

  succeeded(key: string): void {
    if (this.#pauses.size > 0) this.#pauses.delete(key)
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#pauses.size
  }
}
