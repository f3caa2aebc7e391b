/**
 * Contents in the cache: read, written and deleted by doors that speak bytes, over the same entries as the library.
 *
 * Floor 3, room flow. Everything goes through the engine: a write supersedes loads under way and is judged by the fence, a
 * deletion is an invalidation in the log. Keys of the HTTP door (`http://…`, `https://…`) are neither shown nor touched.
 * Reading is synchronous: one look-up and a verdict. Codings are made behind a write, off the main thread, and attached
 * only where the very same content still stands; they never take its place away.
 */
import type { Budget } from '../model/budget.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RouteId } from '../model/meter.ts'
import { judge } from '../model/verdict.ts'
import type { Cache } from './cache.ts'
import { Choices } from './choice.ts'
import { type Content, makeContent } from './content.ts'
import { Views } from './content-view.ts'
import type { Engine } from './engine.ts'
import { decoderOf } from './decoder.ts'
import type { Fill } from './fill.ts'
import type { InvalidateResult } from './invalidate.ts'

/** Makes the codings of a body that pay; never rejects, resolves with none when it has no time. */
export type Encode = (body: Uint8Array, type: string) => Promise<ReadonlyMap<string, Uint8Array>>

/** Where a content stands. */
export interface Place {
  readonly key: string
  /** Of the fence. */
  readonly namespace: number
}

/** What stands under a key. */
export interface Standing {
  readonly content: Content
  readonly state: 'fresh' | 'stale' | 'reserve'
  readonly ageMs: number
  readonly budget: Budget
}

/** A content to be written. */
export interface ContentWrite {
  readonly type: string
  readonly body: Uint8Array
  readonly budget: Budget
  readonly tags: readonly string[]
}

/** Parts of Contents. */
export interface ContentsParts {
  readonly cache: Cache
  readonly encode: Encode
  /** Route that writes and reads are counted under. */
  readonly route: string
  /** Namespaces that may be in use before a request may name no further one. */
  readonly maxNamespaces: number
}

/** See the module's header. */
export class Contents {
  readonly engine: Engine
  /** Small integer of the route, for whoever counts. */
  readonly route: RouteId
  /** Which form of a content a reader takes. */
  readonly choices = new Choices()
  readonly #cache: Cache
  readonly #encode: Encode
  readonly #maxNamespaces: number
  readonly #views: Views
  readonly #spaces = new Map<string, Cache>()

  constructor({ cache, encode, route, maxNamespaces }: ContentsParts) {
    this.engine = cache.engine
    this.route = cache.engine.meter.route(route)
    this.#cache = cache
    this.#encode = encode
    this.#maxNamespaces = maxNamespaces
    this.#views = new Views(cache.engine.settings.values)
  }

  /** @returns undefined where the namespace was never declared: nothing can stand there @throws FC_KEY_TYPE */
  locate(namespace: string, key: string): Place | undefined {
    if (namespace === '') return this.#cache.locate(key)
    return this.#space(namespace)?.locate(key)
  }

  /** As `locate`, for what is to be deleted: others on the log may have it in a namespace that nobody has named here. @throws as `claim` */
  locateEverywhere(namespace: string, key: string): Place | undefined {
    return this.engine.shared === undefined ? this.locate(namespace, key) : this.claim(namespace, key)
  }

