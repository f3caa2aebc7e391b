/**
 * The engine: the steps of a request, as the doors call them. All doors share one engine, one entry, one fence.
 *
 * Floor 3, room flow. `lookup → begin → (ask the origin) → keep`, with `flights` between lookup and begin. What is
 * stored is opaque here: the library's values and the HTTP door's responses live side by side.
 */
import { randomBytes } from 'node:crypto'
import type { Budget } from '../model/budget.ts'
import type { Clock, Timer } from '../model/clock.ts'
import { EventHub } from '../model/event.ts'
import type { Target } from '../model/log.ts'
import { createMeter, type Meter } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import { judge, type Verdict } from '../model/verdict.ts'
import { Fence } from '../tier/fence.ts'
import { createMemory, type MemoryTier } from '../tier/memory.ts'
import { Backoff } from './backoff.ts'
import { type Fill, type FillTarget, openFill } from './fill.ts'
import { Flights } from './flight.ts'
import { countMatches, countTargets, type InvalidateInput, type InvalidateResult, targetsOf } from './invalidate.ts'
import { type Candidate, keep, type KeepParts, type Kept } from './keep.ts'
import type { Settings } from './options.ts'
import { type RefreshFailure, Refreshes } from './refresh.ts'

const SWEEP_EVERY_MS = 1000
const SWEEP_SLOTS = 2000
const PASS_VALUE = Symbol('pass')

/** See the module's header. */
export class Engine {
  readonly settings: Settings
  readonly clock: Clock
  readonly events: EventHub
  readonly meter: Meter
  readonly fence: Fence
  readonly memory: MemoryTier
  readonly flights: Flights
  readonly refreshes: Refreshes
  readonly backoff: Backoff
  /** Random name of this log: a token of another log says nothing here. */
  readonly generation = randomBytes(6).toString('base64url')
  readonly #keepParts: KeepParts
  readonly #urlResolvers = new Set<(url: string) => readonly Target[]>()
  #sweeper: Timer | undefined
  #closed = false

  constructor(settings: Settings) {
    const { clock, logger } = settings
    this.settings = settings
    this.clock = clock
    this.events = new EventHub((error) => logger.error({ err: error }, 'an event listener threw'))
    this.meter = createMeter()
    this.fence = new Fence(clock)
    this.memory = createMemory({
      clock,
      fence: this.fence,
      maxBytes: settings.memory.maxBytes,
      policy: settings.memory.policy,
      ...(settings.memory.maxEntries === undefined ? {} : { maxEntries: settings.memory.maxEntries }),
      ...(settings.memory.maxEntryBytes === undefined ? {} : { maxEntryBytes: settings.memory.maxEntryBytes }),
      onRemove: (key, reason, bytes) => this.#removed(key, reason, bytes),
    })
    this.meter.follow('hits', () => this.memory.counts.hits) // memory counts what `peek` answers by itself
    const { maxWaiters, maxFlights } = settings.flights
    const limits = { maxWaiters, maxFlights, maxMs: settings.deadlines.maxLoad }
    this.flights = new Flights({ fence: this.fence, clock, events: this.events, limits })
    this.refreshes = new Refreshes(settings.refresh.concurrency, (failed) => this.#refreshFailed(failed))
    this.backoff = new Backoff(clock, { firstMs: settings.backoff.first, maxMs: settings.backoff.max, maxKeys: settings.backoff.maxKeys })
    this.#keepParts = {
      fence: this.fence,
      memory: this.memory,
      clock,
      random: settings.random,
      events: this.events,
      jitter: settings.jitter,
      maxLoadMs: settings.deadlines.maxLoad,
    }
    this.fence.onAppend((record) => {
      if (this.events.wants('fence:append')) this.events.emit('fence:append', record)
    })
  }

  /** What stands under a key now, judged on the exact clock; counts as a use. Synchronous. */
  lookup<V = unknown>(key: string): Verdict<V> {
    const entry = this.memory.find(key)
    return entry === undefined ? ABSENT : (judge(entry, this.clock.now()) as Verdict<V>)
  }

