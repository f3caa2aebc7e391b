/**
 * Slows down whoever guesses passwords: each wrong one doubles what the next attempt from that address waits.
 *
 * Floor 5, room server. Bounded: the address that failed longest ago is forgotten first. An attempt that waits holds its own
 * connection, and nothing else.
 */
import type { Clock } from '../model/clock.ts'

const MAX_ADDRESSES = 10_000
/** Wrong passwords that cost nothing: somebody mistypes. */
const FREE = 3
const FIRST_MS = 50
const LONGEST_MS = 5000
/** After so long without a failure an address begins anew. */
const FORGET_MS = 10 * 60_000

interface Record {
  failures: number
  lastMs: number
  /** Attempts are let through one behind the other. */
  nextMs: number
}

/** See the module's header. */
export class SlowDown {
  readonly #clock: Clock
  readonly #known = new Map<string, Record>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#known.size
  }

  /** How long the next attempt has to wait, ms; the one behind it waits longer. */
  delayMs(address: string): number {
    const record = this.#known.get(address)
    if (record === undefined || record.failures < FREE) return 0
    const now = this.#clock.now()
    if (now - record.lastMs > FORGET_MS) {
      this.#known.delete(address)
      return 0
    }
    const pauseMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (record.failures - FREE))
    record.nextMs = Math.max(record.nextMs, now) + pauseMs
    return record.nextMs - now
  }

  /** An attempt has ended. */
  tell(address: string, isRight: boolean): void {
    const record = this.#known.get(address)
    if (isRight) {
      this.#known.delete(address)
      return
    }
    const now = this.#clock.now()
    this.#known.delete(address)
    this.#known.set(address, { failures: Math.min((record?.failures ?? 0) + 1, 64), lastMs: now, nextMs: record?.nextMs ?? now })
    if (this.#known.size > MAX_ADDRESSES) this.#known.delete(this.#known.keys().next().value as string)
  }
}
