/**
 * The library's request: lookup, then deliver, refresh behind, or load; within this caller's budget and deadlines.
 *
 * Floor 3, room flow. A load never depends on the caller who began it: callers come and go, the load is answered to
 * those who still wait and kept through the fence.
 */
import type { Budget } from '../model/budget.ts'
import type { Entry } from '../model/entry.ts'
import { ForecacheError } from '../model/errors.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import { DEFAULT_ROUTE, seriesOf, type RouteId } from '../model/meter.ts'
import { judge, nextStep, type Verdict } from '../model/verdict.ts'
import { auditFetched, auditRead } from './audit-load.ts'
import { type Call, type CallOptions, Calls, narrowBudget } from './call.ts'
import type { Engine } from './engine.ts'
import { decoderOf } from './decoder.ts'
import type { Fill, FillTarget } from './fill.ts'
import type { Lead } from './flight.ts'
import { dataOf, type Loaded, startLoad } from './load.ts'
import { loadAcross } from './load-across.ts'
import type { SecondLevel } from './second-level.ts'
import type { Load } from './loader.ts'
import type { Together } from './together.ts'
import { waitWithin } from './wait.ts'

/** An answer and where it came from. */
export interface Result<T> {
  readonly data: T
  /** From memory, rather than from a load this call waited for. */
  readonly cached: boolean
  /** Past its fresh window (inside the stale or onError window). */
  readonly stale: boolean
  /** Ms since the reading of the origin began. */
  readonly ageMs: number
  /** Why something stale was served though a load was tried. */
  readonly error?: unknown
}

/** One caller's request, resolved as far as a hit needs it. */
interface Request<T> {
  readonly key: string
  readonly namespace: number
  readonly route: RouteId
  readonly options: CallOptions | undefined
  readonly load: Load<T>
  /** Those that it is loaded together with. */
  readonly together?: Together | undefined
}

/** Whether a caller still waits for its load, and what is to be done when it no longer does. */
interface Presence {
  ended: boolean
  leave: () => void
}

const REJOIN_LIMIT = 3

/** See the module's header. */
export class Fetcher {
  readonly #engine: Engine
  readonly calls: Calls

  constructor(engine: Engine) {
    this.#engine = engine
    this.calls = new Calls(engine.settings)
  }

  /** @throws the loader's error, FC_LOAD_TIMEOUT, FC_FLIGHT_FULL; FC_OPTION_* for bad options */
  async fetch<T>(request: Request<T>): Promise<Result<T>> {
    const { clock } = this.#engine
    const askedAt = clock.now()
    const token = request.options?.token
    const isSure = token === undefined && askedAt < this.#engine.seesUntil
    const result = await (isSure ? this.#answer(request, askedAt) : this.#surely(request, token))
    const series = seriesOf(request.route, result.cached, result.stale)
    this.#engine.meter.observe(HISTOGRAM.hit, (clock.now() - askedAt) / 1000, series)
    return result
  }

  /** Hears what may have been missed before it answers; a token that cannot be reached in time takes its bearer to the origin. */
  async #surely<T>(request: Request<T>, token: unknown): Promise<Result<T>> {
    return (await this.isCurrent(token)) ? this.#answer(request, this.#engine.clock.now()) : this.#alone(request)
  }

  /** Whether memory may be read by a caller who bears this token, or none. @throws (rejects) FC_OPTION_TYPE, FC_LINK_BLIND */
  async isCurrent(token: unknown): Promise<boolean> {
    const engine = this.#engine
    if (engine.clock.now() >= engine.seesUntil) await engine.regain()
    if (token === undefined) return true
    if (typeof token !== 'string')
      throw new ForecacheError('FC_OPTION_TYPE', { name: 'token', expected: 'a version token', given: typeof token })
    return engine.catchUp(token, engine.settings.deadlines.token)
  }

  /** What memory holds for a caller with this budget; counts as a use. */
  lookup<T>(key: string, named: Budget | undefined, now: number): Verdict<T> {
    const entry = this.#engine.memory.find(key) as Entry<T> | undefined
    if (entry === undefined) return { state: 'absent' }
    return judge(named === undefined ? entry : { ...entry, budget: narrowBudget(entry.budget, named) }, now)
  }

