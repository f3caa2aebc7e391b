/**
 * Rows of the catalogue of metrics about changes and what follows from them; see metric.ts.
 *
 * Floor 0, room model.
 */

const COMPARED = {
  name: 'cache_compared_total',
  help: 'Readings that were compared with what stood under their key, by whether they brought something else. Not compared is what an invalidation had told of.',
  perRoute: true,
}

const COMPARED_SECONDS = {
  name: 'cache_compared_seconds_total',
  help: 'Time between the two readings that were compared, by whether they differed: with the counts it tells how often something changes.',
  perRoute: true,
}

const WINDOWS = {
  name: 'cache_adaptive_windows_total',
  help: 'Entries stored where fresh windows are adaptive, by what was chosen against the promised one.',
  perRoute: true,
}

const DEMOTED = {
  name: 'cache_demoted_total',
  help: 'Loads of routes that a cache cannot help, by what they were kept out of.',
  perRoute: true,
}

/** The rows. */
export const ADAPTIVE_ROWS = {
  comparedChanged: { ...COMPARED, labels: { outcome: 'changed' } },
  comparedSame: { ...COMPARED, labels: { outcome: 'same' } },
  changedSeconds: { ...COMPARED_SECONDS, labels: { outcome: 'changed' } },
  sameSeconds: { ...COMPARED_SECONDS, labels: { outcome: 'same' } },
  windowsLonger: { ...WINDOWS, labels: { way: 'longer' } },
  windowsShorter: { ...WINDOWS, labels: { way: 'shorter' } },
  windowsKept: { ...WINDOWS, labels: { way: 'kept' } },
  demotedL2: { ...DEMOTED, labels: { from: 'l2' } },
  demotedCache: { ...DEMOTED, labels: { from: 'cache' } },
} as const
