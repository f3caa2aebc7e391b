/**
 * `POST /cache`: many keys in one request; deleted first, then set, then got, so that a batch reads its own writes.
 *
 * Floor 5, room server. A body of the wrong shape is refused as a whole before anything is done; whatever is wrong with one
 * item is told with that item, and the others are carried out. Deletions are one record of the log. Values are put into the
 * answer as they are: JSON as its own text, text as text, everything else as base64.
 */
import type { Content } from '../flow/content.ts'
import type { Place } from '../flow/contents.ts'
import type { MountView, MountWish } from '../flow/mount-view.ts'
import type { ApiReply, ApiRequest } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import { parseJsonBody, refuseBody } from '../model/json-body.ts'
import { COUNTER } from '../model/metric.ts'
import { bodyOf } from './cache-body.ts'
import { BATCH_BODY, type BatchBody, type BatchRef, type BatchSet } from './cache-shapes.ts'
import { checkCondition } from './cache-item.ts'
import { type ContentAnswer, readContent, type Unanswered } from './cache-read.ts'
import { type CacheApi, checkKey } from './cache-settings.ts'
import { answerOf, checkWish, conditionOf } from './cache-there.ts'
import { parseNamespace, parseWish, readQuery } from './cache-wish.ts'

/** An item of the answer, as JSON text. */
type Told = string

/** Carries out a batch. @throws FC_API_BODY, FC_API_QUERY for the whole of it */
export async function runBatch(api: CacheApi, request: ApiRequest): Promise<ApiReply> {
  readQuery(request.query, [])
  const body: BatchBody = parseJsonBody(request, BATCH_BODY, Object.keys(BATCH_BODY.shape))
  const lists = [body.delete, body.set, body.get]
  const count = lists.reduce((sum, list) => sum + (list?.length ?? 0), 0)
  if (count === 0) refuseBody('nothing named; give at least one of delete, set, get')
  if (count > api.settings.maxKeys) refuseBody(`at most ${api.settings.maxKeys} keys at once, given ${count}`)
  const batch = new Batch(api, body.namespace === undefined ? '' : parseNamespace(body.namespace, refuseName))
  const deleted = body.delete === undefined ? undefined : batch.delete(body.delete)
  await batch.settled()
  const set = body.set?.map((item) =>
    batch.attempt(item, { here: () => batch.set(item), there: (view) => batch.setThere(view, item) }),
  )
  const written = body.delete === undefined && body.set === undefined ? undefined : api.contents.engine.written()
  await batch.settled()
  if (api.contents.engine.second !== undefined) await Promise.all((body.get ?? []).map((item) => batch.pull(item)))
  const got = body.get?.map((item) =>
    batch.attempt(item, { here: () => batch.get(item), there: (view) => batch.getThere(view, item) }),
  )
  const told = await Promise.all([deleted, set && Promise.all(set), got && Promise.all(got)])
  const parts = [list('delete', told[0]), list('set', told[1]), list('get', told[2])].filter((part) => part !== '')
  const token = (await written) ?? api.contents.engine.token()
  return {
    status: 200,
    fields: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'forecache-token': token },
    body: `{${[`"token":${JSON.stringify(token)}`, ...parts].join(',')}}\n`,
  }
}

/** How an item is treated where its value stands here, and where it stands elsewhere. */
interface Ways {
  here(): object | Told
  there(view: MountView): Promise<object | Told>
}

/** One batch under way. */
class Batch {
  readonly #api: CacheApi
  readonly #space: string
  /** Characters of values in the answer. */
  #answered = 0
  /** Under way where values stand elsewhere. */
  readonly #pending: Promise<unknown>[] = []

  constructor(api: CacheApi, space: string) {
    this.#api = api
    this.#space = space
  }

  /** What is wrong with an item is that item's answer. Values that stand here are treated at once. */
  attempt(item: BatchRef | BatchSet, run: Ways): Told | Promise<Told> {
    const told = (answer: object | Told): Told => (typeof answer === 'string' ? answer : tell(item, answer))
    const refused = (error: unknown): Told => {
      if (!(error instanceof ForecacheError)) throw error
      return tell(item, { status: error.status, error: { code: error.code, message: error.message } })
    }
    try {
      const view = this.#viewOf(item)
      if (view === undefined) return told(run.here())
      const answer = run.there(view).then(told).catch(refused)
      this.#pending.push(answer)
      return answer
    } catch (error) {
      return refused(error)
    }
  }

