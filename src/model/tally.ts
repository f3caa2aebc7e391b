/**
 * A row of counters that only grow: 32-bit cells with a carry, so that one more costs about 1 ns.
 *
 * Floor 0, room model. A Float64Array cell costs five times as much where one counter is hit again and again, because
 * every addition waits for the former one's store. Exact up to 2 ** 53.
 */

const WRAP = 2 ** 32

/** See the module's header. */
export class Tally {
  #low: Uint32Array
  #carried: Float64Array

  /** @param length counters, all 0 */
  constructor(length: number) {
    this.#low = new Uint32Array(length)
    this.#carried = new Float64Array(length)
  }

  get length(): number {
    return this.#low.length
  }

  /** One more. */
  count(at: number): void {
    const next = ((this.#low[at] as number) + 1) >>> 0
    this.#low[at] = next
    if (next === 0) this.#carry(at, WRAP)
  }

  /** Several more. @param by a whole number of at least 0 */
  add(at: number, by: number): void {
    const next = (this.#low[at] as number) + by
    this.#low[at] = next % WRAP
    if (next >= WRAP) this.#carry(at, next - (next % WRAP))
  }

  /** 0 for a counter that does not exist. */
  read(at: number): number {
    return (this.#low[at] ?? 0) + (this.#carried[at] ?? 0)
  }

  /** Makes room for more counters; what is counted stays. */
  grow(length: number): void {
    const low = new Uint32Array(length)
    const carried = new Float64Array(length)
    low.set(this.#low)
    carried.set(this.#carried)
    this.#low = low
    this.#carried = carried
  }

  #carry(at: number, by: number): void {
    this.#carried[at] = (this.#carried[at] as number) + by
  }
}
