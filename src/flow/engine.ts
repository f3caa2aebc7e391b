/**
 * The engine: the steps of a request, as the doors call them. All doors share one engine, one entry, one fence.
 *
 * Floor 3, room flow. `lookup → begin → (ask the origin) → keep`, with `flights` between lookup and begin. What is
 * stored is opaque here: the library's values and the HTTP door's responses live side by side.
 */
import { randomBytes } from 'node:crypto'
import type { Way } from '../model/audit.ts'
import type { Budget } from '../model/budget.ts'
import type { Clock, Timer } from '../model/clock.ts'
import type { Entry } from '../model/entry.ts'
import type { EventHub } from '../model/event.ts'
import type { BlindPolicy, FenceLink, Settled } from '../model/link.ts'
import type { Target } from '../model/log.ts'
import type { Ledger } from '../model/ledger.ts'
import type { Meter } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import { judge, type Verdict } from '../model/verdict.ts'
import type { Fence } from '../tier/fence.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import type { MemoryTier } from '../tier/memory.ts'
import type { Adaptive } from './adaptive.ts'
import type { Ahead } from './ahead.ts'
import { Audit } from './audit.ts'
import type { Backoff } from './backoff.ts'
import { type Fill, type FillTarget, openFill, type WriteMark } from './fill.ts'
import type { FlightLeases } from './flight-lease.ts'
import type { Flights } from './flight.ts'
import type { Governor } from './governor.ts'
import { countMatches, countTargets, type InvalidateInput, type InvalidateResult, targetsOf } from './invalidate.ts'
import { type Candidate, keep, type KeepParts, type Kept, promote } from './keep.ts'
import type { Settings } from './options.ts'
import { createParts } from './parts.ts'
import { openSecondLevel } from './open-second.ts'
import type { OriginPulse } from './origin-pulse.ts'
import type { Refreshes } from './refresh.ts'
import type { SecondLevel } from './second-level.ts'
import { SharedLog } from './shared-log.ts'
import type { Wrapping } from './value.ts'
import type { Warming } from './warming.ts'

const SWEEP_EVERY_MS = 1000
const SWEEP_SLOTS = 2000
const PASS_VALUE = Symbol('pass')
/** An instance may be behind the others for as long as it trusts silence; twice that tells who was late from who was wrong. */
const AUDIT_DOUBT = 2

/** See the module's header. */
export class Engine {
  readonly settings: Settings
  readonly clock: Clock
  readonly events: EventHub
  readonly meter: Meter
  readonly fence: Fence
  readonly memory: MemoryTier
  /** Bytes held outside of entries: charge what you hold. */
  readonly ledger: Ledger
  readonly governor: Governor
  readonly flights: Flights
  readonly refreshes: Refreshes
  readonly backoff: Backoff
  /** Random name of this log: a token of another log says nothing here. */
  readonly generation = randomBytes(6).toString('base64url')
  /** Set by whoever stores a value wrapped. */
  readonly wrapping: Wrapping
  /** The second level; undefined: there is none, and nothing of it costs anything. */
  readonly second: SecondLevel | undefined
  /** Who loads what no process has; undefined: everybody for himself. */
  readonly leases: FlightLeases | undefined
  /** The connections to it, for whoever else needs the store. */
  readonly redis: RedisPort | undefined
  /** What looks at a share of the hits; undefined: nobody does. */
  readonly audit: Audit | undefined
  /** What is read again before it ends. */
  readonly ahead: Ahead
  /** How the origin is doing, by what is asked of it anyway. */
  readonly pulse: OriginPulse
  /** What is asked for before anybody asks. */
  readonly warming: Warming
  /** How often what is loaded has really changed, and what follows from it. */
  readonly adaptive: Adaptive
  readonly #keeping: KeepParts
  readonly #urlResolvers = new Set<(url: string) => readonly Target[]>()
  #shared: SharedLog | undefined
  #written: Promise<string> | undefined
  #sweeper: Timer | undefined
  #closed = false

