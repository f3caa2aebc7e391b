/**
 * What warming works with, and what it is told.
 *
 * Floor 3, room flow.
 */
import type { Clock } from '../model/clock.ts'
import type { Entry } from '../model/entry.ts'
import type { Ledger } from '../model/ledger.ts'
import type { LogRecord } from '../model/log.ts'
import type { Meter, RouteId } from '../model/meter.ts'
import type { RecentArrivals } from '../shelf/arrivals.ts'
import type { Mood } from './governor.ts'
import type { OriginPulse } from './origin-pulse.ts'
import type { WarmAsk } from './warm-book.ts'
import type { WarmSettings } from './warm-options.ts'

/** How a key is asked for again when nobody asks. */
export interface WarmAgain {
  readonly route: RouteId
  /** Asked once it is stored: by then it is known what it varies on. @returns undefined where it cannot be asked for */
  ask(): WarmAsk | undefined
}

/** Of an engine, what warming needs. */
export interface WarmPartsInput {
  readonly clock: Clock
  readonly meter: Meter
  readonly ledger: Ledger
  readonly pulse: OriginPulse
  readonly settings: WarmSettings
  /** What remembered keys may hold together. */
  readonly maxBytes: number
  readonly memory: {
    look(key: string): Entry | undefined
    arrivals(key: string): RecentArrivals | undefined
  }
  readonly fence: { readonly horizon: number; onAppend(listener: (record: LogRecord) => void): () => void }
  readonly refreshes: { start(key: string, run: () => Promise<void>, route?: RouteId): boolean }
  readonly flights: { has(key: string): boolean }
  readonly backoff: { leftMs(key: string): number }
  readonly governor: { readonly mood: Mood }
  /** Keys that are refreshed before they end need no renewal in quiet times. */
  readonly ahead: { watches(key: string): boolean }
}
