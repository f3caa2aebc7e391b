/**
 * The engine's state at a moment, for people and for administration.
 *
 * Floor 3, room flow.
 */
import type { Rates } from '../model/meter.ts'
import type { CounterName } from '../model/metric.ts'
import type { Engine } from './engine.ts'

/** Counts since creation, gauges now. Sizes in bytes. */
export interface Stats {
  readonly entries: number
  readonly bytes: number
  readonly maxBytes: number
  /** Loads under way that callers may join. */
  readonly flights: number
  /** Background refreshes under way. */
  readonly refreshing: number
  /** End of the invalidation log. */
  readonly horizon: number
  readonly token: string
  readonly counts: Readonly<Record<CounterName, number>>
  readonly rates: Rates
}

/** Reads the state of an engine. */
export function readStats(engine: Engine): Stats {
  const { memory, flights, refreshes, fence, meter } = engine
  return {
    entries: memory.size,
    bytes: memory.bytes,
    maxBytes: memory.maxBytes,
    flights: flights.size,
    refreshing: refreshes.size,
    horizon: fence.horizon,
    token: engine.token(),
    counts: meter.totals(),
    rates: meter.rates(),
  }
}
