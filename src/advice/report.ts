/**
 * What an analysis says: its shape, the same for text, JSON and the page.
 *
 * Floor 4, room advice. Durations in ms, sizes in bytes, shares from 0 to 1.
 */
import type { Change } from './change.ts'
import type { AheadCompared, AheadDeclared } from './compare-ahead.ts'
import type { MemoryPoint, StalePoint, WindowPoint } from './curves.ts'
import type { Finding } from '../model/finding.ts'
import type { Dimension } from './infer.ts'

/** What a route policy is to say. */
export interface Recommendation {
  /** False: `strict`, never cached. */
  readonly isCached: boolean
  readonly freshMs: number
  /** After the fresh window. */
  readonly staleMs: number
  /** Query parameters that do not count. */
  readonly drop: readonly string[]
  /** Tracking parameters decide here: they count. */
  readonly keepsTracking: boolean
  readonly headers: readonly string[]
  readonly cookies: readonly string[]
  readonly refreshAhead: boolean
  readonly why: readonly string[]
}

/** One route. */
export interface RouteReport {
  readonly pattern: string
  readonly requests: number
  /** Of all requests. */
  readonly share: number
  /** Reads that a cache may answer. */
  readonly reads: number
  readonly writes: number
  readonly failures: number
  /** Different targets as they were sent, and different answers after normalization. */
  readonly targets: number
  readonly keys: number
  /** Share of the reads that somebody had asked for before. */
  readonly reuse: number
  readonly dimensions: readonly Dimension[]
  /** What told answers apart. */
  readonly signal: 'digest' | 'size' | 'none'
  readonly change: Change
  readonly bytes: { readonly mean: number; readonly max: number; readonly largeShare: number }
  /** Share of the requests by hour of the day, UTC. */
  readonly hours: readonly number[]
  readonly recommendation: Recommendation
  /** With the recommended windows and memory. */
  readonly expected: { readonly hitRatio: number; readonly fresh: number; readonly stale: number }
  /** With the targets as they were sent for keys, without a limit of memory. */
  readonly rawHitRatio: number
  readonly freshCurve: readonly WindowPoint[]
  readonly staleCurve: readonly StalePoint[]
  /** With the recommended windows: without and with refreshing ahead, +10 %. Absent where it is not cached. */
  readonly ahead?: AheadCompared
  /** The same in the windows of a `stale-while-revalidate` that the origin declares. */
  readonly declared?: AheadDeclared
}

/** The whole. */
export interface Report {
  readonly source: string
  readonly requests: number
  readonly skippedLines: number
  readonly from: string
  readonly to: string
  readonly routes: readonly RouteReport[]
  readonly memory: {
    readonly workingSetBytes: number
    readonly recommendedBytes: number
    readonly curve: readonly MemoryPoint[]
  }
  /** Of all requests that may be cached, with everything as recommended. */
  readonly expected: {
    readonly hitRatio: number
    readonly fresh: number
    readonly stale: number
    /** With the targets as they were sent, without a limit of memory. */
    readonly rawHitRatio: number
    /** With one window for all routes, without a limit of memory. */
    readonly flatHitRatio: number
    readonly flatMs: number
  }
  readonly findings: readonly Finding[]
  /** A configuration that `forecache check` accepts. */
  readonly config: string
}
