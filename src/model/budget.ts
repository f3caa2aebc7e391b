/**
 * The staleness budget: how old an answer may be, and in which condition.
 *
 * Floor 0, room model. Windows are counted from the moment the reading of the origin began (`storedAt`), so they
 * include the load itself: `fresh` is served as it is, up to `stale` it is served while a refresh runs behind,
 * up to `onError` it is served only if the origin fails. fresh <= stale <= onError.
 */
import { ForecacheError } from './errors.ts'
import { type Duration, parseDuration } from './units.ts'

/** Resolved windows, ms from `storedAt`; `freshMs <= staleMs <= onErrorMs`. */
export interface Budget {
  readonly freshMs: number
  readonly staleMs: number
  readonly onErrorMs: number
}

/** A budget as users write it. A bare duration is `fresh` alone. */
export type BudgetInput =
  | Duration
  | {
      /** Served as it is. */
      readonly fresh: Duration
      /** Served while a refresh runs; default: equal to `fresh`. */
      readonly stale?: Duration
      /** Served when the origin fails; default: equal to `stale`. */
      readonly onError?: Duration
    }

/** Served when nobody says otherwise: fresh for 60 s, nothing stale (seed 001's default budget). */
export const DEFAULT_BUDGET: Budget = { freshMs: 60_000, staleMs: 60_000, onErrorMs: 60_000 }

/** Contexts known without configuration (seed 001): user:profile 30 s, user:dashboard 2 min, user:analytics 10 min. */
export const DEFAULT_CONTEXTS: Readonly<Record<string, Budget>> = {
  'user:profile': flat(30_000),
  'user:dashboard': flat(120_000),
  'user:analytics': flat(600_000),
}

/**
 * @param given a BudgetInput
 * @param name the option's path, named in errors
 * @throws FC_OPTION_DURATION, FC_OPTION_UNKNOWN, FC_OPTION_VALUE when the windows do not nest
 */
export function parseBudget(given: BudgetInput, name = 'budget'): Budget {
  if (typeof given === 'number' || typeof given === 'string') return flat(parseDuration(given, name))
  if (typeof given !== 'object' || given === null) {
    throw new ForecacheError('FC_OPTION_TYPE', { name, expected: 'a duration or {fresh, stale, onError}', given: typeof given })
  }
  for (const key of Object.keys(given)) {
    if (key !== 'fresh' && key !== 'stale' && key !== 'onError') {
      throw new ForecacheError('FC_OPTION_UNKNOWN', { name: `${name}.${key}`, known: 'fresh, stale, onError' })
    }
  }
  const freshMs = parseDuration(given.fresh, `${name}.fresh`)
  const staleMs = given.stale === undefined ? freshMs : parseDuration(given.stale, `${name}.stale`)
  const onErrorMs = given.onError === undefined ? staleMs : parseDuration(given.onError, `${name}.onError`)
  if (freshMs > staleMs || staleMs > onErrorMs) {
    throw new ForecacheError('FC_OPTION_VALUE', {
      name,
      reason: `windows count from the load and must nest: fresh ${freshMs} <= stale ${staleMs} <= onError ${onErrorMs} ms`,
    })
  }
  return { freshMs, staleMs, onErrorMs }
}

/** The same budget, every window ending no later than `leftMs` (a known end time: a promotion ends, `Expires`). */
export function capBudget(budget: Budget, leftMs: number): Budget {
  const left = Math.max(0, leftMs)
  if (left >= budget.onErrorMs) return budget
  return { freshMs: Math.min(budget.freshMs, left), staleMs: Math.min(budget.staleMs, left), onErrorMs: left }
}

/** Every window ends earlier by up to `ratio` of the fresh one, so that entries stored together do not expire together. */
export function jitterBudget(budget: Budget, ratio: number, random: () => number): Budget {
  if (ratio <= 0) return budget
  const earlierMs = budget.freshMs * ratio * random()
  return { freshMs: budget.freshMs - earlierMs, staleMs: budget.staleMs - earlierMs, onErrorMs: budget.onErrorMs - earlierMs }
}

function flat(ms: number): Budget {
  return { freshMs: ms, staleMs: ms, onErrorMs: ms }
}
