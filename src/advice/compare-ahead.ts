/**
 * The same requests without and with refreshing ahead: in the windows that are recommended, and in those that the origin declares.
 *
 * Floor 4, room advice.
 */
import { type AheadServed, replayAhead } from './ahead.ts'
import { replayUnbounded } from './curves.ts'
import type { Windows } from './replay.ts'
import type { RouteBook } from './route-book.ts'
import type { Trace } from './trace.ts'

/** See the module's header. */
export interface AheadCompared {
  readonly without: AheadServed
  readonly with: AheadServed
}

/** In the windows of a `Cache-Control` with `stale-while-revalidate`. */
export interface AheadDeclared extends AheadCompared {
  readonly cacheControl: string
}

const SECOND = 1000
const EXTRA = 0.1

/** @param trace of one route */
export function compareAhead(trace: Trace, { freshMs, staleMs }: Windows): AheadCompared {
  const { requests, fresh, stale } = replayUnbounded(trace, { freshMs, staleMs })
  const without = { requests, stale, misses: requests - fresh - stale, origin: requests - fresh }
  return { without, with: replayAhead(trace, { freshMs, staleMs }, EXTRA) }
}

/** By what most answers of the route declare. @returns undefined where that is no stale-while-revalidate */
export function compareDeclared(trace: Trace, { cacheControls }: RouteBook): AheadDeclared | undefined {
  const [most] = [...cacheControls].toSorted(([, a], [, b]) => b - a)
  if (most === undefined) return undefined
  const [cacheControl] = most
  const [freshMs, staleMs] = [secondsOf(cacheControl, 's-maxage|max-age'), secondsOf(cacheControl, 'stale-while-revalidate')]
  if (!(freshMs > 0 && staleMs > 0)) return undefined
  return { cacheControl, ...compareAhead(trace, { freshMs, staleMs }) }
}

/** Share of the waits and stale answers that it spares. */
export function sparedShare({ without, with: after }: AheadCompared): number {
  const waits = without.misses + without.stale
  return waits === 0 ? 0 : 1 - (after.misses + after.stale) / waits
}

/** In ms; NaN: not said. */
function secondsOf(cacheControl: string, names: string): number {
  return Number(new RegExp(`(?:^|[\\s,])(?:${names})\\s*=\\s*"?(\\d{1,9})`, 'i').exec(cacheControl)?.[1]) * SECOND
}
