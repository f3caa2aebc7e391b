/**
 * The counters of prefetching, as rows of the catalogue.
 *
 * Floor 0, room model.
 */

const REQUESTS = {
  name: 'cache_prefetch_requests_total',
  help: 'Requests for what a client was likely to ask for next, by what became of them: started, asked for within its patience, not asked for or not kept, not needed any more when their turn came.',
  perRoute: true,
}

/** See model/metric.ts. */
export const PREFETCH_ROWS = {
  prefetchStarted: { ...REQUESTS, labels: { outcome: 'started' } },
  prefetchUsed: { ...REQUESTS, labels: { outcome: 'used' } },
  prefetchWasted: { ...REQUESTS, labels: { outcome: 'wasted' } },
  prefetchSpared: { ...REQUESTS, labels: { outcome: 'spared' } },
  prefetchAbandoned: {
    name: 'cache_prefetch_abandoned_total',
    help: 'Prefetches left because the origin was slow or failing, memory was tight, or as many as may were under way.',
    perRoute: true,
  },
  prefetchDropped: {
    name: 'cache_prefetch_dropped_rules_total',
    help: 'Rules dropped for a while because less than 60 % of what they had fetched was asked for.',
    perRoute: true,
  },
  prefetchPauses: {
    name: 'cache_prefetch_pauses_total',
    help: 'Times that prefetching was switched off for a while, on a route, because less than 60 % of it was asked for.',
    perRoute: true,
  },
} as const
