/**
 * What a route's policy is to be, by what was found of it.
 *
 * Floor 4, room advice. The fresh window is a tenth of the mean time between changes, so that about one answer in twenty would
 * differ from the origin's at its end; where no change was seen, of the time that is proven without one. It is advice: what may
 * be how old is for those to say who know what it is for.
 */
import type { Change } from './change.ts'
import { type AheadCompared, sparedShare } from './compare-ahead.ts'
import { CLIENT, type Dimension } from './infer.ts'
import type { Recommendation } from './report.ts'
import { MAX_BODY_BYTES } from './replay.ts'
import { TRACKING } from './route-table.ts'
import { spellDuration } from './spell.ts'

/** What a recommendation goes by. */
export interface Found {
  readonly dimensions: readonly Dimension[]
  readonly change: Change
  readonly reuse: number
  readonly reads: number
  /** Of an answer. */
  readonly meanBytes: number
}

const SECOND = 1000
const NICE: readonly number[] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((s) => s * SECOND)
const FRESH_SHARE = 0.1
const MIN_CHANGE_MS = 2 * SECOND
/** Nothing could be compared: an hour would be a guess, half a minute is one that is soon over. */
const UNKNOWN_FRESH_MS = 30 * SECOND
/** Below it caching costs more than it gives. */
export const MIN_REUSE = 0.04
const MIN_READS = 50
/** Waits and stale answers that refreshing ahead has to spare. */
export const MIN_GAIN = 0.1

/** Names that stand for one person. */
const PERSONAL = new Set<string>([
  CLIENT,
  'user',
  'header:authorization',
  'cookie:session',
  'cookie:sessionid',
  'cookie:sid',
  'cookie:token',
])

/** Dimensions that decide, and stand for who asks. */
export function personalOf(dimensions: readonly Dimension[]): Dimension[] {
  return dimensions.filter(({ name, verdict }) => verdict === 'deciding' && PERSONAL.has(name.toLowerCase()))
}

/** Without `refreshAhead`, which needs a simulation; see `withAhead`. */
export function recommend(found: Found): Recommendation {
  const { dimensions, change } = found
  const why = reasonsAgainst(found)
  const freshMs = why.length > 0 ? 0 : freshFor(change)
  const named = (prefix: string, isWanted: (one: Dimension) => boolean): string[] =>
    dimensions.filter((one) => one.name.startsWith(prefix) && isWanted(one)).map(({ name }) => name.slice(prefix.length))
  return {
    isCached: why.length === 0,
    freshMs,
    staleMs: freshMs,
    drop: named('?', ({ name, verdict }) => verdict === 'irrelevant' && name !== TRACKING),
    keepsTracking: dimensions.some(({ name, verdict }) => name === TRACKING && verdict === 'deciding'),
    headers: named('header:', ({ verdict }) => verdict === 'deciding'),
    cookies: named('cookie:', ({ verdict }) => verdict !== 'irrelevant'),
    refreshAhead: false,
    why: why.length > 0 ? why : [describeWindow(change)],
  }
}

/** Says whether to refresh ahead, by what it would spare. */
export function withAhead(given: Recommendation, compared: AheadCompared): Recommendation {
  const spared = sparedShare(compared)
  if (spared < MIN_GAIN) return given
  const text = `refreshing ahead would spare ${(spared * 100).toFixed(0)} % of the waits and stale answers`
  return { ...given, refreshAhead: true, why: [...given.why, text] }
}

function reasonsAgainst({ dimensions, change, reuse, reads, meanBytes }: Found): string[] {
  const reasons: string[] = []
  const personal = personalOf(dimensions).map(({ name }) => name)
  if (personal.length > 0) reasons.push(`the answer depends on ${personal.join(', ')}`)
  if (reads === 0) reasons.push('nothing was answered that a cache may keep')
  if (reads >= MIN_READS && reuse < MIN_REUSE) reasons.push(`${(reuse * 100).toFixed(1)} % of the reads repeat an earlier one`)
  if (change.everyMs > 0 && change.changed > 0 && change.everyMs < MIN_CHANGE_MS)
    reasons.push(`answers change every ${spellDuration(change.everyMs)}`)
  if (meanBytes > MAX_BODY_BYTES) reasons.push('answers of more than 1 MiB are streamed, not stored')
  return reasons
}

function freshFor({ pairs, everyMs }: Change): number {
  if (pairs === 0) return UNKNOWN_FRESH_MS
  const wanted = everyMs * FRESH_SHARE
  return NICE.findLast((ms) => ms <= wanted) ?? SECOND
}

function describeWindow({ pairs, changed, everyMs }: Change): string {
  if (pairs === 0) return 'changes are not visible in this log; half a minute is a guess'
  return changed === 0
    ? `no change seen in ${pairs} comparisons; at most one in ${spellDuration(everyMs)}`
    : `answers change every ${spellDuration(everyMs)} on average`
}
