/**
 * What a route says of prediction: refreshing ahead, prefetching, adaptive windows.
 *
 * Floor 4, room http.
 */
import { ADAPTIVE, type AdaptiveSettings } from '../flow/adaptive-options.ts'
import { type AheadSettings, REFRESH_AHEAD } from '../flow/ahead-options.ts'
import { type PrefetchSettings, ROUTE_PREFETCH } from '../flow/prefetch-options.ts'

/** Rows of the schema of a route policy. */
export const PREDICTION_ROWS = {
  refreshAhead: REFRESH_AHEAD.optional().meta({
    shown: 'as refreshAhead of the cache',
    description:
      'Responses are asked for again before they end, where clients are likely to come back: `true`, `false`, or `{extra, minChance, concurrency}`. Those of requests with Authorization or Cookie are not.',
  }),
  adaptive: ADAPTIVE.optional().meta({
    shown: 'as adaptive of the cache',
    description:
      'The fresh window is chosen by how often responses really changed, inside what the origin and the budget promise: `true`, `false`, or `{maxStaleChance, min, max, demote}`.',
  }),
  prefetch: ROUTE_PREFETCH.optional().meta({
    shown: 'as the section prefetch',
    description:
      'Fetches what a client is likely to ask for next, before he does: `true`, `false`, or `{extra, minChance, patience, concurrency, credentials, hints, bodies}`. At the gateway; a middleware has nobody to ask.',
  }),
}

/** A policy's part about it; of a door: for routes that say nothing of it. */
export interface Prediction {
  /** Undefined: nothing is refreshed ahead. */
  readonly refreshAhead: AheadSettings | undefined
  /** Undefined: lifetimes are what was promised. */
  readonly adaptive: AdaptiveSettings | undefined
  /** Undefined: nothing is prefetched. */
  readonly prefetch: PrefetchSettings | undefined
}

/** What a route says, `undefined` for off; what it does not say is the door's. */
export function predictionOf(route: Partial<Prediction>, parts: Partial<Prediction>): Prediction {
  return {
    refreshAhead: 'refreshAhead' in route ? route.refreshAhead : parts.refreshAhead,
    adaptive: 'adaptive' in route ? route.adaptive : parts.adaptive,
    prefetch: 'prefetch' in route ? route.prefetch : parts.prefetch,
  }
}
