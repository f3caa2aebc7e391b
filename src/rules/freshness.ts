/**
 * Freshness lifetime and stale windows (RFC 9111 sections 4.2.1, 4.2.2 and 4.2.4, RFC 5861).
 *
 * Floor 1, room rules. Pure. All results in ms, counted in the response's age.
 */
import type { Fields } from '../model/fields.ts'
import { singleDate } from './dates.ts'
import type { Governing } from './targeted.ts'

/** Statuses that may be reused without explicit freshness (RFC 9110 section 15.1). */
const HEURISTIC_STATUSES: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])
const HEURISTIC_SHARE = 0.1
const MAX_HEURISTIC_MS = 86_400_000

/** How long a response is fresh. */
export interface Lifetime {
  readonly ms: number
  /** Said by the origin (also when invalid, which counts as 0); false for a heuristic and for nothing at all. */
  readonly explicit: boolean
}

/** How long after its fresh lifetime a response may still be used, ms. */
export interface StaleWindows {
  /** While a revalidation runs (stale-while-revalidate). */
  readonly whileMs: number
  /** When the origin answers 500, 502, 503, 504 or not at all (stale-if-error). */
  readonly ifErrorMs: number
  /** When the origin cannot be reached, without anybody having asked for it (RFC 9111 section 4.2.4). */
  readonly disconnectedMs: number
  /** Whether a client's max-stale may be honoured. */
  readonly onRequest: boolean
}

/** What a profile lets a cache do beyond what the origin says. */
export interface FreshnessLatitude {
  /** Use 10 % of the time since Last-Modified, at most a day, where nothing is said. */
  readonly heuristics: boolean
  /** Also for statuses of 400 and above. */
  readonly heuristicErrors: boolean
  /** Serve stale when the origin cannot be reached, for so long, ms. */
  readonly disconnectedMs: number
  /** Honour stale-while-revalidate and stale-if-error although s-maxage (which implies proxy-revalidate) is there. */
  readonly staleWithSMaxage: boolean
}

/** Whether RFC 9110 section 15.1 calls the status heuristically cacheable. */
export function isHeuristicStatus(status: number): boolean {
  return HEURISTIC_STATUSES.has(status)
}

/**
 * @param response status and fields
 * @param governing what `governingControl` says
 * @param receivedWallMs stands in for a missing or invalid Date
 * @param latitude see FreshnessLatitude
 * @see RFC 9111 section 4.2.1
 */
export function lifetimeOf(
  response: { readonly status: number; readonly fields: Fields },
  governing: Governing,
  { receivedWallMs, latitude }: { readonly receivedWallMs: number; readonly latitude: FreshnessLatitude },
): Lifetime {
  const { control, targeted } = governing
  const seconds = control.sMaxAge ?? control.maxAge
  if (seconds !== undefined) return { ms: control.broken ? 0 : seconds * 1000, explicit: true }
  const { fields } = response
  const date = singleDate(fields.all('date'), receivedWallMs) ?? receivedWallMs
  if (!targeted && fields.has('expires')) {
    const expires = singleDate(fields.all('expires'), receivedWallMs)
    return { ms: expires === undefined ? 0 : Math.max(0, expires - date), explicit: true }
  }
  return { ms: heuristicMs(response, governing, { date, latitude }), explicit: false }
}

/**
 * @param governing directives of the stored response
 * @param latitude see FreshnessLatitude
 */
export function staleWindowsOf(governing: Governing, latitude: FreshnessLatitude): StaleWindows {
  const { control } = governing
  const strict = control.noCache || control.broken || control.mustRevalidate || control.proxyRevalidate
  if (strict || (control.sMaxAge !== undefined && !latitude.staleWithSMaxage)) {
    return { whileMs: 0, ifErrorMs: 0, disconnectedMs: 0, onRequest: false }
  }
  return {
    whileMs: (control.staleWhileRevalidate ?? 0) * 1000,
    ifErrorMs: (control.staleIfError ?? 0) * 1000,
    disconnectedMs: latitude.disconnectedMs,
    onRequest: true,
  }
}

function heuristicMs(
  response: { readonly status: number; readonly fields: Fields },
  governing: Governing,
  { date, latitude }: { readonly date: number; readonly latitude: FreshnessLatitude },
): number {
  const { status, fields } = response
  if (!latitude.heuristics || (status >= 400 && !latitude.heuristicErrors)) return 0
  if (!isHeuristicStatus(status) && !governing.control.isPublic) return 0
  // Pragma: no-cache means nothing in a response, but where all is guesswork it is a hint against guessing.
  if (!governing.targeted && /\bno-cache\b/i.test(fields.get('pragma') ?? '')) return 0
  const modified = singleDate(fields.all('last-modified'), date)
  if (modified === undefined || modified > date) return 0
  return Math.min((date - modified) * HEURISTIC_SHARE, MAX_HEURISTIC_MS)
}
