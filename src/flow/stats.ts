/**
 * The engine's state at a moment, for people and for administration.
 *
 * Floor 3, room flow.
 */
import type { Meter, Rates } from '../model/meter.ts'
import type { CounterName } from '../model/metric.ts'
import type { MemoryState } from './governor.ts'

/** Counts since creation, gauges now. Sizes in bytes. */
export interface Stats {
  readonly entries: number
  readonly bytes: number
  readonly maxBytes: number
  /** What the limit of memory is made of now; absent where several processes are told of together. */
  readonly memory?: MemoryState
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

/** What is read: an engine, or several together. */
export interface StatsSource {
  readonly meter: Meter
  readonly memory: { readonly size: number; readonly bytes: number; readonly maxBytes: number }
  readonly flights: { readonly size: number }
  readonly refreshes: { readonly size: number }
  readonly fence: { readonly horizon: number }
  readonly governor?: { state(): MemoryState }
  token(): string
}

/** Reads the state of an engine. */
export function readStats(source: StatsSource): Stats {
  const { memory, flights, refreshes, fence, meter } = source
  return {
    entries: memory.size,
    bytes: memory.bytes,
    maxBytes: memory.maxBytes,
    ...(source.governor && { memory: source.governor.state() }),
    flights: flights.size,
    refreshing: refreshes.size,
    horizon: fence.horizon,
    token: source.token(),
    counts: meter.totals(),
    rates: meter.rates(),
  }
}
