/**
 * Synthetic changes over a trace's keys: each key changes at random (Poisson) at a rate of its own, drawn from a mixture.
 * Traces tell who asked when, and not what the answers were: these rates are made up, and the bench says so.
 */
import { createRandom, type Random } from '../../src/model/random.ts'
import type { Timed } from '../predict/replay.ts'

/** How the rates of keys are spread. */
export interface Mixture {
  readonly name: string
  /** Share of keys that never change. */
  readonly never: number
  /** Median of the mean time between two changes of the others, ms. */
  readonly medianMs: number
  /** Spread of its logarithm; 0: all alike. */
  readonly sigma: number
}

const MINUTE_MS = 60_000

/** Alike, and so spread that no one window fits. */
export const MIXTURES: readonly Mixture[] = [
  { name: 'alike, 10 min', never: 0, medianMs: 10 * MINUTE_MS, sigma: 0 },
  { name: 'spread, 10 min', never: 0.2, medianMs: 10 * MINUTE_MS, sigma: 1.5 },
  { name: 'spread, 1 min', never: 0.2, medianMs: MINUTE_MS, sigma: 1.5 },
]

/** What each request of a trace would get of the origin. */
export function versionsOf({ ids, atMs, distinct }: Timed, mixture: Mixture, seed: number): Int32Array {
  const changes = new Changes(distinct, mixture, seed)
  return Int32Array.from(ids, (id, at) => changes.at(id, atMs[at] as number))
}

/** The version of each key at a moment; time must not go back. */
class Changes {
  readonly #everyMs: Float64Array
  readonly #nextMs: Float64Array
  readonly #version: Int32Array
  readonly #random: Random

  constructor(distinct: number, { never, medianMs, sigma }: Mixture, seed: number) {
    const random = createRandom(seed)
    this.#random = random
    this.#everyMs = Float64Array.from({ length: distinct }, () => {
      const isFixed = random() < never
      const spread = Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
      return isFixed ? Number.POSITIVE_INFINITY : medianMs * spread
    })
    this.#version = new Int32Array(distinct)
    this.#nextMs = Float64Array.from({ length: distinct }, (_, id) => this.#gap(id))
  }

  at(id: number, nowMs: number): number {
    while ((this.#nextMs[id] as number) <= nowMs) {
      const version = (this.#version[id] as number) + 1
      this.#version[id] = version
      this.#nextMs[id] = (this.#nextMs[id] as number) + this.#gap(id)
    }
    return this.#version[id] as number
  }

  #gap(id: number): number {
    return -Math.log(1 - this.#random()) * (this.#everyMs[id] as number)
  }
}