  /** Opens a reading of the origin. Call it before the origin is asked for anything. */
  begin(key: string, target?: FillTarget): Fill {
    return openFill({ fence: this.fence, clock: this.clock, originLagMs: this.settings.originLag }, key, target)
  }

  /** Stores what a fill has read, if the fence admits it: the only way in. Never throws. */
  keep(fill: Fill, candidate: Candidate): Kept {
    if (this.#closed) return 'late'
    const kept = keep(this.#keepParts, fill, candidate)
    if (kept === 'kept') this.#armSweeper()
    else this.meter.count(kept === 'size' ? COUNTER.unkept : COUNTER.fenced, fill.route)
    return kept
  }

  /** Marks a key as uncacheable for `ms` (hit-for-miss): callers go to the origin each for himself. */
  pass(fill: Fill, ms: number): Kept {
    const budget: Budget = { freshMs: ms, staleMs: ms, onErrorMs: ms }
    return this.keep(fill, { value: PASS_VALUE, bytes: 0, budget, kind: 'pass', jitter: 0 })
  }

  /** The same body stored once: an instance that stands already, or `body`. */
  canonical<T>(id: string, body: T): T {
    return this.memory.canonical(id, body)
  }

  /**
   * Appends to the log and applies it here. When this returns, no read that begins later gets what was invalidated.
   *
   * @throws FC_TAG_TYPE, FC_EVENT_UNKNOWN, FC_OPTION_VALUE before anything was done
   */
  invalidate(input: InvalidateInput): InvalidateResult {
    const targets = targetsOf(input, { fence: this.fence, rules: this.settings.events, resolveUrl: (url) => this.#resolve(url) })
    const matched = countMatches(this.memory, targets)
    if (input.dryRun !== true && targets.length > 0) {
      countTargets(this.meter, targets)
      this.fence.append(targets, input.soft ?? false, input.source ?? 'library')
    }
    return { token: this.token(), matched, nodes: { expected: 1, acknowledged: 1 } }
  }

  /** Opens a plain write: it supersedes every reading of this key under way. Not counted as an invalidation. */
  write(key: string, target?: FillTarget): Fill {
    this.fence.append([{ kind: 'key', key }], false, 'set')
    return openFill({ fence: this.fence, clock: this.clock, originLagMs: 0 }, key, target)
  }

  /** Version token of the log's end. */
  token(): string {
    return `${this.generation}.${this.fence.horizon}`
  }

  /** Lets a door say which targets a URL stands for. @returns a function that takes it back */
  onUrl(resolve: (url: string) => readonly Target[]): () => void {
    this.#urlResolvers.add(resolve)
    return () => this.#urlResolvers.delete(resolve)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Stops timers, sends waiting callers away and empties memory. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#sweeper?.cancel()
    this.flights.close()
    this.memory.clear()
  }

  #resolve(url: string): readonly Target[] {
    return [...this.#urlResolvers].flatMap((resolve) => [...resolve(url)])
  }

  /** Entries nobody asks for are taken out a slice at a time, so that they do not hold memory until evicted. */
  #armSweeper(): void {
    this.#sweeper ??= this.clock.after(SWEEP_EVERY_MS, () => {
      this.#sweeper = undefined
      if (this.#closed) return
      this.memory.sweep(SWEEP_SLOTS)
      if (this.memory.size > 0) this.#armSweeper()
    })
  }

  #removed(key: string, reason: 'evicted' | 'expired' | 'invalidated' | 'replaced' | 'deleted', bytes: number): void {
    if (reason === 'evicted') this.meter.count(COUNTER.evictions)
    else if (reason === 'expired') this.meter.count(COUNTER.expirations)
    if (this.events.wants('memory:remove')) this.events.emit('memory:remove', { key, reason, bytes })
  }

  #refreshFailed({ key, route, error }: RefreshFailure): void {
    this.meter.count(COUNTER.refreshFailures, route)
    if (this.events.wants('origin:fail')) this.events.emit('origin:fail', { key, error, background: true })
    this.settings.logger.warn({ key, err: error }, 'a background refresh failed')
  }
}

const ABSENT: Verdict<never> = { state: 'absent' }
