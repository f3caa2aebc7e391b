/**
 * What the native cache API is given, and how a request of it is read: key, namespace, type, conditions.
 *
 * Floor 5, room server.
 */
import type { Contents } from '../flow/contents.ts'
import type { Mounts } from '../flow/mounts.ts'
import { BYTES_TYPE } from '../flow/content.ts'
import type { ApiReply, ApiRequest } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Fields } from '../model/fields.ts'
import { parseCacheControl } from '../rules/cache-control.ts'
import type { MountForms } from './cache-forms.ts'
import { type Refuse, refuseField, type WishSettings } from './cache-wish.ts'

/** Limits and defaults of the native cache API; ms and bytes. */
export interface CacheApiSettings extends WishSettings {
  readonly maxValue: number
  readonly maxBatch: number
  readonly maxKeys: number
}

/** What its endpoints work on. */
export interface CacheApi {
  readonly contents: Contents
  readonly settings: CacheApiSettings
  /** Where the values of a namespace stand, if not in this cache. */
  readonly mounts: Mounts
  readonly forms: MountForms
}

/** Longest key, characters: as for the library. */
export const MAX_KEY_CHARS = 16_384
const TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[\t\x20-\x7e]*)?$/
const MAX_TYPE_CHARS = 256

/** @throws FC_CACHE_KEY */
export function checkKey(key: unknown): string {
  if (typeof key !== 'string' || key === '') throw refuseKey('expected a non-empty text')
  if (key.length > MAX_KEY_CHARS) throw refuseKey(`at most ${MAX_KEY_CHARS} characters, given ${key.length}`)
  if (!key.isWellFormed()) throw refuseKey('it holds half a surrogate pair')
  return key
}

/** @throws FC_API_FIELD, FC_API_CODING */
export function readType(fields: Fields): string {
  const coding = fields.get('content-encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'identity') throw new ForecacheError('FC_API_CODING', { given: coding })
  const given = fields.first('content-type')
  return given === undefined ? BYTES_TYPE : parseType(given, () => refuseField('content-type', TYPE_TEXT))
}

/** @throws what `refuse` makes */
export function parseType(given: string, refuse: Refuse): string {
  if (given.length <= MAX_TYPE_CHARS && TYPE.test(given)) return given
  throw refuse('type', TYPE_TEXT)
}

/** How far past its stale window a reader takes a value: Cache-Control: max-stale; ms. */
export function readMaxStale(request: ApiRequest): number {
  const control = request.fields.get('cache-control')
  if (control === undefined || !control.toLowerCase().includes('max-stale')) return 0
  return (parseCacheControl(control).maxStale ?? 0) * 1000
}

/** JSON about a value, with fields of its own. */
export function jsonAnswer(status: number, value: unknown, fields: Readonly<Record<string, string>>): ApiReply {
  return {
    status,
    fields: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...fields },
    body: `${JSON.stringify(value)}\n`,
  }
}

const TYPE_TEXT = `expected a media type such as application/json, at most ${MAX_TYPE_CHARS} characters`

function refuseKey(reason: string): ForecacheError {
  return new ForecacheError('FC_CACHE_KEY', { reason })
}
