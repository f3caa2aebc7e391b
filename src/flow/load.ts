/**
 * One load of one key: runs the loader under its overall deadline and has its answer kept.
 *
 * Floor 3, room flow. Knows nothing of callers: whoever waits, waits on the promise. The asOf was taken before the
 * loader runs (the fill), so whatever is invalidated meanwhile keeps the answer out.
 */
import { type Budget, capBudget } from '../model/budget.ts'
import type { Entry } from '../model/entry.ts'
import { ForecacheError } from '../model/errors.ts'
import { COUNTER } from '../model/metric.ts'
import { type Call, narrowBudget } from './call.ts'
import type { Engine } from './engine.ts'
import type { Fill } from './fill.ts'
import type { Kept } from './keep.ts'
import { type Load, NOT_MODIFIED, type Previous, Said } from './loader.ts'
import { Held, isWrapped, packValue, unpackValue } from './value.ts'

/** The outcome of a load. */
export interface Loaded {
  /** Stored form; callers get `unpackValue` of it. */
  readonly held: unknown
  /** All tags, declared and learned. */
  readonly tags: readonly string[]
  readonly kept: Kept | 'skipped' | 'unclonable'
  /** The origin said nothing had changed. */
  readonly renewed: boolean
  readonly startedAt: number
}

/** A load under way. */
export interface Loading {
  readonly done: Promise<Loaded>
  cancel(): void
}

/** Starts a load. Its promise rejects with the loader's error or FC_LOAD_TIMEOUT. */
export function startLoad<T>(engine: Engine, fill: Fill, job: { call: Call; load: Load<T> }): Loading {
  const controller = new AbortController()
  const { call, load } = job
  const standing = engine.memory.look(fill.key)
  const said = new Said<T>({
    key: fill.key,
    signal: controller.signal,
    previous: standing?.kind === 'value' ? previousOf<T>(engine, standing) : undefined,
    budget: call.budget,
  })
  engine.meter.count(COUNTER.originRequests, fill.route)
  const { clock, pulse } = engine
  const askedAt = clock.now()
  pulse.began(askedAt)
  const done = withEnd(engine, { key: fill.key, controller }, async () =>
    store(engine, fill, { call, said, data: await load(said), formerTags: standing?.tags ?? [] }),
  )
  done.then(
    () => {
      pulse.ended(clock.now(), fill.route, { tookMs: clock.now() - askedAt, failed: false })
      engine.backoff.succeeded(fill.key)
    },
    (error: unknown) => {
      const isGone = error === controller.signal.reason && error instanceof ForecacheError && error.code === 'FC_CALLER_GONE'
      pulse.ended(clock.now(), fill.route, { tookMs: undefined, failed: !isGone })
      if (isGone) return // no failure of the origin's
      engine.backoff.failed(fill.key)
      engine.meter.count(COUNTER.originFailures, fill.route)
      if (engine.events.wants('origin:fail')) engine.events.emit('origin:fail', { key: fill.key, error, background: false })
    },
  )
  return { done, cancel: () => controller.abort(new ForecacheError('FC_CALLER_GONE', { key: fill.key })) }
}

