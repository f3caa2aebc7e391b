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
  /** `now()` of at most one tick (5 ms) ago, or as long ago as the caller itself has blocked the event loop. */
  coarse(): number
  /** A small integer that changes whenever `coarse()` does: cheaper to compare than the time itself. Reading it keeps the tick running. */
  tick(): number
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
  #coarse = 0
  /** Reads until the coarse time is taken anew; 0 when its tick is over. */
  #readsLeft = 0
  #tick = 0
  #ticking = false

  now(): number {
    return performance.now() + this.#offset
  }

  coarse(): number {
    this.tick()
    return this.#coarse
  }

  tick(): number {
    // A busy loop that never lets the timer run is caught by counting reads.
    if (--this.#readsLeft <= 0) this.#refresh()
    return this.#tick
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
    this.#readsLeft = 0
    this.#ticking = false
  }

  #refresh(): void {
    const steady = performance.now()
    const gap = Date.now() - steady
    if (gap - this.#gap > STEP_MS) this.#offset += gap - this.#gap
    if (Math.abs(gap - this.#gap) > STEP_MS) this.#gap = gap
    this.#coarse = steady + this.#offset
    this.#tick = (this.#tick + 1) & 0x3fff_ffff
    this.#readsLeft = 1024
    if (this.#ticking) return
    this.#ticking = true
    setTimeout(this.#expire, COARSE_TICK_MS).unref()
  }
}

/** The real clock of this process; one instance is shared. */
export function systemClock(): Clock {
  shared ??= new SystemClock()
  return shared
}
let shared: Clock | undefined
