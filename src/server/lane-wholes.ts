/**
 * Answers that are asked for again and again, head and body in one buffer: written as they are, without a copy.
 *
 * Floor 5, room server. Bounded in bytes, and all of them are let go twice a second: what is asked for still is put
 * together again, which costs nothing beside what it spares. A buffer is never changed, since the kernel may still hold it.
 */
import type { Clock } from '../model/clock.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'

const MAX_BYTES = 4 * 1024 * 1024
const KEEP_MS = 500

/** Whoever has been given a whole. */
export interface WholeHolder {
  whole: Buffer | undefined
}

/** See the module's header. */
export class Wholes {
  readonly #clock: Clock
  readonly #ledger: Ledger
  #holders: WholeHolder[] = []
  #bytes = 0

  constructor(clock: Clock, ledger: Ledger) {
    this.#clock = clock
    this.#ledger = ledger
  }

  /** Gives a holder its whole, if there is room for it. */
  give(holder: WholeHolder, head: Uint8Array, body: Uint8Array): void {
    const bytes = head.byteLength + body.byteLength
    if (this.#bytes + bytes > MAX_BYTES) return
    if (this.#holders.length === 0) this.#clock.after(KEEP_MS, () => this.#clear())
    const whole = Buffer.allocUnsafeSlow(bytes)
    whole.set(head, 0)
    whole.set(body, head.byteLength)
    holder.whole = whole
    this.#holders.push(holder)
    this.#bytes += bytes
    this.#ledger.charge(ACCOUNT.lane, bytes)
  }

  #clear(): void {
    for (const holder of this.#holders) holder.whole = undefined
    this.#ledger.release(ACCOUNT.lane, this.#bytes)
    this.#holders = []
    this.#bytes = 0
  }
}
