/**
 * Replays a trace over one store without limit of memory, as a policy of freshness would have it: what was fresh, what was
 * stale, what had to be waited for, and what the origin was asked for.
 *
 * Time is the trace's. A load takes no time here: policies are compared, not machines.
 */
import type { Trace } from '../trace/formats.ts'

/** Requests in order, with the moment of each. */
export interface Timed {
  readonly ids: Int32Array
  readonly atMs: Float64Array
  readonly distinct: number
}

/** What came of a replay, counted from `from` on. */
export interface Tally {
  requests: number
  /** Waited for the origin. */
  misses: number
  /** Served past the fresh window. */
  stale: number
  /** Requests to the origin, whoever asked. */
  origin: number
}

/** How a policy treats one request. It keeps its own books. */
export interface Policy {
  readonly name: string
  /** Everything of its own that falls due before a moment; called before each request. @returns requests to the origin */
  advance(nowMs: number): number
  /** @returns what the request got, and how many requests to the origin it caused */
  ask(id: number, nowMs: number): Outcome
}

export type Served = 'fresh' | 'stale' | 'miss'
export interface Outcome {
  readonly served: Served
  readonly origin: number
}

export const FRESH: Outcome = { served: 'fresh', origin: 0 }
/** Fresh, and refreshed behind. */
export const EARLY: Outcome = { served: 'fresh', origin: 1 }
export const STALE: Outcome = { served: 'stale', origin: 1 }
export const MISS: Outcome = { served: 'miss', origin: 1 }

/** @param rate requests a second, where the trace tells no times */
export function timed({ ids, atMs, distinct }: Trace, rate: number): Timed {
  return { ids, distinct, atMs: atMs ?? Float64Array.from(ids, (_, index) => (index * 1000) / rate) }
}

/** @param from share of the trace that a policy learns on before anything counts */
export function replay({ ids, atMs }: Timed, policy: Policy, from: number): Tally {
  const tally: Tally = { requests: 0, misses: 0, stale: 0, origin: 0 }
  const first = Math.floor(ids.length * from)
  for (let i = 0; i < ids.length; i += 1) {
    const now = atMs[i] as number
    const ahead = policy.advance(now)
    const { served, origin } = policy.ask(ids[i] as number, now)
    if (i < first) continue
    tally.requests += 1
    tally.origin += origin + ahead
    if (served === 'miss') tally.misses += 1
    else if (served === 'stale') tally.stale += 1
  }
  return tally
}
