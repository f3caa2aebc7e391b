/**
 * The counters of warming, as rows of the catalogue.
 *
 * Floor 0, room model.
 */

const WARMED = {
  name: 'warmed_entries_total',
  help: 'Entries that memory began with, by where they came from: the snapshot on disk, or the second level because other instances read them most.',
  perRoute: false,
}

const LOADS = {
  name: 'cache_warm_loads_total',
  help: 'Requests for what is read most before anybody asked, by why: after an invalidation, after a start, before the hour in which it is usually read, in quiet times.',
  perRoute: true,
}

const OUTCOMES = {
  name: 'cache_warm_outcomes_total',
  help: 'What became of them: read while it was fresh, not read, failed.',
  perRoute: true,
}

const HOLDS = {
  name: 'cache_warm_holds_total',
  help: 'Times that warming stopped, by why: the origin was slow, failed, or memory was short.',
  perRoute: false,
}

/** See model/metric.ts. */
export const WARM_ROWS = {
  warmedSnapshot: { ...WARMED, labels: { from: 'snapshot' } },
  warmedHot: { ...WARMED, labels: { from: 'instances' } },
  warmBump: { ...LOADS, labels: { cause: 'bump' } },
  warmStart: { ...LOADS, labels: { cause: 'start' } },
  warmRhythm: { ...LOADS, labels: { cause: 'rhythm' } },
  warmQuiet: { ...LOADS, labels: { cause: 'quiet' } },
  warmRead: { ...OUTCOMES, labels: { outcome: 'read' } },
  warmWasted: { ...OUTCOMES, labels: { outcome: 'wasted' } },
  warmFailed: { ...OUTCOMES, labels: { outcome: 'failed' } },
  warmHeldSlow: { ...HOLDS, labels: { reason: 'slow' } },
  warmHeldFailed: { ...HOLDS, labels: { reason: 'failed' } },
  warmHeldMemory: { ...HOLDS, labels: { reason: 'memory' } },
  warmSwitchedOff: {
    name: 'cache_warm_switched_off_total',
    help: 'Times that warming was switched off for a while, on a route and for a cause, because too little of it was read.',
    perRoute: true,
  },
} as const
