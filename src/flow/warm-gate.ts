/**
 * Whether the origin may be asked for anything that nobody waits for, and for how much at once.
 *
 * Floor 3, room flow. One at first, one more with each that goes well. What is slow, fails or presses on memory stops all of
 * it at once for a pause that doubles; after it one alone tries. Nothing is ever repeated because it failed.
 */
import type { Clock } from '../model/clock.ts'
import type { RouteId } from '../model/meter.ts'
import type { Mood } from './governor.ts'
import type { OriginPulse } from './origin-pulse.ts'
import { isUrgent, type WarmCause } from './warm-budget.ts'

/** Why nothing may be asked for now. */
export type Hold = 'slow' | 'failed' | 'memory' | 'busy' | 'blind' | 'pause'

/** What a gate looks at. */
export interface WarmGateParts {
  readonly clock: Clock
  readonly pulse: OriginPulse
  readonly governor: { readonly mood: Mood }
  readonly slowAt: number
  readonly concurrency: number
  /** Whether invalidations of others would be heard of. */
  isSighted(): boolean
}

const FIRST_PAUSE_MS = 5000
const MAX_PAUSE_MS = 300_000
/** What took no longer than this is not slow, whatever is usual. */
const PATIENCE_MS = 250
/** Share of the most that is ever under way, up to which the origin counts as idle; and one that is always there. */
const IDLE_SHARE = 0.5
const IDLE_UNDER_WAY = 1
/** An origin that was never busy takes so many at once beside ours. */
const LEAST_PEAK = 4

/** See the module's header. */
export class WarmGate {
  readonly #parts: WarmGateParts
  readonly #running = new Map<object, { readonly route: RouteId; readonly atMs: number }>()
  #width = 1
  #pauseMs = 0
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  /** Failures up to here are known. */
  #seenFailureMs: number

  constructor(parts: WarmGateParts) {
    this.#parts = parts
    this.#seenFailureMs = parts.clock.now()
  }

  /** Under way of ours. */
  get running(): number {
    return this.#running.size
  }

  /** So many may be under way. */
  get width(): number {
    return this.#width
  }

  /** @returns undefined where one more may be asked for */
  hold(cause: WarmCause): Hold | undefined {
    const { clock, governor } = this.#parts
    const now = clock.now()
    const trouble = this.#trouble(now)
    if (trouble !== undefined) this.#pause(now)
    if (trouble !== undefined) return trouble
    if (now < this.#pausedUntilMs) return 'pause'
    if (governor.mood !== 'calm') return 'memory'
    if (!this.#parts.isSighted()) return 'blind'
    return this.#isBusy(cause, now) ? 'busy' : undefined
  }

  began(one: object, route: RouteId): void {
    this.#running.set(one, { route, atMs: this.#parts.clock.now() })
  }

  ended(one: object, isGood: boolean): void {
    this.#running.delete(one)
    if (!isGood) return this.#pause(this.#parts.clock.now())
    this.#width = Math.min(this.#parts.concurrency, this.#width + 1)
    if (this.#width > 2) this.#pauseMs = 0
  }

  #trouble(now: number): 'slow' | 'failed' | undefined {
    const { pulse, slowAt } = this.#parts
    if (pulse.failedAtMs > this.#seenFailureMs) {
      this.#seenFailureMs = pulse.failedAtMs
      return 'failed'
    }
    if (pulse.ratio >= slowAt) return 'slow'
    for (const { route, atMs } of this.#running.values()) {
      if (now - atMs > PATIENCE_MS + slowAt * (pulse.usualMs(route) ?? PATIENCE_MS)) return 'slow'
    }
    return undefined
  }

  #isBusy(cause: WarmCause, now: number): boolean {
    const { pulse } = this.#parts
    const { busy, peak } = pulse.load(now)
    const others = Math.max(0, pulse.underWay - this.#running.size)
    if (isUrgent(cause)) return others > Math.max(LEAST_PEAK, Math.ceil(peak))
    return others > Math.max(IDLE_UNDER_WAY, peak * IDLE_SHARE) || busy - this.#running.size > Math.max(1, peak * IDLE_SHARE)
  }

  #pause(now: number): void {
    if (now < this.#pausedUntilMs) return
    this.#pauseMs = Math.min(MAX_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2))
    this.#pausedUntilMs = now + this.#pauseMs
    this.#width = 1
    this.#parts.pulse.calm()
  }
}
