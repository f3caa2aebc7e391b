/**
 * `POST /cache`: many keys in one request; deleted first, then set, then got, so that a batch reads its own writes.
 *
 * Floor 5, room server. A body of the wrong shape is refused as a whole before anything is done; whatever is wrong with one
 * item is told with that item, and the others are carried out. Deletions are one record of the log. Values are put into the
 * answer as they are: JSON as its own text, text as text, everything else as base64.
 */
import type { Content } from '../flow/content.ts'
import type { Place } from '../flow/contents.ts'
import type { ApiReply, ApiRequest } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import { parseJsonBody, refuseBody } from '../model/json-body.ts'
import { COUNTER } from '../model/metric.ts'
import { bodyOf } from './cache-body.ts'
import { BATCH_BODY, type BatchBody, type BatchRef, type BatchSet } from './cache-shapes.ts'
import { checkCondition } from './cache-item.ts'
import { readContent } from './cache-read.ts'
import { type CacheApi, checkKey } from './cache-settings.ts'
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
  const batch = new Batch(api, body.namespace === undefined ? '' : batchNamespace(api, body.namespace))
  const deleted = body.delete === undefined ? undefined : batch.delete(body.delete)
  const set = body.set?.map((item) => batch.attempt(item, () => batch.set(item)))
  const written = body.delete === undefined && body.set === undefined ? undefined : api.contents.engine.written()
  if (api.contents.engine.second !== undefined) await Promise.all((body.get ?? []).map((item) => batch.pull(item)))
  const got = body.get?.map((item) => batch.attempt(item, () => batch.get(item)))
  const parts = [list('delete', await deleted), list('set', set), list('get', got)].filter((part) => part !== '')
  const token = (await written) ?? api.contents.engine.token()
  return {
    status: 200,
    fields: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'forecache-token': token },
    body: `{${[`"token":${JSON.stringify(token)}`, ...parts].join(',')}}\n`,
  }
}

/** One batch under way. */
class Batch {
  readonly #api: CacheApi
  readonly #space: string
  /** Characters of values in the answer. */
  #answered = 0

  constructor(api: CacheApi, space: string) {
    this.#api = api
    this.#space = space
  }

  /** What is wrong with an item is that item's answer. */
  attempt(item: BatchRef | BatchSet, run: () => object | Told): Told {
    try {
      const told = run()
      return typeof told === 'string' ? told : tell(item, told)
    } catch (error) {
      if (!(error instanceof ForecacheError)) throw error
      return tell(item, { status: error.status, error: { code: error.code, message: error.message } })
    }
  }

  async delete(items: readonly BatchRef[]): Promise<Told[]> {
    const { contents } = this.#api
    const places: Place[] = []
    const told = items.map((item) =>
      this.attempt(item, () => {
        const { key, space } = this.#named(item)
        const place = contents.locateEverywhere(space, key)
        const deleted = place !== undefined && contents.stands(place)
        if (place !== undefined) places.push(contents.deletable(place))
        return { status: 200, deleted }
      }),
    )
    if (places.length > 0) await contents.delete(places)
    return told
  }

  set(item: BatchSet): object {
    const { contents, settings } = this.#api
    const { key, space } = this.#named(item)
    const refuse = refuseName
    const { type, body } = bodyOf(item, refuse)
    const wish = parseWish(item, settings, refuse)
    checkSize(body, settings.maxValue)
    const stood = checkCondition(this.#api, contents.locate(space, key), item)
    const content = contents.put(contents.claim(space, key), { type, body, ...wish })
    return { status: stood ? 200 : 201, etag: content.identity.etag }
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

  #named(item: BatchRef | BatchSet): { readonly key: string; readonly space: string } {
    const key = checkKey(typeof item === 'string' ? item : item.key)
    const space = typeof item === 'string' ? undefined : item.namespace
    return { key, space: space === undefined ? this.#space : batchNamespace(this.#api, space) }
  }
}

/** @throws FC_API_BODY */
function batchNamespace({ doorNamespace }: CacheApi, given: string): string {
  const space = parseNamespace(given, refuseName)
  if (space === doorNamespace) refuseBody(`namespace ${space}: values of the Redis door are asked for one by one, at /cache/:key`)
  return space
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
