/**
 * `/cache/:key` in the namespace of the Redis door: one value, whichever door it is read or written through.
 *
 * Floor 5, room server. The values are the door's: strings of its database 0. What Redis cannot say of a value (tags, stale
 * windows, a content type) is refused, or answered as bytes.
 */
import { hash } from 'node:crypto'
import { BYTES_TYPE } from '../flow/content.ts'
import type { ApiReply, ApiRequest } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import type { KeyspacePort } from '../resp/executor.ts'
import { matchesWeakly, parseTagList } from '../rules/entity-tag.ts'
import { checkKey, jsonAnswer } from './cache-settings.ts'
import { readNamespace, readQuery, readWish, refuseQuery, type WishSettings, WRITE_NAMES } from './cache-wish.ts'

/** The door's namespace and its values. */
export interface DoorSpace {
  readonly namespace: string
  readonly values: KeyspacePort
}

type Handle = (request: ApiRequest) => ApiReply | Promise<ApiReply>

/** Whether a request names the door's namespace. @throws FC_API_QUERY, FC_API_FIELD */
export function namesDoor(door: DoorSpace | undefined, { query, fields }: ApiRequest): boolean {
  if (door === undefined) return false
  const asked = query.get('namespace')
  return readNamespace(new Map(asked === null ? [] : [['namespace', asked]]), fields) === door.namespace
}

/** The handler for all namespaces but the door's, and its own for that. */
export function besideDoor(
  door: DoorSpace | undefined,
  own: (door: DoorSpace, request: ApiRequest) => Promise<ApiReply>,
  others: Handle,
): Handle {
  return (request) => (door !== undefined && namesDoor(door, request) ? own(door, request) : others(request))
}

/** GET and HEAD. @throws FC_CACHE_KEY, FC_CACHE_ABSENT, FC_RESP_* */
export async function readThere({ values }: DoorSpace, request: ApiRequest): Promise<ApiReply> {
  readQuery(request.query, ['namespace'])
  const found = await values.get(checkKey(request.params['key']))
  if (found === undefined) throw new ForecacheError('FC_CACHE_ABSENT')
  const etag = tagOf(found.value)
  const fields = { etag, 'cache-control': 'private, no-cache', 'x-cache': 'HIT', ...SAFE }
  const given = request.fields.get('if-none-match')
  const isKnown = given !== undefined && parseTagList(given).some((one) => one === '*' || matchesWeakly(one, etag))
  return isKnown ? { status: 304, fields } : { status: 200, fields: { ...fields, 'content-type': BYTES_TYPE }, body: found.value }
}

/** PUT and POST. @throws FC_CACHE_KEY, FC_API_*, FC_RESP_* */
export async function writeThere({ values }: DoorSpace, request: ApiRequest, settings: WishSettings): Promise<ApiReply> {
  const query = readQuery(request.query, WRITE_NAMES)
  const key = checkKey(request.params['key'])
  refuseConditions(request)
  const { budget, tags } = readWish(query, request.fields, settings)
  if (tags.length > 0) throw refuseQuery('tags', 'the values of the Redis door have none')
  if (budget.staleMs > budget.freshMs) throw refuseQuery('stale', 'the values of the Redis door have a time to live alone')
  await values.set(key, request.body, budget.freshMs)
  const etag = tagOf(request.body)
  return jsonAnswer(200, { etag, bytes: request.body.byteLength, budget }, { etag })
}

/** DELETE. @throws FC_CACHE_KEY, FC_API_*, FC_RESP_* */
export async function deleteThere({ values }: DoorSpace, request: ApiRequest): Promise<ApiReply> {
  readQuery(request.query, ['namespace'])
  refuseConditions(request)
  return jsonAnswer(200, { deleted: await values.delete(checkKey(request.params['key'])) }, {})
}

/** Between a look and a write others come: Redis has no such condition. */
function refuseConditions({ fields }: ApiRequest): void {
  for (const name of ['if-match', 'if-none-match'])
    if (fields.has(name)) throw new ForecacheError('FC_API_FIELD', { name, reason: 'not for the values of the Redis door' })
}

function tagOf(value: Uint8Array): string {
  return `"${hash('sha256', value, 'base64url').slice(0, 22)}"`
}

/** What a value is must not be guessed, and a page among the values must not act in this origin's name. */
const SAFE = { 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox" }
