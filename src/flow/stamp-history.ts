/**
 * Where the shared log was a while ago: the stamp of a reading from an origin whose replicas lag.
 *
 * Floor 3, room flow. Bounded; what is not known any more, or not yet, gives no stamp: such a reading stays in memory.
 */
import type { SharedStamp } from './fill.ts'

const MAX_STAMPS = 256

/** See the module's header. */
export class StampHistory {
  readonly #lagMs: number
  #seen: { readonly at: number; readonly stamp: SharedStamp }[] = []

  constructor(lagMs: number) {
    this.#lagMs = lagMs
  }

  /** @param now `clock.now()` @param stamp where the log is now @returns where it was `lagMs` ago */
  stampAt(now: number, stamp: SharedStamp | undefined): SharedStamp | undefined {
    if (this.#lagMs <= 0 || stamp === undefined) return stamp
    const last = this.#seen.at(-1)
    if (last?.stamp.generation !== stamp.generation) this.#seen = []
    if (last?.stamp.generation !== stamp.generation || last.stamp.asOf !== stamp.asOf) this.#seen.push({ at: now, stamp })
    while ((this.#seen[1]?.at ?? Infinity) <= now - this.#lagMs || this.#seen.length > MAX_STAMPS) this.#seen.shift()
    const first = this.#seen[0]
    return first !== undefined && first.at <= now - this.#lagMs ? first.stamp : undefined
  }
}
