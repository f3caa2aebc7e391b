/**
 * `/cache/:key`: one value, read, written, deleted.
 *
 * Floor 5, room server. Conditions are judged and the write is done in one turn, so that nothing comes between them. What
 * is written stands before its answer leaves; codings follow.
 */
import type { Content } from '../flow/content.ts'
import type { Place } from '../flow/contents.ts'
import type { ApiReply, ApiRequest } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import { seriesOf } from '../model/meter.ts'
import { formatCacheStatus } from '../rules/cache-status.ts'
import {
  type ContentAnswer,
  type Condition,
  contentFields,
  failedCondition,
  readContent,
  type ReadWish,
  type Unanswered,
} from './cache-read.ts'
import { type CacheApi, checkKey, jsonAnswer, readMaxStale, readType } from './cache-settings.ts'
import { readNamespace, readQuery, readWish, WRITE_NAMES } from './cache-wish.ts'
import { errorBody } from './refuse.ts'

const SPACE: readonly string[] = ['namespace']

/** GET and HEAD, when what may have been missed is heard, and what a token names. @throws FC_LINK_BLIND; as `readItem` */
export function readItemSurely(api: CacheApi, request: ApiRequest): ApiReply | Promise<ApiReply> {
  const { engine } = api.contents
  const token = request.fields.first('forecache-token')
  const isSure = engine.clock.now() < engine.seesUntil && (token === undefined || engine.hasReached(token))
  const heard = isSure ? undefined : hearOut(engine, token)
  return heard === undefined && engine.second === undefined ? readItem(api, request) : readLater(api, request, heard)
}

/** When what was missed is heard, and what does not stand here was looked for in the second level. */
async function readLater(api: CacheApi, request: ApiRequest, heard: Promise<void> | undefined): Promise<ApiReply> {
  await heard
  const space = readNamespace(readQuery(request.query, SPACE), request.fields)
  await api.contents.pull(space, checkKey(request.params['key']))
  return readItem(api, request)
}

async function hearOut(engine: CacheApi['contents']['engine'], token: string | undefined): Promise<void> {
  if (engine.clock.now() >= engine.seesUntil) await engine.regain()
  if (token !== undefined) await engine.catchUp(token, engine.settings.deadlines.token)
}

/** @throws FC_CACHE_KEY, FC_API_QUERY, FC_API_FIELD, FC_VALUE_FORM */
function readItem(api: CacheApi, request: ApiRequest): ApiReply {
  const { engine, route } = api.contents
  const beganAt = engine.clock.now()
  const { fields } = request
  const space = readNamespace(readQuery(request.query, SPACE), fields)
  const place = api.contents.locate(space, checkKey(request.params['key']))
  const wish: ReadWish = {
    ifNoneMatch: fields.get('if-none-match'),
    acceptEncoding: fields.get('accept-encoding'),
    token: fields.first('forecache-token'),
    maxStaleMs: readMaxStale(request),
  }
  const found = place === undefined ? 'absent' : readContent(api.contents, place, wish)
  if (found === 'form') api.contents.find(place as Place) // says what bytes cannot say
  const cached = typeof found !== 'string'
  const stale = cached && found.cache === 'STALE'
  const reply = cached ? replyFound(found) : replyUnanswered(api, found, { place, wish })
  engine.meter.observe(HISTOGRAM.request, (engine.clock.now() - beganAt) / 1000, seriesOf(route, cached, stale))
  return reply
}

/** PUT and POST. @throws what a write may be refused with */
export async function writeItem(api: CacheApi, request: ApiRequest): Promise<ApiReply> {
  const { contents, settings } = api
  const { fields, body } = request
  const query = readQuery(request.query, WRITE_NAMES)
  const key = checkKey(request.params['key'])
  const space = readNamespace(query, fields)
  const type = readType(fields)
  const wish = readWish(query, fields, settings)
  const stood = checkConditions(api, contents.locate(space, key), request)
  const content = contents.put(contents.claim(space, key), { type, body, ...wish })
  const token = await contents.engine.written()
  const { etag } = content.identity
  const told = { token, etag, bytes: body.byteLength, created: !stood, ...wish }
  return jsonAnswer(stood ? 200 : 201, told, { etag, 'forecache-token': token })
}

/** DELETE: an invalidation of the key in the log, whether anything stood or not. @throws FC_CACHE_*, FC_API_* */
export async function deleteItem(api: CacheApi, request: ApiRequest): Promise<ApiReply> {
  const { contents } = api
  const key = checkKey(request.params['key'])
  const place = contents.locateEverywhere(readNamespace(readQuery(request.query, SPACE), request.fields), key)
  checkConditions(api, place, request)
  // Where no others share the log, a namespace that nobody has named yet holds nothing, and no load of it can be under way.
  const { token, matched, nodes } =
    place === undefined ? { token: contents.engine.token(), matched: 0, nodes: ALONE } : await contents.delete([place])
  return jsonAnswer(200, { token, deleted: matched > 0, nodes }, { 'forecache-token': token })
}

/** @returns whether something stands @throws FC_CACHE_CONDITION, FC_VALUE_FORM for tags of what has none */
export function checkCondition({ contents }: CacheApi, place: Place | undefined, given: Condition): boolean {
  const stands = place !== undefined && contents.stands(place)
  const content = (): Content | undefined => (stands ? contents.find(place)?.content : undefined)
  const failed = failedCondition(given, stands, content)
  if (failed !== undefined) throw new ForecacheError('FC_CACHE_CONDITION', { name: failed })
  return stands
}

const ALONE = { expected: 1, acknowledged: 1 }

/** @returns whether something stands @throws FC_CACHE_CONDITION, FC_VALUE_FORM for tags of what has none */
function checkConditions(api: CacheApi, place: Place | undefined, { fields }: ApiRequest): boolean {
  const given = { ifMatch: fields.get('if-match'), ifNoneMatch: fields.get('if-none-match') }
  return checkCondition(api, place, given)
}

/** The answer of the endpoint. */
export function replyFound(found: ContentAnswer): ApiReply {
  const list = contentFields(found)
  const fields: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) fields[list[i] as string] = list[i + 1] as string
  return found.status === 304 ? { status: 304, fields } : { status: 200, fields, body: found.form.body }
}

/** The answer where there is none. */
export function replyUnanswered(
  { contents }: Pick<CacheApi, 'contents'>,
  why: Unanswered,
  { place, wish }: { place: Place | undefined; wish: ReadWish },
): ApiReply {
  const { engine, route } = contents
  engine.meter.count(COUNTER.misses, route)
  if (place !== undefined && engine.events.wants('lookup:miss')) engine.events.emit('lookup:miss', { key: place.key })
  const error =
    why === 'coding'
      ? new ForecacheError('FC_CACHE_UNACCEPTABLE', { given: wish.acceptEncoding ?? '' })
      : new ForecacheError('FC_CACHE_ABSENT')
  const fields = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-cache': 'MISS',
    'cache-status': formatCacheStatus('forecache', { detail: why }),
    vary: 'accept-encoding',
  }
  return { status: error.status, fields, body: errorBody(error) }
}
