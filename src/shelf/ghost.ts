/**
 * Ghosts: fingerprints of keys that were evicted lately, each with the moment (a count of additions) it came in.
 *
 * Floor 1, room shelf. An eight-way table of 32-bit fingerprints; in a full bucket the next place in turn is overwritten
 * (looking for the oldest bought nothing on the traces). What is older than the reader's window counts as forgotten, so the
 * window can be steered without touching the table. About twelve bytes per remembered key, allocated when the first one is
 * added. A false hit costs a misplaced entry, no more.
 */

const WAYS = 8
const BUCKET = 2 * WAYS

/** See the module's header. */
export class Ghost {
  /** Buckets of sixteen words, a cache line each: eight fingerprints, then their moments. */
  #words = new Uint32Array(0)
  #mask = 0
  #clock = 0

  /** Remembers a key among about `capacity` others. */
  add(hash: number, capacity: number): void {
    if (capacity * 8 > this.#words.length * 3) this.#widen(capacity)
    const words = this.#words
    const print = hash >>> 0 || 1
    const start = (mix(print) & this.#mask) * BUCKET
    this.#clock += 1
    const victim = start + (this.#clock & (WAYS - 1))
    words[victim] = print
    words[victim + WAYS] = this.#clock
  }

  /** Forgets a key and returns its age in additions, at least 0; -1 when it is not remembered. */
  take(hash: number): number {
    if (this.#clock === 0) return -1
    const print = hash >>> 0 || 1
    const words = this.#words
    const start = (mix(print) & this.#mask) * BUCKET
    for (let at = start; at < start + WAYS; at += 1) {
      if (words[at] === print) {
        words[at] = 0
        return this.#clock - (words[at + WAYS] as number)
      }
    }
    return -1
  }

  /** Remembers nothing, and takes no memory until something is added. */
  clear(): void {
    this.#words = new Uint32Array(0)
    this.#mask = 0
    this.#clock = 0
  }

  #widen(capacity: number): void {
    let buckets = 8
    while (buckets * WAYS * 3 < capacity * 4) buckets *= 2
    const before = this.#words
    const words = new Uint32Array(buckets * BUCKET)
    this.#words = words
    this.#mask = buckets - 1
    for (let from = 0; from < before.length; from += 1) {
      const print = before[from] as number
      if ((from & WAYS) !== 0 || print === 0) continue
      const start = (mix(print) & this.#mask) * BUCKET
      for (let at = start; at < start + WAYS; at += 1) {
        if (words[at] !== 0) continue
        words[at] = print
        words[at + WAYS] = before[from + WAYS] as number
        break
      }
    }
  }
}

function mix(print: number): number {
  const h = Math.imul(print ^ (print >>> 16), 0x45d9f3b)
  return (h ^ (h >>> 15)) >>> 0
}
