/**
 * Ghosts: fingerprints of keys that were evicted lately, each with the moment (a count of additions) it came in.
 *
 * Floor 1, room shelf. An eight-way table of 32-bit fingerprints; the oldest of a full bucket is overwritten, and what is
 * older than the reader's window counts as forgotten, so the window can be steered without touching the table. About
 * twelve bytes per remembered key, allocated when the first one is added. A false hit costs a misplaced entry, no more.
 */

const WAYS = 8

/** See the module's header. */
export class Ghost {
  #prints = new Uint32Array(0)
  #stamps = new Uint32Array(0)
  #mask = 0
  #clock = 0

  /** Remembers a key among about `capacity` others. */
  add(hash: number, capacity: number): void {
    if (capacity * 4 > this.#prints.length * 3) this.#widen(capacity)
    const print = hash >>> 0 || 1
    const start = (mix(print) & this.#mask) * WAYS
    this.#clock += 1
    let victim = start
    for (let at = start; at < start + WAYS; at += 1) {
      const held = this.#prints[at] as number
      if (held === 0 || held === print) {
        victim = at
        break
      }
      if ((this.#stamps[at] as number) < (this.#stamps[victim] as number)) victim = at
    }
    this.#prints[victim] = print
    this.#stamps[victim] = this.#clock
  }

  /** Forgets a key and returns its age in additions, at least 0; -1 when it is not remembered. */
  take(hash: number): number {
    if (this.#clock === 0) return -1
    const print = hash >>> 0 || 1
    const start = (mix(print) & this.#mask) * WAYS
    for (let at = start; at < start + WAYS; at += 1) {
      if (this.#prints[at] === print) {
        this.#prints[at] = 0
        return this.#clock - (this.#stamps[at] as number)
      }
    }
    return -1
  }

  #widen(capacity: number): void {
    let buckets = 8
    while (buckets * WAYS * 3 < capacity * 4) buckets *= 2
    const prints = this.#prints
    const stamps = this.#stamps
    this.#prints = new Uint32Array(buckets * WAYS)
    this.#stamps = new Uint32Array(buckets * WAYS)
    this.#mask = buckets - 1
    for (let from = 0; from < prints.length; from += 1) {
      const print = prints[from] as number
      if (print === 0) continue
      const start = (mix(print) & this.#mask) * WAYS
      for (let at = start; at < start + WAYS; at += 1) {
        if (this.#prints[at] !== 0) continue
        this.#prints[at] = print
        this.#stamps[at] = stamps[from] as number
        break
      }
    }
  }
}

function mix(print: number): number {
  const h = Math.imul(print ^ (print >>> 16), 0x45d9f3b)
  return (h ^ (h >>> 15)) >>> 0
}
