/**
 * Time, handed in everywhere: a steady millisecond clock, a coarse copy for the hot path, the wall and timers.
 *
 * Floor 0, room model. Freshness is counted on `now()`, which never runs backwards: a wall clock stepped back
 * does not make old entries young. A step forward, or a machine waking from suspension, does move `now()` ahead,
 * because the budget may truly have passed: in doubt the cache misses.
 */
import { performance } from 'node:perf_hooks' // the global of that name is an accessor: dearer at each reading

/** Handle of a pending timer. */
export interface Timer {
  /** Cancels; harmless after it fired. */
  cancel(): void
}

/** Source of time. All values in ms. */
export interface Clock {
  /** Steady, never backwards; counts from about the epoch, but compare it only with itself. */
  now(): number
  /**
   * `now()`, to be kept and used until `tick` changes: about 5 ms, or as long as the caller itself blocks the event loop.
   */
  coarse(): number
  /** A small integer that changes when the tick that `coarse()` began is over. */
  readonly tick: number
  /** Wall clock, epoch ms: only for Date, Expires and Last-Modified. */
  wall(): number
  /** One-shot timer that does not keep the process alive. */
  after(ms: number, run: () => void): Timer
}

/** How late `coarse()` may be, ms; fresh windows judged on it are shortened by as much. */
export const COARSE_TICK_MS = 5

const STEP_MS = 1000
const MAX_TIMER_MS = 2 ** 31 - 1

class SystemClock implements Clock {
  #offset = Date.now() - performance.now()
  #gap = this.#offset
  #ticking = false
  tick = 0

  now(): number {
    return performance.now() + this.#offset
  }

  coarse(): number {
    const steady = performance.now()
    const gap = Date.now() - steady
    if (gap - this.#gap > STEP_MS) this.#offset += gap - this.#gap
    if (Math.abs(gap - this.#gap) > STEP_MS) this.#gap = gap
    if (!this.#ticking) {
      this.#ticking = true
      setTimeout(this.#expire, COARSE_TICK_MS).unref()
    }
    return steady + this.#offset
  }

  wall(): number {
    return Date.now()
  }

  after(ms: number, run: () => void): Timer {
    const handle = setTimeout(run, Math.min(Math.max(ms, 0), MAX_TIMER_MS))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  }

  readonly #expire = (): void => {
    this.#ticking = false
    this.tick = (this.tick + 1) & 0x3fff_ffff
  }
}

/** The real clock of this process; one instance is shared. */
export function systemClock(): Clock {
  shared ??= new SystemClock()
  return shared
}
let shared: Clock | undefined
