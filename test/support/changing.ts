/**
 * Keys whose values change at random at known rates, read at random through a cache, with the truth of every answer.
 *
 * Time is virtual and seeded: the same seed, the same world.
 */
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { CallOptions } from '../../src/flow/call.ts'
import type { CacheOptions } from '../../src/flow/options.ts'
import { createRandom, type Random } from '../../src/model/random.ts'
import { createVirtualClock, type VirtualClock } from '../../src/model/virtual-clock.ts'

/** One kind of keys. */
export interface Kind {
  readonly keys: number
  /** Mean time between two changes of a key, ms; Infinity: never. */
  readonly everyMs: number
  /** Mean time between two reads of a key, ms. */
  readonly readMs: number
}

/** What came of it. */
export interface Lived {
  reads: number
  fresh: number
  /** Answers served as fresh that had changed since they were read. */
  changedFresh: number
  stale: number
  loads: number
}

/** A value that changes at random; may only be asked about a present that never goes back. */
export class Changing {
  readonly #everyMs: number
  readonly #random: Random
  #nextMs: number
  #version = 0

  constructor(everyMs: number, random: Random) {
    this.#everyMs = everyMs
    this.#random = random
    this.#nextMs = gap(everyMs, random)
  }

  at(nowMs: number): number {
    while (this.#nextMs <= nowMs) {
      this.#version += 1
      this.#nextMs += gap(this.#everyMs, this.#random)
    }
    return this.#version
  }
}

/** A moment of a Poisson process, from the one before. */
export function gap(meanMs: number, random: Random): number {
  return meanMs === Number.POSITIVE_INFINITY ? meanMs : -Math.log(1 - random()) * meanMs
}

/** See the module's header. */
export class World {
  readonly clock: VirtualClock = createVirtualClock()
  readonly cache: Cache
  readonly #random: Random
  readonly #call: CallOptions
  readonly #keys: { readonly name: string; readonly truth: Changing; readonly readMs: number; nextMs: number }[] = []
  #loads = 0

  constructor(
    seed: number,
    how: { readonly options?: CacheOptions; readonly call?: CallOptions; readonly kinds: readonly Kind[] },
  ) {
    this.#random = createRandom(seed)
    this.#call = how.call ?? {}
    this.cache = createCache({ clock: this.clock, random: createRandom(seed + 1), ...how.options })
    const start = this.clock.now()
    for (const [number, { keys, everyMs, readMs }] of how.kinds.entries()) {
      for (let key = 0; key < keys; key += 1) {
        const truth = new Changing(everyMs, this.#random)
        this.#keys.push({ name: `k${number}:${key}`, truth, readMs, nextMs: start + gap(readMs, this.#random) })
      }
    }
    this.#start = start
  }

  readonly #start: number

  /** Lives for so long. */
  async live(ms: number): Promise<Lived> {
    const lived: Lived = { reads: 0, fresh: 0, changedFresh: 0, stale: 0, loads: -this.#loads }
    const end = this.clock.now() + ms
    for (;;) {
      const next = this.#keys.reduce((first, key) => (key.nextMs < first.nextMs ? key : first))
      if (next.nextMs > end) break
      this.clock.advance(Math.max(0, next.nextMs - this.clock.now()))
      next.nextMs += gap(next.readMs, this.#random)
      await this.#read(next, lived)
    }
    this.clock.advance(Math.max(0, end - this.clock.now()))
    lived.loads += this.#loads
    return lived
  }

  async #read(key: { readonly name: string; readonly truth: Changing }, lived: Lived): Promise<void> {
    const version = (): string => `${key.name} ${key.truth.at(this.clock.now() - this.#start)}`
    const { data, cached, stale } = await this.cache.fetch(key.name, this.#call, async () => {
      this.#loads += 1
      return version()
    })
    lived.reads += 1
    if (stale) lived.stale += 1
    else {
      lived.fresh += 1
      if (cached && data !== version()) lived.changedFresh += 1
    }
    for (let turn = 0; turn < 4; turn += 1) await undefined // a refresh behind ends within this moment
    await this.cache.engine.refreshes.idle()
  }
}