  /** When all that was begun where values stand elsewhere is done. */
  async settled(): Promise<void> {
    if (this.#pending.length > 0) await Promise.all(this.#pending.splice(0))
  }

  async delete(items: readonly BatchRef[]): Promise<Told[]> {
    const { contents } = this.#api
    const places: Place[] = []
    const here = (item: BatchRef): object => {
      const { key, space } = this.#named(item)
      const place = contents.locateEverywhere(space, key)
      const deleted = place !== undefined && contents.stands(place)
      if (place !== undefined) places.push(contents.deletable(place))
      return { status: 200, deleted }
    }
    const there = async (view: MountView, item: BatchRef): Promise<object> => {
      return { status: 200, deleted: await view.erase(this.#named(item).key) }
    }
    const told = items.map((item) => this.attempt(item, { here: () => here(item), there: (view) => there(view, item) }))
    if (places.length > 0) await contents.delete(places)
    return Promise.all(told)
  }

  set(item: BatchSet): object {
    const { contents } = this.#api
    const { key, space } = this.#named(item)
    const wish = this.#wish(item)
    const stood = checkCondition(this.#api, contents.locate(space, key), item)
    const content = contents.put(contents.claim(space, key), wish)
    return { status: stood ? 200 : 201, etag: content.identity.etag }
  }

  async setThere(view: MountView, item: BatchSet): Promise<object> {
    const { key } = this.#named(item)
    const wish = this.#wish(item)
    checkWish(wish, refuseName)
    const { content, stood } = await view.put(key, wish, conditionOf(item))
    this.#api.forms.of(content)
    return { status: stood ? 200 : 201, etag: content.identity.etag }
  }

  #wish(item: BatchSet): MountWish {
    const { settings } = this.#api
    const { type, body } = bodyOf(item, refuseName)
    const wish = parseWish(item, settings, refuseName)
    checkSize(body, settings.maxValue)
    return { type, body, ...wish }
  }

  /** Looks in the second level for what does not stand here; what is wrong with an item is told by `get`. */
  async pull(item: BatchRef): Promise<void> {
    try {
      const { key, space } = this.#named(item)
      await this.#api.contents.pull(space, key)
    } catch (error) {
      if (!(error instanceof ForecacheError)) throw error
    }
  }

  get(item: BatchRef): object | Told {
    const { contents } = this.#api
    const { key, space } = this.#named(item)
    const place = contents.locate(space, key)
    const ifNoneMatch = typeof item === 'string' ? undefined : item.ifNoneMatch
    const found = place === undefined ? 'absent' : readContent(contents, place, { ifNoneMatch })
    if (found === 'form') contents.find(place as Place) // says what bytes cannot say
    return this.#found(item, found)
  }

  async getThere(view: MountView, item: BatchRef): Promise<object | Told> {
    const ifNoneMatch = typeof item === 'string' ? undefined : item.ifNoneMatch
    const standing = await view.find(this.#named(item).key, true)
    return this.#found(item, standing === undefined ? 'absent' : answerOf(this.#api, standing, { ifNoneMatch }))
  }

  /** @throws FC_CACHE_ABSENT, FC_CACHE_ANSWER_FULL */
  #found(item: BatchRef, found: ContentAnswer | Unanswered): object | Told {
    const { contents } = this.#api
    if (typeof found === 'string') {
      contents.engine.meter.count(COUNTER.misses, contents.route)
      throw new ForecacheError('FC_CACHE_ABSENT')
    }
    const { status, etag, ageMs, cache } = found
    const about = { status, etag, ageMs: Math.floor(ageMs), stale: cache === 'STALE' }
    if (status === 304) return about
    const { content } = found
    const value = this.#value(content)
    return `${tell(item, { ...about, type: content.type }).slice(0, -1)},${value}}`
  }

  /** @throws FC_CACHE_ANSWER_FULL */
  #value(content: Content): string {
    const { maxBatch } = this.#api.settings
    const full = (): ForecacheError => new ForecacheError('FC_CACHE_ANSWER_FULL', { max: maxBatch })
    if (this.#answered + content.body.byteLength > maxBatch) throw full()
    const value = valueText(content)
    if (this.#answered + value.length > maxBatch) throw full()
    this.#answered += value.length
    return value
  }

  /** Where the item's value stands, if not here. @throws FC_API_BODY */
  #viewOf(item: BatchRef | BatchSet): MountView | undefined {
    const { space } = this.#named(item)
    return space === '' ? undefined : this.#api.mounts.find(space)
  }

  #named(item: BatchRef | BatchSet): { readonly key: string; readonly space: string } {
    const key = checkKey(typeof item === 'string' ? item : item.key)
    const space = typeof item === 'string' ? undefined : item.namespace
    return { key, space: space === undefined ? this.#space : parseNamespace(space, refuseName) }
  }
}

/** @throws FC_CACHE_TOO_LARGE */
function checkSize(body: Uint8Array, max: number): void {
  if (body.byteLength > max) throw new ForecacheError('FC_CACHE_TOO_LARGE', { given: body.byteLength, max })
}

/** A member of the answer's item: the value in the form that costs least and says the same. */
function valueText(content: Content): string {
  const json = content.jsonText()
  if (json !== undefined) return `"json":${json}`
  const text = content.text()
  if (text !== undefined) return `"text":${JSON.stringify(text)}`
  const { buffer, byteOffset, byteLength } = content.body
  return `"base64":"${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}"`
}

function tell(item: BatchRef | BatchSet, told: object): Told {
  if (typeof item === 'string') return JSON.stringify({ key: item, ...told })
  const { key, namespace } = item
  return JSON.stringify({ key, ...(namespace === undefined ? {} : { namespace }), ...told })
}

function list(name: string, items: readonly Told[] | undefined): string {
  return items === undefined ? '' : `"${name}":[${items.join(',')}]`
}

function refuseName(name: string, reason: string): ForecacheError {
  return new ForecacheError('FC_API_BODY', { reason: `${name}: ${reason}` })
}