/** Packs a value and has it kept; an answer that cannot be copied is given as it is and not stored. */
export function storeValue(
  engine: Engine,
  fill: Fill,
  item: { data: unknown; call: Call; said?: Said<unknown> | undefined },
): Omit<Loaded, 'renewed'> {
  const { data, call, said } = item
  const policy = engine.settings.values
  const tags = said === undefined || said.learned.length === 0 ? fill.tags : [...new Set([...fill.tags, ...said.learned])]
  const answer = { tags, startedAt: fill.startedAt }
  try {
    const packed = packValue(policy, fill.key, data)
    const stored = packed.share === undefined ? packed.stored : engine.canonical(packed.share.id, packed.stored)
    const held = said?.validator === undefined ? stored : new Held(stored, said.validator)
    if (isWrapped(held)) engine.wrapping.any = true
    const nothing = data === undefined || data === null
    if (call.skipWrite || said?.skipped === true || (nothing && call.negative === undefined) || isDemoted(engine, fill))
      return { ...answer, held, kept: 'skipped' }
    const budget = budgetOf(engine, fill, { call, said, nothing })
    const share = packed.share === undefined ? {} : { share: packed.share }
    const promised = fill.adaptive === undefined || nothing ? {} : ({ promised: 'choose' } as const)
    const { bytes, mark } = packed
    const { jitter } = call
    const sameAs = (standing: unknown): boolean => held instanceof Held && isSameTag(standing, held)
    return {
      ...answer,
      held,
      kept: engine.keep(fill, { value: held, bytes, mark, sameAs, budget, tags, jitter, ...share, ...promised }),
    }
  } catch (error) {
    if (!(error instanceof ForecacheError) || error.code !== 'FC_VALUE_CLONE') throw error
    engine.settings.logger.warn({ key: fill.key, err: error }, 'an answer was not stored')
    if (engine.events.wants('keep:refuse')) engine.events.emit('keep:refuse', { key: fill.key, reason: 'clone' })
    return { ...answer, held: data, kept: 'unclonable' }
  }
}

function isDemoted({ adaptive, meter }: Engine, { route, key, adaptive: settings, way }: Fill): boolean {
  if (way === 'write' || !adaptive.isOutOf('cache', { route, key, settings })) return false
  meter.count(COUNTER.demotedCache, route)
  return true
}

function isSameTag(standing: unknown, held: Held): boolean {
  return standing instanceof Held && standing.etag === held.etag
}

/** The budget said last, or the caller's; narrowed for "nothing there"; no window beyond a known end. */
function budgetOf(engine: Engine, fill: Fill, item: { call: Call; said: Said<unknown> | undefined; nothing: boolean }): Budget {
  const { call, said, nothing } = item
  const given = said?.budget ?? call.budget
  const budget = nothing && call.negative !== undefined ? narrowBudget(given, call.negative) : given
  const endAt = Math.min(call.endAt, said?.endAt ?? Number.POSITIVE_INFINITY)
  if (endAt === Number.POSITIVE_INFINITY) return budget
  return capBudget(budget, engine.clock.now() - fill.startedAt + endAt - engine.clock.wall())
}

function store<T>(
  engine: Engine,
  fill: Fill,
  item: { call: Call; said: Said<T>; data: T; formerTags: readonly string[] },
): Loaded {
  const { call, said } = item
  const tookMs = engine.clock.now() - fill.startedAt
  if (engine.events.wants('origin:load')) engine.events.emit('origin:load', { key: fill.key, tookMs })
  if (item.data !== NOT_MODIFIED)
    return { ...storeValue(engine, fill, { data: item.data, call, said: said as Said<unknown> }), renewed: false }
  engine.meter.count(COUNTER.revalidations, fill.route)
  const previous = said.previous as Previous<T>
  said.validator ??= previous.etag
  said.learned.push(...item.formerTags) // a loader that only asked whether it changed has not learned them anew
  const renewal: Fill = { ...fill, way: 'renewal' }
  return { ...storeValue(engine, renewal, { data: previous.data, call, said: said as Said<unknown> }), renewed: true }
}

/** What a caller gets of what is held. */
export function dataOf(engine: Engine, held: unknown): unknown {
  return unpackValue(engine.settings.values, held)
}

/** What stands, as a loader is shown it. */
export function previousOf<T>(engine: Engine, entry: Entry): Previous<T> {
  return {
    data: unpackValue(engine.settings.values, entry.value) as T,
    etag: entry.value instanceof Held ? entry.value.etag : undefined,
    ageMs: Math.max(0, engine.clock.now() - entry.storedAt),
  }
}

/** Runs `work`; after `maxLoad` aborts it and rejects, whether or not it listens to the signal. */
function withEnd<T>(
  engine: Engine,
  { key, controller }: { key: string; controller: AbortController },
  work: () => Promise<T>,
): Promise<T> {
  const ms = engine.settings.deadlines.maxLoad
  return new Promise<T>((resolve, reject) => {
    const timer = engine.clock.after(ms, () => controller.abort(new ForecacheError('FC_LOAD_TIMEOUT', { key, ms })))
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
    work()
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}
