/**
 * What a command may have changed, and whether its reply teaches.
 *
 * Floor 4, room resp. Pure.
 */
import type { Written } from './coherence.ts'

export interface Effect {
  /** Undefined: no key that is known. */
  readonly written: Written | undefined
  /** There may be others. */
  readonly isUnknown: boolean
  /** The reply tells of the data. */
  readonly teaches: boolean
  /** Hashes of counters and locks. */
  readonly live: readonly number[]
}

export const NO_EFFECT: Effect = Object.freeze({ written: undefined, isUnknown: false, teaches: false, live: [] })

/** More keys than that count as everything. */
const MAX_NAMED = 4096

/** Both together: a transaction. */
export function addEffect(one: Effect, other: Effect): Effect {
  if (other === NO_EFFECT) return one
  return {
    written: addWritten(one.written, other.written),
    isUnknown: one.isUnknown || other.isUnknown,
    teaches: true,
    live: [...one.live, ...other.live].slice(0, MAX_NAMED),
  }
}

function addWritten(one: Written | undefined, other: Written | undefined): Written | undefined {
  if (one === undefined || other === undefined) return one ?? other
  if (one === 'everything' || other === 'everything') return 'everything'
  const all = [...hashes(one), ...hashes(other)]
  return all.length > MAX_NAMED ? 'everything' : all
}

function hashes(written: Exclude<Written, 'everything'>): readonly number[] {
  return typeof written === 'number' ? [written] : Array.from(written)
}
