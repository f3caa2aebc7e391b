/**
 * Replies and questions held until memory has followed.
 *
 * Floor 4, room resp. Each waits for a fence, and no longer than the lease lasts: behind that nothing is answered from memory, and
 * there is nothing to wait for. Bounded; what comes beyond is let go at once.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Lease } from './coherence-lease.ts'

/** More are let go at once: they are no worse off than without holding. */
const MAX_HELD = 65_536

/** See the module's header. */
export class Held {
  readonly #clock: Clock
  readonly #lease: Lease
  readonly #maxStaleMs: number
  #waiting: { readonly fence: number; readonly run: () => void }[] = []
  #patience: Timer | undefined

  constructor(clock: Clock, lease: Lease, maxStaleMs: number) {
    this.#clock = clock
    this.#lease = lease
    this.#maxStaleMs = maxStaleMs
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Runs `run` behind a fence: at once where it has been answered, or where nothing is heard any more. */
  add(fence: number, run: () => void): void {
    if (fence <= this.#lease.answered || !this.#lease.isOn || this.#waiting.length >= MAX_HELD) return run()
    this.#waiting.push({ fence, run })
    if (this.#patience === undefined) this.#wait(this.#maxStaleMs)
  }

  /** A fence was answered, or nothing is heard any more. */
  look(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const one of waiting) this.add(one.fence, one.run)
  }

  #wait(ms: number): void {
    this.#patience = this.#clock.after(ms, () => {
      this.#patience = undefined
      if (this.#waiting.length === 0) return
      if (this.#clock.now() - this.#lease.provenMs <= this.#maxStaleMs) return this.#wait(this.#maxStaleMs / 4)
      const waiting = this.#waiting
      this.#waiting = []
      for (const one of waiting) one.run()
    })
  }
}
