/**
 * The fleets that are tried in random schedules, by name.
 */
import type { TrialOptions } from '../../../src/sim/trial-options.ts'
import { sequenced } from './sequenced.ts'
import { streamed } from './streamed.ts'

/** Each with everything that may go wrong there. */
export const FLEETS: Readonly<Record<string, TrialOptions>> = {
  workers: sequenced(),
  log: streamed({ policy: 'budget' }),
  'log, missing while blind': streamed({ policy: 'miss' }),
  'log and second level': streamed({ policy: 'budget', hasSecond: true }),
  'log and second level, missing while blind': streamed({ policy: 'miss', hasSecond: true }),
}