  /** As `locate`; declares the namespace. @throws FC_CACHE_NAMESPACES, FC_OPTION_VALUE for a name that is none */
  claim(namespace: string, key: string): Place {
    const { versions } = this.#cache
    if (namespace !== '' && !versions.has(namespace)) {
      if (versions.size >= this.#maxNamespaces)
        throw new ForecacheError('FC_CACHE_NAMESPACES', { given: namespace, max: this.#maxNamespaces })
      this.#spaces.set(namespace, this.#cache.namespace(namespace))
    }
    return this.locate(namespace, key) as Place
  }

  /** What stands inside its budget; counts as a use, nothing else is counted. @throws FC_VALUE_FORM */
  find({ key }: Place): Standing | undefined {
    if (isUrlKey(key)) return undefined
    const entry = this.engine.memory.find(key)
    if (entry === undefined || entry.kind !== 'value') return undefined
    const verdict = judge(entry, this.engine.clock.now())
    if (verdict.state !== 'fresh' && verdict.state !== 'stale' && verdict.state !== 'reserve') return undefined
    const content = this.#views.of(entry.value)
    if (content === undefined) return undefined
    return { content, state: verdict.state, ageMs: verdict.ageMs, budget: entry.budget }
  }

  /**
   * Looks in the second level for a key that does not stand here; afterwards it does, if it is there and good.
   *
   * @returns undefined where there is nothing to wait for; never rejects
   */
  pull(namespace: string, key: string): Promise<boolean> | undefined {
    const { second } = this.engine
    if (second === undefined || isUrlKey(key)) return undefined
    // What another process has written may stand in a namespace that nobody has named here yet.
    const place = this.locate(namespace, key) ?? this.#claimed(namespace, key)
    return place === undefined || this.stands(place)
      ? undefined
      : second.pull({ ...place, decode: decoderOf(this.engine, place.key) })
  }

  #claimed(namespace: string, key: string): Place | undefined {
    try {
      return this.claim(namespace, key)
    } catch {
      return undefined // no room for another namespace, or no name of one
    }
  }

  /** Whether a value stands inside its stale window; counts no use, and needs no bytes of it. */
  stands({ key }: Place): boolean {
    const entry = isUrlKey(key) ? undefined : this.engine.memory.look(key)
    if (entry === undefined || entry.kind !== 'value' || entry.value === undefined) return false
    const { state } = judge(entry, this.engine.clock.now())
    return state === 'fresh' || state === 'stale'
  }

  /**
   * Writes a content; what stood, and loads under way, are superseded even where it is refused.
   *
   * @throws FC_CACHE_KEY, FC_MOUNT_KEY, FC_CACHE_FULL, FC_CACHE_BLIND, FC_CACHE_CLOSED
   */
  put({ key, namespace }: Place, given: ContentWrite): Content {
    refuseUrlKey(key)
    this.#cache.mounts.refuse(key)
    const { engine } = this
    if (engine.closed) throw new ForecacheError('FC_CACHE_CLOSED')
    const content = makeContent(given.type, ownBytes(given.body), (id, body) => engine.canonical(id, body))
    engine.wrapping.any = true
    const fill = engine.write(key, { namespace, tags: given.tags, route: this.route })
    const kept = this.#keep(fill, given, content)
    if (kept === 'size') throw new ForecacheError('FC_CACHE_FULL', { bytes: content.bytes })
    if (kept !== 'kept') throw new ForecacheError('FC_CACHE_BLIND')
    void this.#attach(fill, given, content)
    return content
  }

  /**
   * Invalidates keys, as one record of the log. Applied here when it returns; resolves when everybody who shares the log
   * has applied it.
   *
   * @throws FC_CACHE_KEY before anything was done
   */
  delete(places: readonly Place[]): Promise<InvalidateResult> {
    for (const place of places) this.deletable(place)
    return this.engine.invalidateEverywhere({ keys: places.map(({ key }) => key), source: 'cache-api' })
  }

  /** The same place. @throws FC_CACHE_KEY when it is not this door's to delete */
  deletable(place: Place): Place {
    refuseUrlKey(place.key)
    return place
  }

  #space(namespace: string): Cache | undefined {
    const known = this.#spaces.get(namespace)
    if (known !== undefined || !this.#cache.versions.has(namespace)) return known
    const space = this.#cache.namespace(namespace)
    this.#spaces.set(namespace, space)
    return space
  }

  #keep(fill: Fill, { budget, tags }: ContentWrite, content: Content): ReturnType<Engine['keep']> {
    const { shareId, bytes, body } = content
    const share = shareId === undefined ? {} : { share: { id: shareId, bytes: body.byteLength } }
    return this.engine.keep(fill, { value: content, bytes, budget, tags, jitter: 0, ...share })
  }

  async #attach(fill: Fill, given: ContentWrite, content: Content): Promise<void> {
    const codings = await this.#encode(content.body, content.type)
    if (codings.size === 0 || this.engine.closed) return
    if (this.engine.memory.look(fill.key)?.value !== content) return
    // A refusal for want of room takes what stood away: without codings it had its place.
    if (this.#keep(fill, given, content.withCodings(codings)) === 'size') this.#keep(fill, given, content)
  }
}

/** Exactly these bytes, in memory of their own: a view keeps a larger block alive that nobody is charged for. */
function ownBytes(body: Uint8Array): Uint8Array {
  return body.byteLength === body.buffer.byteLength ? body : new Uint8Array(body)
}

/** Whether a key is of the kind under which HTTP doors keep responses. */
export function isUrlKey(key: string): boolean {
  return key.startsWith('http://') || key.startsWith('https://')
}

function refuseUrlKey(key: string): void {
  if (!isUrlKey(key)) return
  const reason = 'one that begins with http:// or https:// belongs to the gateway; name another, or use POST /v1/invalidate'
  throw new ForecacheError('FC_CACHE_KEY', { reason })
}