  constructor(settings: Settings) {
    const parts = createParts(settings)
    this.settings = settings
    this.clock = settings.clock
    this.events = parts.events
    this.meter = parts.meter
    this.fence = parts.fence
    this.memory = parts.memory
    this.ledger = parts.ledger
    this.governor = parts.governor
    this.flights = parts.flights
    this.refreshes = parts.refreshes
    this.backoff = parts.backoff
    this.ahead = parts.ahead
    this.pulse = parts.pulse
    this.warming = parts.warming
    this.warming.heed(() => this.clock.now() < this.seesUntil)
    this.adaptive = parts.adaptive
    this.wrapping = { any: settings.values === 'clone' }
    this.#keeping = parts.keeping
    if (settings.audit !== undefined) {
      const doubtMs = settings.l2 === undefined ? 0 : settings.l2.bus.blindAfter * AUDIT_DOUBT
      const { clock, random, logger } = settings
      const telling = { clock, random, logger, instance: this.generation, doubtMs }
      this.audit = new Audit({ ...parts, ...telling, settings: settings.audit })
    }
    if (settings.l2 !== undefined) {
      const { redis, second, leases } = openSecondLevel(settings.l2, settings, {
        ...parts,
        shared: () => this.#shared,
        promote: (entry, softened) => this.#promote(entry, softened, 'promotion'),
      })
      this.redis = redis
      this.second = second
      this.leases = leases
    }
  }

  /** What stands under a key now, judged on the exact clock; counts as a use. Synchronous. */
  lookup<V = unknown>(key: string): Verdict<V> {
    const entry = this.memory.find(key)
    return entry === undefined ? ABSENT : (judge(entry, this.clock.now()) as Verdict<V>)
  }

  /** Opens a reading of the origin. Call it before the origin is asked for anything. */
  begin(key: string, target?: FillTarget): Fill {
    const fill = openFill({ fence: this.fence, clock: this.clock, originLagMs: this.settings.originLag }, key, target)
    if (this.second === undefined || target?.memoryOnly === true) return fill
    if (!this.adaptive.isLocal({ key, route: fill.route, settings: fill.adaptive })) return this.second.stamped(fill)
    this.meter.count(COUNTER.demotedL2, fill.route)
    return fill
  }

