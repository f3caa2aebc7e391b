/**
 * `/cache/:key` in a namespace whose values stand elsewhere: one value, whichever door it is read or written through.
 *
 * Floor 5, room server. Conditions are judged where the values stand, with nobody between. What a Redis cannot keep is refused: a window
 * beyond the stale one, since who reads there by its protocol could not be kept from it.
 */
import type { ApiReply, ApiRequest } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import { seriesOf } from '../model/meter.ts'
import type { MountCondition, MountStanding, MountView } from '../flow/mount-view.ts'
import { replyFound, replyUnanswered } from './cache-item.ts'
import { type Condition, type ContentAnswer, failedCondition, matchedTag } from './cache-read.ts'
import { type CacheApi, checkKey, jsonAnswer, readType } from './cache-settings.ts'
import {
  readNamespace,
  readQuery,
  readWish,
  type Refuse,
  refuseField,
  refuseQuery,
  type Wish,
  WRITE_NAMES,
} from './cache-wish.ts'

type Handle = (request: ApiRequest) => ApiReply | Promise<ApiReply>

/** A request and where its value stands. */
export interface There {
  readonly api: CacheApi
  readonly view: MountView
  readonly request: ApiRequest
}

/** The handler for namespaces whose values stand elsewhere, and the one for all others. @throws FC_API_QUERY, FC_API_FIELD */
export function whereItStands(api: CacheApi, own: (there: There) => Promise<ApiReply>, others: Handle): Handle {
  return (request) => {
    const asked = request.query.get('namespace')
    const name = readNamespace(new Map(asked === null ? [] : [['namespace', asked]]), request.fields)
    const view = name === '' ? undefined : api.mounts.find(name)
    return view === undefined ? others(request) : own({ api, view, request })
  }
}

/** GET and HEAD. @throws FC_CACHE_KEY, FC_MOUNT_*, FC_RESP_* */
export async function readThere({ api, view, request }: There): Promise<ApiReply> {
  const { engine, route } = api.contents
  const beganAt = engine.clock.now()
  const { fields } = request
  readQuery(request.query, ['namespace'])
  const key = checkKey(request.params['key'])
  const token = fields.first('forecache-token')
  if (token !== undefined) await engine.catchUp(token, engine.settings.deadlines.token)
  const isHeard = token === undefined || engine.hasReached(token)
  const standing = isHeard ? await view.find(key, true) : undefined
  const wish = { ifNoneMatch: fields.get('if-none-match'), acceptEncoding: fields.get('accept-encoding') }
  const found = standing === undefined ? (isHeard ? 'absent' : 'token') : answerOf(api, standing, wish)
  const isFound = typeof found !== 'string'
  engine.meter.observe(
    HISTOGRAM.request,
    (engine.clock.now() - beganAt) / 1000,
    seriesOf(route, isFound, standing?.stale === true),
  )
  return isFound ? replyFound(found) : replyUnanswered(api, found, { place: undefined, wish })
}

/** PUT and POST. @throws FC_CACHE_KEY, FC_CACHE_CONDITION, FC_API_*, FC_MOUNT_*, FC_RESP_* */
export async function writeThere({ api, view, request }: There): Promise<ApiReply> {
  const { fields, body } = request
  const query = readQuery(request.query, WRITE_NAMES)
  const key = checkKey(request.params['key'])
  const type = readType(fields)
  const refuse: Refuse = (name, reason) =>
    query.has(name) ? refuseQuery(name, reason) : refuseField('forecache-on-error', reason)
  const wish = checkWish(readWish(query, fields, api.settings), refuse)
  const condition = conditionOf({ ifMatch: fields.get('if-match'), ifNoneMatch: fields.get('if-none-match') })
  const { content, stood } = await view.put(key, { type, body, ...wish }, condition)
  api.forms.of(content)
  const token = api.contents.engine.token()
  const { etag } = content.identity
  const told = { token, etag, bytes: body.byteLength, created: !stood, ...wish }
  return jsonAnswer(stood ? 200 : 201, told, { etag, 'forecache-token': token })
}

/** DELETE. @throws FC_CACHE_KEY, FC_CACHE_CONDITION, FC_API_*, FC_MOUNT_*, FC_RESP_* */
export async function deleteThere({ api, view, request }: There): Promise<ApiReply> {
  const { fields } = request
  readQuery(request.query, ['namespace'])
  const condition = conditionOf({ ifMatch: fields.get('if-match'), ifNoneMatch: fields.get('if-none-match') })
  const deleted = await view.erase(checkKey(request.params['key']), condition)
  const token = api.contents.engine.token()
  return jsonAnswer(200, { token, deleted, nodes: ALONE }, { 'forecache-token': token })
}

/** An answer with what stands, counted as a hit. */
export function answerOf(
  api: CacheApi,
  standing: MountStanding,
  wish: { readonly ifNoneMatch?: string | undefined; readonly acceptEncoding?: string | undefined },
): ContentAnswer | 'coding' {
  const { contents, forms } = api
  const content = forms.of(standing.content)
  const form = contents.choices.choose(content, wish.acceptEncoding)
  if (form === undefined) return 'coding'
  const matched = wish.ifNoneMatch === undefined ? undefined : matchedTag(content, form, wish.ifNoneMatch)
  const { stale, ageMs, leftMs } = standing
  contents.engine.meter.count(stale ? COUNTER.staleServes : COUNTER.hits, contents.route)
  return {
    ...{ form, content, ageMs, leftMs },
    status: matched === undefined ? 200 : 304,
    cache: stale ? 'STALE' : 'HIT',
    etag: matched ?? form.etag,
  }
}

/** What a Redis can keep of a wish. @throws what `refuse` makes */
export function checkWish(wish: Wish, refuse: Refuse): Wish {
  const { staleMs, onErrorMs } = wish.budget
  if (onErrorMs <= staleMs) return wish
  throw refuse('onError', 'values that stand in Redis end with their stale window')
}

/** @returns undefined where there is no condition: then nothing has to be judged */
export function conditionOf(given: Condition): MountCondition | undefined {
  if (given.ifMatch === undefined && given.ifNoneMatch === undefined) return undefined
  return (standing) => {
    const failed = failedCondition(given, standing !== undefined, () => standing)
    if (failed !== undefined) throw new ForecacheError('FC_CACHE_CONDITION', { name: failed })
  }
}

/** Others hear of it from Redis. */
const ALONE = { expected: 1, acknowledged: 1 }
