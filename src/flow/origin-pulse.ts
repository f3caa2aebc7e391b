/**
 * How the origin is doing, by what is asked of it anyway: how long it takes against what it usually takes, how much is under
 * way, what failed.
 *
 * Floor 3, room flow. Each route has its own usual time: a low quantile, learned. Two additions and a few products for each
 * question; no timer, no allocation after the first of a route.
 */
import type { RouteId } from '../model/meter.ts'

/** The quantile that counts as usual, and how fast it is learned. */
const QUANTILE = 0.25
const STEP = 0.1
/** Differences of less than this are noise, ms. */
const NOISE_MS = 5
/** Of each answer in the smoothed ratio: what has become slow shows within a few. */
const WEIGHT = 0.25
/** Over which what is under way is smoothed, and after which the most of it is half forgotten, ms. */
const SMOOTH_MS = 10_000
const PEAK_HALF_LIFE_MS = 86_400_000

/** See the module's header. All times are `clock.now()`. */
export class OriginPulse {
  readonly #usualMs: (number | undefined)[] = []
  /** Logarithm of the smoothed ratio: one answer that took ages is one answer. */
  #slowness = 0
  #underWay = 0
  #busy = 0
  #peak = 0
  #atMs = 0
  #failedAtMs = Number.NEGATIVE_INFINITY

  /** Questions without an answer yet. */
  get underWay(): number {
    return this.#underWay
  }

  /** How long answers take against what is usual, smoothed; 1: as ever. */
  get ratio(): number {
    return Math.exp(this.#slowness)
  }

  /** When a question failed last. */
  get failedAtMs(): number {
    return this.#failedAtMs
  }

  /** What a route's answers usually take, ms; undefined: it was never asked. */
  usualMs(route: RouteId): number | undefined {
    return this.#usualMs[route]
  }

  began(now: number): void {
    this.#pass(now)
    this.#underWay += 1
  }

  /** @param tookMs undefined: it was given up, which says nothing of the origin */
  ended(
    now: number,
    route: RouteId,
    { tookMs, failed }: { readonly tookMs: number | undefined; readonly failed: boolean },
  ): void {
    this.#pass(now)
    this.#underWay = Math.max(0, this.#underWay - 1)
    if (failed) this.#failedAtMs = now
    else if (tookMs !== undefined) this.#learn(route, tookMs)
  }

  /** Under way of late, and at most. */
  load(now: number): { readonly busy: number; readonly peak: number } {
    this.#pass(now)
    return { busy: this.#busy, peak: this.#peak }
  }

  /** A route that nobody asks any more says nothing: what it said is forgotten. */
  calm(): void {
    this.#slowness = 0
  }

  #learn(route: RouteId, tookMs: number): void {
    while (this.#usualMs.length <= route) this.#usualMs.push(undefined)
    const usual = this.#usualMs[route]
    if (usual === undefined) {
      this.#usualMs[route] = tookMs
      return
    }
    this.#slowness += (Math.log((tookMs + NOISE_MS) / (usual + NOISE_MS)) - this.#slowness) * WEIGHT
    const by = tookMs < usual ? -(1 - QUANTILE) : QUANTILE
    this.#usualMs[route] = Math.max(0.01, usual * (1 + by * STEP))
  }

  #pass(now: number): void {
    const ms = Math.max(0, now - this.#atMs)
    this.#atMs = Math.max(this.#atMs, now)
    this.#busy += (this.#underWay - this.#busy) * (1 - Math.exp(-ms / SMOOTH_MS))
    this.#peak = Math.max(this.#busy, this.#peak * 2 ** (-ms / PEAK_HALF_LIFE_MS))
  }
}
