/**
 * What became of what was warmed: read while it was fresh, or not; and which routes are left alone because it does not pay.
 *
 * Floor 3, room flow. Goes by the rows of memory, looked at about once a second. What was invalidated or evicted before
 * anybody read it was in vain, whoever is to blame.
 */
import { DEFAULT_ROUTE, type Meter, type RouteId } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import type { Entry } from '../model/entry.ts'
import type { Arrivals } from '../shelf/arrivals.ts'
import { type WarmBudget, type WarmCause, WarmPayoff } from './warm-budget.ts'

/** What outcomes are told by. */
export interface OutcomeParts {
  readonly meter: Meter
  readonly budget: WarmBudget
  readonly minPrecision: number
  readonly memory: {
    look(key: string): Entry | undefined
    arrivals(key: string): Arrivals | undefined
  }
}

/** What was warmed and not read yet. */
export interface Warmed {
  readonly key: string
  readonly cause: WarmCause
  readonly route: RouteId
  readonly storedAt: number
  readonly untilMs: number
  /** Share of a load that its reader is spared. */
  readonly spared: number
}

/** How one cause does on one route. */
export interface WarmStanding {
  readonly route: string
  readonly cause: WarmCause
  readonly precision: number
  readonly isOff: boolean
}

/** See the module's header. */
export class WarmOutcomes {
  readonly #parts: OutcomeParts
  readonly #open = new Map<string, Warmed>()
  readonly #payoffs = new Map<WarmCause, (WarmPayoff | undefined)[]>()
  readonly #openBy = new Map<WarmPayoff, number>()

  constructor(parts: OutcomeParts) {
    this.#parts = parts
  }

  /** Without an outcome yet. */
  get size(): number {
    return this.#open.size
  }

  /** Whether more may be warmed for a cause on a route. */
  allows(cause: WarmCause, route: RouteId, now: number): boolean {
    const payoff = this.#payoff(cause, route)
    if (payoff.isOff(now)) return false
    return cause === 'start' || cause === 'bump' || (this.#openBy.get(payoff) ?? 0) < payoff.maxOpen
  }

  warmed(one: Warmed): void {
    const before = this.#open.get(one.key)
    if (before !== undefined) this.#settle(before, this.#parts.memory.arrivals(one.key)?.before[0] === true, one.storedAt)
    this.#open.set(one.key, one)
    const payoff = this.#payoff(one.cause, one.route)
    this.#openBy.set(payoff, (this.#openBy.get(payoff) ?? 0) + 1)
  }

  /** Looks at all that are open. */
  look(now: number): void {
    for (const one of this.#open.values()) this.#look(one, now)
  }

  /** It is about to be asked for again: whoever has read it until now has. */
  leave(key: string, now: number): void {
    const one = this.#open.get(key)
    if (one !== undefined) this.#look({ ...one, untilMs: now }, now)
  }

  #look(one: Warmed, now: number): void {
    const { memory } = this.#parts
    const row = memory.arrivals(one.key)
    const entry = memory.look(one.key)
    if (entry === undefined)
      this.#settle(one, (row?.reads ?? 0) > 0, now) // of what was just invalidated
    else if (entry.storedAt !== one.storedAt) this.#settle(one, row?.before[0] === true, now)
    else if ((row?.reads ?? 0) > 0) this.#settle(one, true, now)
    else if (now >= one.untilMs) this.#settle(one, false, now)
  }

  standings(now: number): WarmStanding[] {
    const { routes } = this.#parts.meter
    return [...this.#payoffs].flatMap(([cause, payoffs]) =>
      payoffs.flatMap((payoff, route) =>
        payoff === undefined
          ? []
          : [{ route: routes[route] ?? '', cause, precision: payoff.precision, isOff: payoff.isOff(now) }],
      ),
    )
  }

  #settle(one: Warmed, wasRead: boolean, now: number): void {
    const { meter, budget } = this.#parts
    this.#open.delete(one.key)
    const payoff = this.#payoff(one.cause, one.route)
    this.#openBy.set(payoff, (this.#openBy.get(payoff) ?? 1) - 1)
    meter.count(wasRead ? COUNTER.warmRead : COUNTER.warmWasted, one.route)
    if (wasRead && one.cause !== 'bump' && one.cause !== 'start') budget.refund(one.spared)
    if (payoff.settle(wasRead, now)) meter.count(COUNTER.warmSwitchedOff, one.route)
  }

  #payoff(cause: WarmCause, route: RouteId = DEFAULT_ROUTE): WarmPayoff {
    let payoffs = this.#payoffs.get(cause)
    if (payoffs === undefined) this.#payoffs.set(cause, (payoffs = []))
    while (payoffs.length <= route) payoffs.push(undefined)
    let payoff = payoffs[route]
    if (payoff === undefined) payoffs[route] = payoff = new WarmPayoff(this.#parts.minPrecision)
    return payoff
  }
}
