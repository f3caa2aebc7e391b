/**
 * The library's face: what `createCache` returns, and its views by namespace.
 *
 * Floor 3, room flow. A view adds a prefix with the namespace's version to each key: bumping the version makes all
 * former keys unreachable at once, and the log keeps loads under way from coming back.
 */
import { ForecacheError, textOf } from '../model/errors.ts'
import type { EventName, Listener } from '../model/event.ts'
import { DEFAULT_ROUTE } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import type { LoadMany } from './batch.ts'
import type { CallOptions } from './call.ts'
import type { Engine } from './engine.ts'
import type { Result } from './fetch.ts'
import type { Fill } from './fill.ts'
import type { InvalidateInput, InvalidateResult } from './invalidate.ts'
import { checkInvalidate } from './invalidate-input.ts'
import type { Kept } from './keep.ts'
import { storeValue } from './load.ts'
import type { Load } from './loader.ts'
import { fetchMany, getMany } from './many.ts'
import type { MountPlace, Mounts } from './mounts.ts'
import { type CacheCore, coreOver, openCore } from './open-cache.ts'
import type { CacheOptions } from './options.ts'
import { readStats, type Stats } from './stats.ts'
import type { Together } from './together.ts'
import { unpackValue } from './value.ts'
import { currentKey } from './warm-rename.ts'

/** Options of a plain write. */
export type SetOptions = Pick<CallOptions, 'budget' | 'context' | 'tags' | 'jitter' | 'end' | 'tiers'>

/** A reading opened by hand: begin before the origin is asked, keep afterwards; the fence judges it. */
export interface Reading {
  /** Stores the value unless something that names it was invalidated since `begin`. */
  keep(value: unknown, options?: SetOptions): Kept | 'skipped' | 'unclonable'
}

/** For invalidations that are not in the shared log yet, when the cache is closed. */
const LEAVE_MS = 500
const MAX_KEY_CHARS = 16_384
const NAME = /^[A-Za-z0-9_.-]{1,128}$/

/** See the module's header. */
export class Cache {
  readonly #shared: CacheCore
  /** Kept here too: `peek` is shorter by two loads. */
  readonly #memory: Engine['memory']
  readonly #wrapping: Engine['wrapping']
  readonly #name: string
  readonly #namespace: number
  /** Where this view's values may stand, if not here. */
  readonly #mount: MountPlace | undefined
  #prefix = ''

  /** Use `createCache`. */
  constructor(shared: CacheCore, name: string) {
    this.#shared = shared
    this.#memory = shared.engine.memory
    this.#wrapping = shared.engine.wrapping
    if (name === '') shared.engine.warming.follow((key) => currentKey(shared.versions, key))
    this.#name = name
    this.#namespace = shared.engine.fence.namespace(name)
    this.#mount = name === '' ? undefined : shared.mounts.place(name)
  }

  /** The engine beneath: for doors, administration and tests. */
  get engine(): Engine {
    return this.#shared.engine
  }

  /** Namespaces that were declared, with their versions. */
  get versions(): ReadonlyMap<string, number> {
    return this.#shared.versions
  }

  /** Namespaces whose values stand elsewhere. For doors. */
  get mounts(): Mounts {
    return this.#shared.mounts
  }

