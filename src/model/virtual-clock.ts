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
  isOver: boolean
}

/** See `createVirtualClock`. */
export class VirtualClock implements Clock {
  #now: number
  #wallShift = 0
  tick = 0
  #order = 0
  /** A heap: the next one first. Cancelled ones stay until they come up, or until they are most of it. */
  #heap: Pending[] = []
  #pending = 0

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
    const entry: Pending = { at: this.#now + Math.max(ms, 0), order: this.#order++, run, isOver: false }
    this.#pending += 1
    this.#push(entry)
    return { cancel: () => this.#cancel(entry) }
  }

  /** Moves time by `ms`, firing what is due on the way. Does not wait for promises: see `settle`. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.#now = Math.max(this.#now, next.at)
      this.tick += 1
      this.#pop()
      this.#pending -= 1
      next.isOver = true
      next.run()
    }
    this.#now = end
    this.tick += 1
  }

  /**
   * Moves time by `ms` in the steps of the timers, letting promises settle after each.
   *
   * @param settled what waits for them; default: `settle`
   */
  async advanceAsync(ms: number, settled: () => Promise<void> = settle): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.advance(Math.max(0, next.at - this.#now))
      await settled()
    }
    this.advance(end - this.#now)
    await settled()
  }

  /** Steps the wall clock alone, as an administrator or NTP would. */
  stepWall(ms: number): void {
    this.#wallShift += ms
  }

  /** Timers not yet fired. */
  get pending(): number {
    return this.#pending
  }

  #next(): Pending | undefined {
    let first = this.#heap[0]
    while (first?.isOver === true) {
      this.#pop()
      first = this.#heap[0]
    }
    return first
  }

  #cancel(entry: Pending): void {
    if (entry.isOver) return
    entry.isOver = true
    this.#pending -= 1
    if (this.#heap.length < 64 || this.#pending * 2 > this.#heap.length) return
    const left = this.#heap.filter(({ isOver }) => !isOver)
    this.#heap = []
    for (const one of left) this.#push(one)
  }

  #push(entry: Pending): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above] as Pending
      if (!isBefore(entry, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Pending
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let below = at * 2 + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Pending, heap[below] as Pending)) below += 1
      if (!isBefore(heap[below] as Pending, last)) break
      heap[at] = heap[below] as Pending
      at = below
    }
    heap[at] = last
  }
}

function isBefore(one: Pending, other: Pending): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

/** Lets every promise that can settle now do so (bounded number of microtask turns). */
export async function settle(turns = 32): Promise<void> {
  for (let i = 0; i < turns; i += 1) await Promise.resolve()
}

/** @param startMs first value of `now()` and `wall()`; default 2026-01-01T00:00:00Z */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  return new VirtualClock(startMs)
}
