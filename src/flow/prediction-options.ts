/**
 * Options of prediction, as the cache takes them.
 *
 * Floor 3, room flow.
 */
import { ADAPTIVE } from './adaptive-options.ts'
import { REFRESH_AHEAD } from './ahead-options.ts'
import { WARMING } from './warm-options.ts'

/** Fields of the cache's options. */
export const PREDICTION = {
  refreshAhead: REFRESH_AHEAD.prefault(false).meta({
    description:
      'Refreshes entries before they end where readers are likely to come back, within a budget of extra loads; `true`, `false`, or `{extra, minChance, concurrency}`.',
  }),
  warming: WARMING.prefault(false).meta({
    description:
      'Loads what is read most before anybody waits for it: after an invalidation of more than keys, before the hour in which it is usually read, and while the origin is idle; `true`, `false`, or an object; docs/guide/prediction.md.',
  }),
  adaptive: ADAPTIVE.prefault(false).meta({
    description:
      'Chooses fresh windows by how often answers really changed, inside what was promised; `true`, `false`, or `{maxStaleChance, min, max, demote}`; docs/guide/prediction.md.',
  }),
}
