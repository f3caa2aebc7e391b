/**
 * The engine's parts, made from its settings and joined: memory judged by the fence, flights detached by it, counts and
 * events of what they do.
 *
 * Floor 3, room flow.
 */
import { EventHub } from '../model/event.ts'
import { ACCOUNT, bytesBeside, Ledger } from '../model/ledger.ts'
import { createMeter, type Meter } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import type { Logger, RemoveReason } from '../model/port.ts'
import { FENCE_LIMITS, Fence, type FenceLimits } from '../tier/fence.ts'
import { createMemory, type MemoryTier } from '../tier/memory.ts'
import { Adaptive } from './adaptive.ts'
import { type Background, createBackground } from './background.ts'
import { Flights } from './flight.ts'
import { Governor } from './governor.ts'
import type { KeepParts } from './keep.ts'
import type { Settings } from './options.ts'
import type { RefreshFailure } from './refresh.ts'

/** Of empty places and of what the fence remembers, so much belongs to the base. */
const FREE_TABLE_BYTES = 512 * 1024

/** See the module's header. */
export interface Parts extends Background {
  readonly events: EventHub
  readonly meter: Meter
  readonly fence: Fence
  readonly memory: MemoryTier
  readonly ledger: Ledger
  readonly governor: Governor
  readonly flights: Flights
  readonly adaptive: Adaptive
  /** What the writer works on. */
  readonly keeping: KeepParts
}

/** Makes the parts. */
export function createParts(settings: Settings): Parts {
  const { clock, logger, random, jitter, deadlines } = settings
  const events = new EventHub((error) => logger.error({ err: error }, 'an event listener threw'))
  const meter = createMeter()
  const fence = new Fence(clock, fenceLimits(settings.memory.maxBytes))
  const told: Told = { events, meter, logger }
  const ledger = new Ledger()
  const memory = createTier(settings, { fence, told, ledger })
  const { maxWaiters, maxFlights } = settings.flights
  const flights = new Flights({ fence, clock, events, limits: { maxWaiters, maxFlights, maxMs: deadlines.maxLoad } })
  const governor = new Governor({ memory, ledger, clock, meter })
  governor.follow(ACCOUNT.flights, () => flights.heldBytes)
  governor.follow(ACCOUNT.tables, () => Math.max(0, fence.heldBytes + memory.idleBytes - FREE_TABLE_BYTES))
  meter.follow('hits', () => memory.counts.hits) // memory counts what `peek` answers by itself
  const adaptive = new Adaptive({ clock, meter, memory, fence })
  fence.onAppend((record) => {
    if (events.wants('fence:append')) events.emit('fence:append', record)
  })
  return {
    events,
    meter,
    fence,
    memory,
    ledger,
    governor,
    flights,
    adaptive,
    ...createBackground(settings, { meter, ledger, memory, fence, flights, governor }, (failed) => tellFailure(told, failed)),
    keeping: { fence, memory, governor, clock, random, events, jitter, maxLoadMs: deadlines.maxLoad, adaptive },
  }
}

/** What the fence remembers is small beside the entries; what it forgets costs hits, never truth. */
function fenceLimits(maxBytes: number): FenceLimits {
  const fit = (most: number, least: number, share: number): number =>
    Math.max(least, Math.min(most, Math.floor(maxBytes / share)))
  return { ...FENCE_LIMITS, keys: fit(FENCE_LIMITS.keys, 1024, 2048), tags: fit(FENCE_LIMITS.tags, 4096, 1024) }
}

/** What the tier is made of, and whom it tells. */
interface TierParts {
  readonly fence: Fence
  readonly told: Told
  readonly ledger: Ledger
}

/** Who hears of what happens by itself. */
interface Told {
  readonly events: EventHub
  readonly meter: Meter
  readonly logger: Logger
}

function createTier(settings: Settings, parts: TierParts): MemoryTier {
  const { maxBytes, policy, maxEntries, maxEntryBytes } = settings.memory
  return createMemory({
    clock: settings.clock,
    fence: parts.fence,
    maxBytes,
    policy,
    ...(maxEntries === undefined ? {} : { maxEntries }),
    ...(maxEntryBytes === undefined ? {} : { maxEntryBytes }),
    onRemove: (key, reason, bytes) => tellRemoval(parts.told, { key, reason, bytes }),
    onLeave: (value) => {
      const beside = bytesBeside(value)
      if (beside > 0) parts.ledger.release(ACCOUNT.lane, beside)
    },
  })
}

function tellRemoval(
  { events, meter }: Told,
  removed: { readonly key: string; readonly reason: RemoveReason; readonly bytes: number },
): void {
  if (removed.reason === 'evicted') meter.count(COUNTER.evictions)
  else if (removed.reason === 'expired') meter.count(COUNTER.expirations)
  if (events.wants('memory:remove')) events.emit('memory:remove', removed)
}

function tellFailure({ events, meter, logger }: Told, { key, route, error }: RefreshFailure): void {
  meter.count(COUNTER.refreshFailures, route)
  if (events.wants('origin:fail')) events.emit('origin:fail', { key, error, background: true })
  logger.warn({ key, err: error }, 'a background refresh failed')
}