  /** Stores what a fill has read, if the fence admits it: the only way in. Never throws. */
  keep(fill: Fill, candidate: Candidate): Kept {
    if (this.#closed) return 'late'
    const kept = this.#shared?.isClosedToKeeps === true ? 'fenced' : keep(this.#keeping, fill, candidate)
    if (kept === 'kept') {
      this.#armSweeper()
      if (fill.write !== undefined) fill.write.value = candidate.value
      if (fill.shared !== undefined) this.#offer(fill)
      if (fill.again !== undefined) this.ahead.kept(fill, fill.again)
      if (fill.warm !== undefined) this.warming.noted(fill, fill.warm)
    } else this.meter.count(kept === 'size' ? COUNTER.unkept : COUNTER.fenced, fill.route)
    return kept
  }

  /** Stores what was stored before and has been judged: it came from a disk, with its own age. */
  restore(entry: Entry, softened: boolean): Kept {
    return this.#promote(entry, softened, 'snapshot')
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
    return this.#append(input).result
  }

  /**
   * As `invalidate`; resolves when no engine of the shared log serves what was invalidated any more, or when that could
   * not be had in time: then `nodes` says how many have acknowledged.
   *
   * @throws (rejects) as `invalidate`
   */
  async invalidateEverywhere(input: InvalidateInput): Promise<InvalidateResult> {
    const { result, published } = this.#append(input)
    if (published === undefined) return result
    this.#written = published.then(({ sequence }) => this.#shared?.tokenOf(sequence) ?? result.token)
    const { sequence, expected, acknowledged, matched } = await published
    const token = this.#shared?.tokenOf(sequence) ?? result.token
    return { token, matched: result.matched + matched, nodes: { expected, acknowledged } }
  }

  #append(input: InvalidateInput): { result: InvalidateResult; published: Promise<Settled> | undefined } {
    const targets = targetsOf(input, { fence: this.fence, rules: this.settings.events, resolveUrl: (url) => this.#resolve(url) })
    const matched = countMatches(this.memory, targets)
    const unknown = this.#unknownNamespaces(input)
    let published: Promise<Settled> | undefined
    if (input.dryRun !== true && targets.length + unknown.length > 0) {
      countTargets(this.meter, targets)
      const [soft, source] = [input.soft ?? false, input.source ?? 'library']
      this.fence.append(targets, soft, source)
      this.audit?.own()
      published = this.#shared?.publish({ targets, soft, source }, unknown)
      if (!soft) this.second?.forget(targets)
      // That link tells of it later than here.
      if (this.#shared?.policy === 'strict') this.second?.note(targets, soft)
    }
    const nodes = { expected: this.#shared?.expected ?? 1, acknowledged: 1 }
    return { result: { token: this.token(), matched, nodes }, published }
  }

  /** Namespaces that other machines may have. */
  #unknownNamespaces({ namespaces = [] }: InvalidateInput): readonly string[] {
    return this.#shared === undefined ? [] : namespaces.filter((name) => this.fence.knownNamespace(name) === undefined)
  }

  /** Invalidates everything stored in this process; whoever shares the log hears nothing of it. */
  forget(source: string): void {
    this.meter.count(COUNTER.invalidatedAll)
    this.fence.append([{ kind: 'all' }], false, source)
    this.second?.note([{ kind: 'all' }], false)
  }

  /**
   * Makes this engine's fence one of several that follow one log; once, before anything is stored.
   *
   * @param policy what is done while the log is out of sight
   */
  join(link: FenceLink, policy: BlindPolicy = 'strict'): SharedLog {
    const shared = new SharedLog(link, this, policy)
    this.#shared = shared
    return shared
  }

  /** What is stored may be served without a question until this moment of the clock; after it, `regain` first. */
  get seesUntil(): number {
    return this.#shared === undefined ? Number.POSITIVE_INFINITY : this.#shared.seesUntil
  }

  /** Makes sure, in bounded time, that nothing was missed. @throws (rejects) FC_LINK_BLIND where the policy says so */
  async regain(): Promise<void> {
    await this.#shared?.regain()
  }

  /** The log this engine shares with others; undefined: its log is its own. */
  get shared(): SharedLog | undefined {
    return this.#shared
  }

  /**
   * Opens a plain write: it supersedes every reading of this key under way, here and on other machines. Not counted as an
   * invalidation; `written` says what became of it.
   */
  write(key: string, target?: FillTarget): Fill {
    const targets: readonly Target[] = [{ kind: 'key', key }]
    this.fence.append(targets, false, 'set')
    this.audit?.own()
    const write: WriteMark = { value: undefined }
    const fill: Fill = { ...openFill({ fence: this.fence, clock: this.clock, originLagMs: 0 }, key, target), write, way: 'write' }
    const published =
      this.#shared?.policy === 'strict' ? undefined : this.#shared?.publish({ targets, soft: false, source: 'set' })
    if (published === undefined) this.second?.note(targets, false)
    const log = target?.memoryOnly === true ? undefined : this.#shared?.generation
    this.#written = published?.then((settled) => this.#spread(fill, settled, log))
    return fill
  }

  /** The version token of the write or invalidation that was begun last, in this turn, when the others have followed or could not in time. */
  async written(): Promise<string> {
    return (await this.#written) ?? this.token()
  }

  /**
   * What was written is newer than its own record: the second level gets it once that has its place, if it still stands when
   * everything before that place is applied here. What stood before it in the log may be a newer write than this one.
   */
  #spread(fill: Fill, { sequence }: Settled, log: string | undefined): string {
    const shared = this.#shared as SharedLog
    const isProven = sequence > 0 && shared.generation === log && shared.applied >= sequence
    const entry = isProven ? this.memory.look(fill.key) : undefined
    if (entry !== undefined && entry.value === fill.write?.value) {
      const stamp = this.second?.stamp(sequence)
      if (stamp !== undefined) this.second?.offer({ ...fill, shared: stamp }, entry)
    }
    return shared.tokenOf(sequence)
  }

  /** Version token of the log's end. */
  token(): string {
    return this.#shared?.token ?? `${this.generation}.${this.fence.horizon}`
  }

  /** Whether what a version token stands for is applied here. */
  hasReached(token: string): boolean {
    if (this.#shared !== undefined) return this.#shared.hasReached(token)
    const [generation, position] = token.split('.')
    return generation === this.generation && Number(position) <= this.fence.horizon
  }

  /** As `hasReached`, after hearing what is missing within a deadline. */
  async catchUp(token: string, deadlineMs: number): Promise<boolean> {
    return this.hasReached(token) || ((await this.#shared?.catchUp(token, deadlineMs)) ?? false)
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
    this.governor.close()
    this.ahead.close()
    this.warming.close()
    this.audit?.close()
    this.memory.clear()
    this.leases?.end()
    this.second?.close()
    this.redis?.close()
  }

  #offer(fill: Fill): void {
    const entry = this.memory.look(fill.key)
    if (entry !== undefined) this.second?.offer(fill, entry)
  }

  #promote(entry: Entry, softened: boolean, way: Way): Kept {
    if (this.#closed) return 'late'
    const kept = this.#shared?.isClosedToKeeps === true ? 'fenced' : promote(this.#keeping, entry, { softened, way })
    if (kept === 'kept') this.#armSweeper()
    return kept
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
}

const ABSENT: Verdict<never> = { state: 'absent' }
