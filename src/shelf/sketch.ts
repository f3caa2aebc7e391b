/**
 * How often a key was asked for lately, estimated: a count-min sketch of 4-bit counters that are halved as it fills.
 *
 * Floor 1, room shelf. Eight bytes per expected key; four counters per key, an estimate is their minimum (at most 15).
 *
 * @see Einziger, Friedman, Manes, TinyLFU: a highly efficient cache admission policy, ACM ToS 2017
 */

const MAX_COUNT = 15
const SEEDS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const
const SAMPLE_FACTOR = 10

/** See the module's header. */
export class Sketch {
  #counters = new Int32Array(16)
  #mask = 15
  #additions = 0
  #sample = 16 * SAMPLE_FACTOR

  /** Makes room for about `keys` keys; a larger table starts with what the smaller one knew. */
  grow(keys: number): void {
    while (this.#counters.length < keys * 2) {
      const wider = new Int32Array(this.#counters.length * 2)
      wider.set(this.#counters)
      wider.set(this.#counters, this.#counters.length)
      this.#counters = wider
      this.#mask = wider.length - 1
    }
    this.#sample = Math.max(16, keys) * SAMPLE_FACTOR
  }

  add(hash: number): void {
    let grew = false
    for (let i = 0; i < SEEDS.length; i += 1) {
      const spread = spreadOf(hash, SEEDS[i] as number)
      const at = spread & this.#mask
      const shift = (spread >>> 29) << 2
      const word = this.#counters[at] as number
      if (((word >>> shift) & MAX_COUNT) === MAX_COUNT) continue
      this.#counters[at] = word + (1 << shift)
      grew = true
    }
    if (!grew) return
    this.#additions += 1
    if (this.#additions >= this.#sample) this.#halve()
  }

  estimate(hash: number): number {
    let least = MAX_COUNT
    for (let i = 0; i < SEEDS.length; i += 1) {
      const spread = spreadOf(hash, SEEDS[i] as number)
      const count = ((this.#counters[spread & this.#mask] as number) >>> ((spread >>> 29) << 2)) & MAX_COUNT
      if (count < least) least = count
    }
    return least
  }

  #halve(): void {
    const counters = this.#counters
    for (let i = 0; i < counters.length; i += 1) counters[i] = ((counters[i] as number) >>> 1) & 0x77777777
    this.#additions >>>= 1
  }
}

function spreadOf(hash: number, seed: number): number {
  const h = Math.imul(hash ^ (hash >>> 15), seed)
  return (h ^ (h >>> 13)) >>> 0
}
