/**
 * An answer that the audit has chosen, and what is known of it.
 *
 * Floor 3, room flow.
 */
import type { Breach, Check } from '../model/audit.ts'
import type { Entry, Position } from '../model/entry.ts'
import type { LogRecord } from '../model/log.ts'
import type { RouteId } from '../model/meter.ts'

/** An answer that was given from memory a moment ago. */
export interface Served {
  /** As it stands in memory. */
  readonly entry: Pick<Entry, 'key' | 'storedAt' | 'budget' | 'asOf' | 'namespace' | 'tags'>
  /** The key it was found by, where that is another. */
  readonly primary?: string | undefined
  readonly route: RouteId
  readonly stale: boolean
  /** Age when it was served, whatever it had already when it was read included; ms. */
  readonly ageMs: number
  /** The most that age was to be. */
  readonly promisedMs: number
  /** Asks the origin; undefined: it cannot be asked for this one. */
  readonly check?: Check | undefined
  /** Looks at the second level; undefined: there is none. Never rejects. */
  readonly compare?: (() => Promise<Compared | undefined>) | undefined
  /** Name of what was served: equal only for what is the same. */
  readonly version: () => string
}

/** What the second level has. */
export interface Compared {
  readonly storedAt: number
  readonly isSame: boolean
}

/** A sample, and what was known of it when it was served. */
export interface Sample {
  readonly served: Served
  readonly servedAt: number
  /** `clock.wall()`. */
  readonly wallAt: number
  readonly breach: Breach | undefined
  readonly records: readonly LogRecord[]
  readonly asOf: Position
}
