/**
 * Refreshes behind a stale answer: one per key at a time, and a bounded number in all.
 *
 * Floor 3, room flow. A refresh that finds no place is simply not started: the next stale answer asks again.
 * The run must carry its own deadline; a failing run is told to `report`, never thrown.
 */
import { DEFAULT_ROUTE, type RouteId } from '../model/meter.ts'

/** A refresh that failed. */
export interface RefreshFailure {
  readonly key: string
  readonly route: RouteId
  readonly error: unknown
}

/** See the module's header. */
export class Refreshes {
  readonly #running = new Map<string, Promise<void>>()
  readonly #concurrency: number
  readonly #report: (failed: RefreshFailure) => void

  constructor(concurrency: number, report: (failed: RefreshFailure) => void) {
    this.#concurrency = concurrency
    this.#report = report
  }

  /** Refreshes running now. */
  get size(): number {
    return this.#running.size
  }

  has(key: string): boolean {
    return this.#running.has(key)
  }

  /** @returns false when this key is being refreshed already or no place is left */
  start(key: string, run: () => Promise<void>, route: RouteId = DEFAULT_ROUTE): boolean {
    if (this.#running.size >= this.#concurrency || this.#running.has(key)) return false
    const done = Promise.resolve()
      .then(run)
      .catch((error: unknown) => this.#report({ key, route, error }))
      .finally(() => this.#running.delete(key))
    this.#running.set(key, done)
    return true
  }

  /** Resolves when all that run now have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values())
  }
}
