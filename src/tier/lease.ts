/**
 * A lease that is held here: renewed while the load runs, released with a message to all who wait.
 *
 * Floor 2, room tier. Losing it costs no more than a second load: what was read is judged by its place in the log, never by
 * who held what. Never throws, and only `publish` waits.
 */
import type { Clock } from '../model/clock.ts'
import type { LeaseFrame, LeaseHold, LeaseOutcome, LeaseStore } from './lease-store.ts'

/** What it works with. */
export interface HeldParts {
  readonly clock: Clock
  readonly store: LeaseStore
  readonly leaseMs: number
  /** Nobody waits for these calls. */
  readonly deadlineMs: number
  onEnd(lease: Lease): void
  onLost(): void
}

/** See the module's header. */
export class Lease implements LeaseHold {
  readonly name: string
  readonly token: string
  /** When it was taken, or last renewed, at the latest; `clock.now()`. */
  renewedAt: number
  readonly takenAt: number
  readonly #parts: HeldParts
  #isOver = false
  #isLost = false
  #isRenewing = false
  #isAwaited = false
  #published = 0
  #onAwaited: (() => void) | undefined

  constructor(hold: LeaseHold, askedAt: number, parts: HeldParts) {
    this.name = hold.name
    this.token = hold.token
    this.takenAt = askedAt
    this.renewedAt = askedAt
    this.#parts = parts
  }

  /** Whether another may hold it by now. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Whether somebody waits for it elsewhere. */
  get isAwaited(): boolean {
    return this.#isAwaited
  }

  /** Runs once, when somebody waits for it elsewhere; at once if somebody does. */
  onAwaited(run: () => void): void {
    if (this.#isAwaited) return run()
    this.#onAwaited = run
  }

  awaited(): void {
    if (this.#isAwaited || this.#isOver) return
    this.#isAwaited = true
    this.#onAwaited?.()
  }

  async renew(): Promise<void> {
    if (this.#isOver || this.#isLost || this.#isRenewing) return
    this.#isRenewing = true
    const { store, clock, leaseMs, deadlineMs } = this.#parts
    const askedAt = clock.now()
    try {
      const { isHeld, waiting } = await store.extend(this, leaseMs, deadlineMs)
      if (isHeld) this.renewedAt = askedAt
      else this.#lose()
      if (waiting > 0) this.awaited()
    } catch {
      if (clock.now() - this.renewedAt > leaseMs) this.#lose()
    } finally {
      this.#isRenewing = false
    }
  }

  /** Gives more of what was got to those who wait. @returns false when that is no longer of use */
  async publish(frames: readonly LeaseFrame[]): Promise<boolean> {
    if (this.#isOver || this.#isLost) return false
    const { store, leaseMs, deadlineMs } = this.#parts
    const first = this.#published + 1
    this.#published += frames.length
    try {
      const isHeld = await store.publish(this, { first, frames, keepMs: leaseMs * 4 }, deadlineMs)
      if (!isHeld) this.#lose()
      return isHeld
    } catch {
      this.#isLost = true // some of it may be missing: nobody is to take it for whole
      return false
    }
  }

  /** Ends it; those who wait hear how. Idempotent. */
  release(outcome: LeaseOutcome): void {
    if (this.#isOver) return
    this.#isOver = true
    const { store, deadlineMs, onEnd } = this.#parts
    onEnd(this)
    void store.release(this, outcome, deadlineMs).catch(() => {}) // it ends by itself then
  }

  #lose(): void {
    if (this.#isOver || this.#isLost) return
    this.#isLost = true
    this.#parts.onLost()
  }
}
