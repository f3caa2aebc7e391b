/**
 * The fresh window of one entry, by what is known of its key's and its route's changes.
 *
 * Floor 3, room flow. Pure. As long as the chance that it has changed stays under the bound at the window's very end: every
 * answer served as fresh is under it, the mean of them at about half of it. A key of which little is known is taken to be
 * like its route, as if one change had been seen at the route's pace; so it is its own comparisons that count soon.
 * Never beyond what was promised; never shorter than promised for want of evidence.
 */
import type { KeyChange } from '../shelf/change-word.ts'
import type { AdaptiveSettings } from './adaptive-options.ts'
import type { ChangeBook } from './change-book.ts'
import { cautiousRate, changeChance, safeMs } from './change-rate.ts'

/** What is to be chosen. */
export interface WindowWish {
  readonly settings: AdaptiveSettings
  /** The fresh window as it was promised, ms. */
  readonly promisedMs: number
  /** The end of all that was promised: nothing is fresh beyond, ms. */
  readonly latestMs: number
}

/** Every reason for a window and what it means. */
export const WINDOW_REASONS = {
  promise: 'as it was promised: too few refreshes have been compared so far',
  chance: 'as long as the chance that it has changed stays under maxStaleChance',
  min: 'not under adaptive.min, although the chance that it has changed is above maxStaleChance at its end',
  window: 'up to the end of what was promised; the chance that it has changed would allow more',
  max: 'up to adaptive.max; the chance that it has changed would allow more',
} as const

export type WindowReason = keyof typeof WINDOW_REASONS
/** In an order that stays. */
export const REASON_NAMES = Object.keys(WINDOW_REASONS) as readonly WindowReason[]

export interface WindowChoice {
  /** Whole ms. */
  readonly freshMs: number
  readonly because: WindowReason
  /** That it has changed by the end of the window; undefined: not known. */
  readonly chance: number | undefined
}

const PROMISED_PART = 4

/** @param known `route` undefined: nothing was compared there yet */
export function chooseWindow(
  known: { readonly key: KeyChange; readonly route: ChangeBook | undefined },
  { settings, promisedMs, latestMs }: WindowWish,
): WindowChoice {
  const mostMs = Math.min(latestMs, settings.max ?? Number.POSITIVE_INFINITY)
  if (!(promisedMs > 0) || known.route?.isKnown !== true)
    return { freshMs: Math.floor(Math.min(promisedMs, mostMs)), because: 'promise', chance: undefined }
  const rate = rateOf(known.key, known.route.cautious)
  const leastMs = Math.min(promisedMs, mostMs, settings.min ?? promisedMs / PROMISED_PART)
  const safe = safeMs(rate, settings.maxStaleChance)
  const freshMs = Math.floor(Math.min(mostMs, Math.max(leastMs, safe)))
  const chance = changeChance(rate, freshMs)
  if (safe < leastMs) return { freshMs, because: 'min', chance }
  if (safe <= mostMs) return { freshMs, because: 'chance', chance }
  return { freshMs, because: mostMs < latestMs ? 'max' : 'window', chance }
}

/** Changes a ms, with caution: see cautiousRate. */
export function rateOf({ seen, changed, quietMs, changedMs }: KeyChange, routeRate: number): number {
  const quiet = seen - changed
  const own = { changed: changed === 0 ? [] : [{ count: changed, gapMs: changedMs }], quiet, quietMs: quiet * quietMs }
  return cautiousRate(own, { changes: 1, ms: 1 / routeRate })
}
