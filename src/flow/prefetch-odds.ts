/**
 * What a rule's count is worth: of what was fetched beforehand at such a chance, how much was read.
 *
 * Floor 3, room flow. Counts of successions tell less than the truth: other clients ask for the same things too. In ten
 * classes, each beginning as its chance says, and fading. Not a rule each: rules are many and see little.
 */

const CLASSES = 10
/** Outcomes that the count itself is worth. */
const PRIOR = 8
const MAX_SEEN = 400

/** See the module's header. */
export class PrefetchOdds {
  readonly #read = new Float64Array(CLASSES)
  readonly #seen = new Float64Array(CLASSES)

  /** @param counted as the rules say, 0 to 1 */
  chance(counted: number): number {
    const at = classOf(counted)
    return ((this.#read[at] as number) + counted * PRIOR) / ((this.#seen[at] as number) + PRIOR)
  }

  learn(counted: number, wasRead: boolean): void {
    const at = classOf(counted)
    this.#seen[at] = (this.#seen[at] as number) + 1
    if (wasRead) this.#read[at] = (this.#read[at] as number) + 1
    if ((this.#seen[at] as number) <= MAX_SEEN) return
    this.#seen[at] = (this.#seen[at] as number) / 2
    this.#read[at] = (this.#read[at] as number) / 2
  }

  /** Half of it is forgotten: what did not pay may do so by now, and is not tried else. */
  fade(): void {
    for (let at = 0; at < CLASSES; at += 1) {
      this.#seen[at] = (this.#seen[at] as number) / 2
      this.#read[at] = (this.#read[at] as number) / 2
    }
  }
}

function classOf(chance: number): number {
  return Math.min(CLASSES - 1, Math.floor(chance * CLASSES))
}
