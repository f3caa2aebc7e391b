/**
 * A clock that moves only when told to, for tests and simulations: timers fire in order of time, then of creation.
 *
 * Floor 0, room model. Deterministic; no real timer is used.
 */
import type { Clock, Timer } from './clock.ts'

interface Pending {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** See `createVirtualClock`. */
export class VirtualClock implements Clock {
  #now: number
  #wallShift = 0
  tick = 0
  #order = 0
  #pending: Pending[] = []

  constructor(startMs: number) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  coarse(): number {
    return this.#now
  }

  wall(): number {
    return Math.floor(this.#now + this.#wallShift)
  }

  after(ms: number, run: () => void): Timer {
    const entry: Pending = { at: this.#now + Math.max(ms, 0), order: this.#order++, run }
    this.#pending.push(entry)
    return {
      cancel: () => {
        const index = this.#pending.indexOf(entry)
        if (index >= 0) this.#pending.splice(index, 1)
      },
    }
  }

  /** Moves time by `ms`, firing what is due on the way. Does not wait for promises: see `settle`. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.#now = Math.max(this.#now, next.at)
      this.tick += 1
      this.#pending.splice(this.#pending.indexOf(next), 1)
      next.run()
    }
    this.#now = end
    this.tick += 1
  }

  /** Moves time by `ms` in the steps of the timers, letting promises settle after each. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.advance(Math.max(0, next.at - this.#now))
      await settle()
    }
    this.advance(end - this.#now)
    await settle()
  }

  /** Steps the wall clock alone, as an administrator or NTP would. */
  stepWall(ms: number): void {
    this.#wallShift += ms
  }

  /** Timers not yet fired. */
  get pending(): number {
    return this.#pending.length
  }

  #next(): Pending | undefined {
    let best: Pending | undefined
    for (const p of this.#pending) {
      if (best === undefined || p.at < best.at || (p.at === best.at && p.order < best.order)) best = p
    }
    return best
  }
}

/** Lets every promise that can settle now do so (bounded number of microtask turns). */
export async function settle(turns = 32): Promise<void> {
  for (let i = 0; i < turns; i += 1) await Promise.resolve()
}

/** @param startMs first value of `now()` and `wall()`; default 2026-01-01T00:00:00Z */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  return new VirtualClock(startMs)
}