  /** Where a key of this view stands: its full name and its namespace in the fence. For doors. @throws FC_KEY_TYPE */
  locate(key: string): { readonly key: string; readonly namespace: number } {
    const full = this.#full(key)
    return { key: full, namespace: this.#namespaceOf(full) }
  }

  /**
   * The answer under a key, loaded if need be: one load per key however many callers.
   *
   * @throws what the loader throws when nothing stale may be served; FC_LOAD_TIMEOUT; FC_FLIGHT_FULL; FC_OPTION_*; FC_KEY_TYPE
   */
  fetch<T>(key: string, load: Load<T>): Promise<Result<T>>
  fetch<T>(key: string, options: CallOptions, load: Load<T>): Promise<Result<T>>
  async fetch<T>(key: string, second: CallOptions | Load<T>, third?: Load<T>): Promise<Result<T>> {
    const load = typeof second === 'function' ? second : third
    const options = typeof second === 'function' ? undefined : second
    if (typeof load !== 'function')
      throw new ForecacheError('FC_OPTION_TYPE', { name: 'load', expected: 'a function', given: typeof load })
    return this.#fetch(this.#full(key), options, { load })
  }

  /** The value if it is fresh, synchronously and without any options; undefined otherwise. The fastest way in. */
  peek<T = unknown>(key: string): T | undefined {
    const there = this.#mount?.view
    if (there !== undefined) return there.peek(key) as T | undefined
    const value = this.#memory.peek(this.#name === '' ? key : this.#prefixed(key))
    return (this.#wrapping.any && value !== undefined ? unpackValue(this.#shared.engine.settings.values, value) : value) as
      | T
      | undefined
  }

  /** What is stored and may be served, fresh or stale; never loads. */
  async get<T = unknown>(
    key: string,
    options?: Pick<CallOptions, 'budget' | 'context' | 'token'>,
  ): Promise<Result<T> | undefined> {
    const { engine, fetcher } = this.#shared
    const full = this.#full(key)
    const isSure = options?.token === undefined && engine.clock.now() < engine.seesUntil
    const isCurrent = isSure || (await fetcher.isCurrent(options?.token))
    const named = fetcher.calls.named(options)
    const there = this.#mount?.view
    if (there !== undefined) return isCurrent ? ((await there.get(key, named)) as Result<T> | undefined) : undefined
    let verdict = fetcher.lookup<T>(full, named, engine.clock.now())
    if (engine.second !== undefined && isCurrent && verdict.state !== 'fresh' && verdict.state !== 'stale') {
      const isFound = await fetcher.pull(engine.second, { key: full, namespace: this.#namespaceOf(full) })
      if (isFound) verdict = fetcher.lookup<T>(full, named, engine.clock.now())
    }
    if (!isCurrent || (verdict.state !== 'fresh' && verdict.state !== 'stale')) {
      engine.meter.count(COUNTER.misses)
      return undefined
    }
    const stale = verdict.state === 'stale'
    engine.meter.count(stale ? COUNTER.staleServes : COUNTER.hits)
    if (engine.audit?.isDue() === true) fetcher.auditRead(verdict, named)
    return fetcher.deliver<T>(verdict.entry, verdict.ageMs, stale)
  }

  /**
   * Writes a value; loads of this key under way are superseded, and on other machines what stands under it. It holds here when
   * this returns, there when it resolves, or could not be told in time.
   *
   * @returns whether it is stored
   */
  async set(key: string, value: unknown, options: SetOptions = {}): Promise<boolean> {
    const call = this.#shared.fetcher.calls.resolve(options)
    const full = this.#full(key)
    const there = this.#mount?.view
    if (there !== undefined) return there.set(key, value, call)
    const { tags, memoryOnly } = call
    this.#shared.mounts.refuse(full)
    const fill = this.#shared.engine.write(full, { namespace: this.#namespaceOf(full), tags, memoryOnly })
    const written = this.#shared.engine.written()
    const { kept } = storeValue(this.#shared.engine, fill, { data: value, call })
    await written
    return kept === 'kept'
  }

  /** Opens a reading by hand, for values that are read outside a loader. Call it before reading. */
  begin(key: string): Reading {
    const { engine, fetcher } = this.#shared
    const full = this.#full(key)
    this.#mount?.view?.refuseLoad()
    this.#shared.mounts.refuse(full)
    const fill: Fill = engine.begin(full, { namespace: this.#namespaceOf(full) })
    return {
      keep: (value, options = {}) => {
        const call = fetcher.calls.resolve(options)
        const { shared, ...alone } = fill
        const place = shared === undefined || call.memoryOnly ? alone : fill
        return storeValue(engine, { ...place, tags: call.tags }, { data: value, call }).kept
      },
    }
  }

  /** Invalidates one key, everywhere. @returns whether it was stored */
  async delete(key: string): Promise<boolean> {
    const there = this.#mount?.view
    if (there !== undefined && this.#full(key) !== '') return there.delete(key)
    const { matched } = await this.#shared.engine.invalidateEverywhere({ keys: [this.#full(key)] })
    return matched > 0
  }

  /**
   * Many keys: those in memory at once, the rest by one call of the loader; without a loader those that stand.
   *
   * @returns results by key, in the order asked
   */
  getMany<T>(
    keys: readonly string[],
    options?: Pick<CallOptions, 'budget' | 'context' | 'token'>,
  ): Promise<Map<string, Result<T>>>
  getMany<T>(keys: readonly string[], options: CallOptions, loadMany: LoadMany<T>): Promise<Map<string, Result<T>>>
  async getMany<T>(keys: readonly string[], options: CallOptions = {}, loadMany?: LoadMany<T>): Promise<Map<string, Result<T>>> {
    if (!Array.isArray(keys))
      throw new ForecacheError('FC_OPTION_TYPE', { name: 'getMany keys', expected: 'a list', given: typeof keys })
    if (loadMany === undefined) return getMany(keys, (key) => this.get<T>(key, options))
    const parts = {
      full: (key: string) => this.#full(key),
      skipChars: this.#currentPrefix().length,
      fetch: (key: string, how: { load: Load<T>; together: Together }) => this.#fetch(key, options, how),
    }
    return fetchMany(this.#shared.engine, keys, { parts, loadMany })
  }

  /**
   * Invalidates. When it returns, no read that begins later here gets older data, on any path; when it resolves, the answer
   * says how many of the instances that share the log have followed, and its token makes any of them follow.
   * Keys and prefixes are this view's own; everything else is the whole cache's.
   */
  async invalidate(input: InvalidateInput): Promise<InvalidateResult> {
    checkInvalidate(input)
    return this.#shared.engine.invalidateEverywhere({
      ...input,
      ...(input.keys === undefined ? {} : { keys: input.keys.map((key) => this.#full(key)) }),
      ...(input.prefixes === undefined ? {} : { prefixes: input.prefixes.map((prefix) => this.#currentPrefix() + prefix) }),
    })
  }

  /**
   * A view of one namespace: own keys, own version, one invalidation for all of it.
   *
   * @param version first version, when this name was not asked for before; default 1
   * @throws FC_OPTION_VALUE for a name of other characters than letters, digits, `_ . -`
   */
  namespace(name: string, options: { version?: number } = {}): Cache {
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: 'namespace',
        reason: `expected 1 to 128 letters, digits, _ . or -, given ${typeof name === 'string' ? JSON.stringify(name) : textOf(name)}`,
      })
    }
    for (const given of Object.keys(options ?? {})) {
      if (given !== 'version') throw new ForecacheError('FC_OPTION_UNKNOWN', { name: `namespace.${given}`, known: 'version' })
    }
    const version = options?.version ?? 1
    if (!Number.isSafeInteger(version) || version < 0) {
      throw new ForecacheError('FC_OPTION_TYPE', {
        name: 'namespace version',
        expected: 'a whole number',
        given: textOf(version),
      })
    }
    if (!this.#shared.versions.has(name)) this.#shared.versions.set(name, version)
    return new Cache(this.#shared, name)
  }

  /** The namespace's next version: every former key is out of reach, every load under way is not kept. @returns the version */
  bump(): number {
    const version = (this.#shared.versions.get(this.#name) ?? 0) + 1
    if (this.#name === '')
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: 'bump',
        reason: 'only a namespace has a version; use cache.namespace(name).bump()',
      })
    this.#shared.versions.set(this.#name, version)
    this.#shared.engine.invalidate({ namespaces: [this.#name], source: 'bump' })
    return version
  }

  /** Listens to what happens inside. @returns a function that stops it */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const { events } = this.#shared.engine
    if (name !== 'memory:remove' || typeof listener !== 'function') return events.on(name, listener)
    // Told once the change that removed it is complete: a listener may call the cache.
    return events.on(name, async (payload) => {
      await undefined
      await listener(payload)
    })
  }

  /** Counts and sizes since creation. */
  stats(): Stats {
    return readStats(this.#shared.engine)
  }

  /** Empties memory and stops timers; waiting callers find their own answer. */
  async close(): Promise<void> {
    const { engine } = this.#shared
    if (!engine.closed && engine.redis !== undefined) await engine.shared?.close(LEAVE_MS)
    engine.close()
  }

  #fetch<T>(key: string, options: CallOptions | undefined, how: { load: Load<T>; together?: Together }): Promise<Result<T>> {
    const { engine, fetcher } = this.#shared
    if (engine.closed) throw new ForecacheError('FC_CACHE_CLOSED')
    this.#mount?.view?.refuseLoad()
    this.#shared.mounts.refuse(key)
    const route = typeof options?.context === 'string' ? engine.meter.route(options.context) : DEFAULT_ROUTE
    return fetcher.fetch({ key, namespace: this.#namespaceOf(key), route, options, ...how })
  }

  #full(key: string): string {
    if (typeof key !== 'string' || key.length === 0 || key.length > MAX_KEY_CHARS) {
      throw new ForecacheError('FC_KEY_TYPE', {
        max: MAX_KEY_CHARS,
        given: typeof key === 'string' ? `${key.length} characters` : typeof key,
      })
    }
    return this.#prefixed(key)
  }

  /** A full key written out, as `digestKey` makes it (`quote:v2:…`), belongs to its namespace once that is declared. */
  #namespaceOf(full: string): number {
    const { versions, engine } = this.#shared
    if (this.#name !== '' || versions.size === 0) return this.#namespace
    const name = this.#shared.mounts.nameIn(full)
    return name !== undefined && versions.has(name) ? engine.fence.namespace(name) : this.#namespace
  }

  #prefixed(key: string): string {
    return this.#name === '' ? key : this.#currentPrefix() + key
  }

  #currentPrefix(): string {
    if (this.#name === '') return ''
    const head = `${this.#name}:v${this.#shared.versions.get(this.#name)}:`
    if (this.#prefix !== head) this.#prefix = head
    return this.#prefix
  }
}

/** @throws FC_OPTION_* naming the first bad option */
export function createCache(options: CacheOptions = {}): Cache {
  return new Cache(openCore(options), '')
}

/** The face of an engine that was made by hand. */
export function cacheOver(engine: Engine): Cache {
  return new Cache(coreOver(engine), '')
}