  /** As `lookup`, for a caller with these options: what was chosen to be fresh for longer than he says is, up to his stale end. */
  seek<T>(key: string, options: CallOptions | undefined, now: number): Verdict<T> {
    const named = this.calls.named(options)
    const verdict = this.lookup<T>(key, named, now)
    if (verdict.state !== 'stale' || named === undefined || this.calls.adaptiveOf(options) === undefined) return verdict
    const entry = this.#engine.memory.look(key) as Entry<T> | undefined
    const promisedMs = this.#engine.memory.chosen(key)?.promisedMs ?? Number.POSITIVE_INFINITY
    // Lengthened, so its chance is under the bound: that holds whatever each caller was promised.
    const isFresh = entry !== undefined && entry.budget.freshMs > promisedMs && verdict.ageMs < entry.budget.freshMs
    return isFresh ? { state: 'fresh', entry, ageMs: verdict.ageMs } : verdict
  }

  /** A cached answer. */
  deliver<T>(entry: Entry, ageMs: number, stale: boolean): Result<T> {
    return { data: dataOf(this.#engine, entry.value) as T, cached: true, stale, ageMs }
  }

  /** Something was answered without a loader, and the audit wants to see it. */
  auditRead<T>({ entry, ageMs, state }: Verdict<T> & { state: 'fresh' | 'stale' }, named: Budget | undefined): void {
    const budget = named === undefined ? entry.budget : narrowBudget(entry.budget, named)
    const stale = state === 'stale'
    auditRead(this.#engine, { entry, ageMs, stale, route: DEFAULT_ROUTE, promisedMs: stale ? budget.staleMs : budget.freshMs })
  }

  #answer<T>(request: Request<T>, now: number): Result<T> | Promise<Result<T>> {
    const { options, key } = request
    if (options?.skip === 'read' || options?.skip === 'both') return this.#alone(request)
    const verdict = this.seek<T>(key, options, now)
    switch (nextStep(verdict)) {
      case 'deliver':
        return this.#deliverFresh(request, verdict as Verdict & { state: 'fresh' })
      case 'deliverAndRefresh':
        return this.#deliverAndRefresh(request, verdict as Verdict & { state: 'stale' })
      case 'fetchOrReserve':
      case 'fetch':
        return this.#engine.second === undefined ? this.#load(request) : this.#lookBehind(request, this.#engine.second)
      case 'pass':
        return this.#alone(request)
    }
  }

  /** What memory does not have may stand in the second level. */
  async #lookBehind<T>(request: Request<T>, second: SecondLevel): Promise<Result<T>> {
    const { key, options } = request
    const call = this.calls.resolve(options)
    const mayAsk = !this.#isHome(request, call) && call.hardMs > second.deadlineMs && !this.#engine.flights.has(key)
    if (!mayAsk || !(await this.pull(second, request))) return this.#load(request)
    const verdict = this.seek<T>(key, options, this.#engine.clock.now())
    const step = nextStep(verdict)
    if (step === 'deliver') return this.#deliverFresh(request, verdict as Verdict & { state: 'fresh' })
    if (step === 'deliverAndRefresh') return this.#deliverAndRefresh(request, verdict as Verdict & { state: 'stale' })
    return step === 'pass' ? this.#alone(request) : this.#load(request)
  }

  /** Looks for a key in the second level. @returns whether it stands in memory by now */
  pull(second: SecondLevel, { key, namespace }: { readonly key: string; readonly namespace: number }): Promise<boolean> {
    return second.pull({ key, namespace, decode: decoderOf(this.#engine, key) })
  }

  #deliverFresh<T>(request: Request<T>, { entry, ageMs }: Verdict & { state: 'fresh' }): Result<T> {
    const { key, route } = request
    const { meter, events, audit } = this.#engine
    if (audit !== undefined && audit.isDue()) auditFetched(this.#engine, request, { entry, ageMs, calls: this.calls })
    meter.count(COUNTER.hits, route)
    if (events.wants('lookup:hit')) events.emit('lookup:hit', { key, ageMs })
    return this.deliver(entry, ageMs, false)
  }

  #deliverAndRefresh<T>(request: Request<T>, { entry, ageMs }: Verdict & { state: 'stale' }): Result<T> {
    this.#refreshBehind(request)
    return this.#deliverStale(request, { entry, ageMs, reason: 'revalidate' })
  }

  #deliverStale<T>(
    request: Request<T>,
    item: { entry: Entry; ageMs: number; reason: 'revalidate' | 'error' | 'deadline' },
  ): Result<T> {
    const { entry, ageMs, reason } = item
    const { meter, events, audit } = this.#engine
    if (audit !== undefined && audit.isDue()) auditFetched(this.#engine, request, { entry, ageMs, reason, calls: this.calls })
    meter.count(reason === 'revalidate' ? COUNTER.staleServes : COUNTER.reserveServes, request.route)
    meter.observe(HISTOGRAM.staleness, Math.max(0, ageMs - entry.budget.freshMs) / 1000, seriesOf(request.route, true, true))
    if (events.wants('lookup:stale')) events.emit('lookup:stale', { key: request.key, ageMs, reason })
    return this.deliver(entry, ageMs, true)
  }

  /** Loads, coalesced; within the caller's deadlines; falls back on what may still be served. */
  async #load<T>(request: Request<T>): Promise<Result<T>> {
    const { key, route } = request
    const engine = this.#engine
    const call = this.calls.resolve(request.options)
    call.signal?.throwIfAborted()
    const presence: Presence = { ended: false, leave: () => {} }
    const pauseMs = engine.backoff.leftMs(key)
    if (pauseMs > 0) {
      const reserve = this.#reserve(request, 'error', undefined)
      if (reserve !== undefined) return reserve
    }
    engine.meter.count(COUNTER.misses, route)
    if (engine.events.wants('lookup:miss')) engine.events.emit('lookup:miss', { key })
    try {
      const work = this.#join(request, call, presence)
      const soft = call.softMs === undefined ? undefined : () => this.#reserve(request, 'deadline', undefined)
      return await waitWithin(engine.clock, work, { key, softMs: call.softMs, soft, hardMs: call.hardMs, signal: call.signal })
    } catch (error) {
      const reserve = call.signal?.aborted === true ? undefined : this.#reserve(request, 'error', error)
      if (reserve !== undefined) return reserve
      throw error
    } finally {
      presence.ended = true
      presence.leave()
    }
  }

  /** What stands now and may be served though the origin has failed: looked up anew, an invalidation may have come. */
  #reserve<T>(request: Request<T>, reason: 'error' | 'deadline', error: unknown): Result<T> | undefined {
    const verdict = this.seek<T>(request.key, request.options, this.#engine.clock.now())
    if (verdict.state === 'fresh') return this.deliver(verdict.entry, verdict.ageMs, false)
    if (verdict.state !== 'stale' && verdict.state !== 'reserve') return undefined
    const result = this.#deliverStale<T>(request, { entry: verdict.entry, ageMs: verdict.ageMs, reason })
    return error === undefined ? result : { ...result, error }
  }

  async #join<T>(request: Request<T>, call: Call, presence: Presence): Promise<Result<T>> {
    const { flights, meter, clock } = this.#engine
    const { key } = request
    const cameAt = clock.now()
    if (call.skipWrite) return this.#alone(request)
    for (let attempt = 0; attempt < REJOIN_LIMIT; attempt += 1) {
      if (presence.ended) throw new ForecacheError('FC_CALLER_GONE', { key }) // heard by nobody
      const place = flights.enter<Loaded>(key, () => this.#engine.begin(key, this.#targetOf(request, call)))
      if (place.role === 'full') {
        meter.count(COUNTER.refused, request.route)
        throw new ForecacheError('FC_FLIGHT_FULL', { key, max: place.waiters })
      }
      if (place.role === 'lead') return this.#result(await this.#lead(place, request, { call, presence }))
      meter.count(COUNTER.coalesced, request.route)
      presence.leave = place.leave // however its wait ends, its place is free for another caller
      const loaded = await place.wait()
      if (loaded === undefined) continue
      // What was read before he came is his only as far as his budget goes; the next load begins after he came.
      if (loaded.startedAt >= cameAt || clock.now() - loaded.startedAt < call.budget.staleMs) return this.#result(loaded)
    }
    if (presence.ended) throw new ForecacheError('FC_CALLER_GONE', { key })
    return this.#alone(request)
  }

  /** Leads a flight: kept first, then out of the table, then answered, so that no caller falls between. */
  async #lead<T>(lead: Lead<Loaded>, request: Request<T>, caller: { call: Call; presence?: Presence }): Promise<Loaded> {
    const { call, presence } = caller
    const engine = this.#engine
    const look = (): Promise<boolean> => this.#isUsable(request, call)
    const { load, together } = request
    const begun = loadAcross(engine, lead.fill, { call, load, target: this.#targetOf(request, call), look, together })
    const loading = begun instanceof Promise ? await begun : begun
    if ('held' in loading) return settleLead(lead, loading)
    if (presence !== undefined && engine.settings.flights.whenAbandoned === 'cancel') {
      let gone = false
      const check = (): void => {
        if (!gone || lead.waiters() > 0) return
        lead.end() // first: whoever comes now must not join a load that is being cancelled
        loading.cancel()
      }
      lead.onEmpty(check)
      presence.leave = () => {
        gone = call.signal?.aborted === true // not so when it was answered or sent away at a deadline: then the load goes on behind
        check()
      }
      if (presence.ended) presence.leave() // while another process was waited for
    }
    try {
      return settleLead(lead, await loading.done)
    } catch (error) {
      lead.fail(error)
      throw error
    }
  }

  /** A load of its own, shared with nobody: this caller may not take a reading that began before it came. */
  async #alone<T>(request: Request<T>): Promise<Result<T>> {
    const call = this.calls.resolve(request.options)
    call.signal?.throwIfAborted()
    this.#engine.meter.count(COUNTER.passes, request.route)
    const fill = this.#engine.begin(request.key, this.#targetOf(request, call))
    const loading = startLoad(this.#engine, fill, { call, load: request.load })
    const work = loading.done.then((loaded) => this.#result<T>(loaded))
    return waitWithin(this.#engine.clock, work, { key: request.key, hardMs: call.hardMs, signal: call.signal })
  }

  #refreshBehind<T>(request: Request<T>): void {
    const { refreshes, flights, backoff, meter } = this.#engine
    const { key } = request
    if (flights.has(key) || backoff.leftMs(key) > 0) return
    const call = { ...this.calls.resolve(request.options), signal: undefined }
    if (call.skipWrite) return // what it found would not be stored
    const started = refreshes.start(
      key,
      async () => {
        if (!(await this.#isUsable(request, call))) await this.#refresh(request, call)
      },
      request.route,
    )
    if (started) meter.count(COUNTER.refreshes, request.route)
  }

  async #refresh<T>(request: Request<T>, call: Call): Promise<void> {
    const { key } = request
    const begin = (): Fill => this.#engine.begin(key, { ...this.#targetOf(request, call), way: 'refresh' })
    const place = this.#engine.flights.enter<Loaded>(key, begin)
    if (place.role === 'lead') await this.#lead(place, request, { call })
    else if (place.role === 'follow') place.leave()
  }

  #targetOf<T>(request: Request<T>, call: Call): FillTarget {
    const { route, namespace } = request
    const target = { namespace, tags: call.tags, route, memoryOnly: call.memoryOnly, adaptive: call.adaptive }
    if ((call.ahead === undefined && !call.isWarmed) || call.skipWrite) return target
    const run = (key = request.key): Promise<void> => this.#refresh({ ...request, key }, { ...call, signal: undefined })
    return {
      ...target,
      again: call.ahead && { bytes: 0, route, settings: call.ahead, run: () => run() },
      warm: call.isWarmed ? { route, ask: () => run } : undefined,
    }
  }

  /** Whether another process has loaded it meanwhile, as fresh as this caller wants it. */
  async #isUsable<T>(request: Request<T>, call: Call): Promise<boolean> {
    const { second, clock } = this.#engine
    if (second === undefined || this.#isHome(request, call) || !(await this.pull(second, request))) return false
    return this.seek(request.key, request.options, clock.now()).state === 'fresh'
  }

  /** Whether the second level is not for it. */
  #isHome<T>({ key, route }: Request<T>, { memoryOnly, adaptive }: Call): boolean {
    return memoryOnly || this.#engine.adaptive.isLocal({ key, route, settings: adaptive })
  }

  #result<T>(loaded: Loaded): Result<T> {
    const data = dataOf(this.#engine, loaded.held) as T
    return { data, cached: false, stale: false, ageMs: Math.max(0, this.#engine.clock.now() - loaded.startedAt) }
  }
}

function settleLead(lead: Lead<Loaded>, loaded: Loaded): Loaded {
  lead.end()
  lead.answer(loaded, loaded.tags)
  return loaded
}
