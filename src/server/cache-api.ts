/**
 * The native cache API: `/cache/:key` and `POST /cache`, for any language over HTTP.
 *
 * Floor 5, room server. Entries are the library's: what is written here `cache.get` reads, and the other way round.
 */
import type { Cache } from '../flow/cache.ts'
import { Contents, type Encode } from '../flow/contents.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { encodeAll } from '../wire/compress.ts'
import type { Press } from '../wire/press.ts'
import { runBatch } from './cache-batch.ts'
import { deleteThere, readThere, whereItStands, writeThere } from './cache-there.ts'
import { MountForms } from './cache-forms.ts'
import { deleteItem, readItemSurely, writeItem } from './cache-item.ts'
import type { CacheApi, CacheApiSettings } from './cache-settings.ts'
import { BATCH_TEXT, DELETE_TEXT, POST_TEXT, READ_TEXT, WRITE_TEXT } from './cache-texts.ts'

/** Name of the route that reads and writes are counted under. */
export const CACHE_API_ROUTE = 'cache-api'

/** Options of the native cache API. */
export interface CacheApiOptions extends CacheApiSettings {
  /** Namespaces in use before a request may name no further one. */
  readonly namespaces: number
}

/** What a gateway mounts, and what its lane reads from. */
export interface CacheApiParts {
  readonly contents: Contents
  readonly endpoints: readonly Endpoint[]
}

/** The endpoints over a cache. */
export function createCacheApi(cache: Cache, options: CacheApiOptions, encode: Encode): CacheApiParts {
  const contents = new Contents({ cache, encode, route: CACHE_API_ROUTE, maxNamespaces: options.namespaces })
  const api: CacheApi = { contents, settings: options, mounts: cache.mounts, forms: new MountForms(encode, cache.engine) }
  const read = whereItStands(api, readThere, (request) => readItemSurely(api, request))
  const write = whereItStands(api, writeThere, (request) => writeItem(api, request))
  const erase = whereItStands(api, deleteThere, (request) => deleteItem(api, request))
  const path = '/cache/:key'
  const maxBodyBytes = options.maxValue
  return {
    contents,
    endpoints: [
      { method: 'GET', path, about: READ_TEXT, handle: read },
      { method: 'PUT', path, maxBodyBytes, about: WRITE_TEXT, handle: write },
      { method: 'POST', path, maxBodyBytes, about: POST_TEXT, handle: write },
      { method: 'DELETE', path, about: DELETE_TEXT, handle: erase },
      {
        method: 'POST',
        path: '/cache',
        maxBodyBytes: options.maxBatch,
        about: BATCH_TEXT,
        handle: (request) => runBatch(api, request),
      },
    ],
  }
}

/** Codings of contents, made in a bounded place: who finds it full goes without. */
export function encodeIn(press: Press): Encode {
  return async (body, type) => {
    try {
      return (await press.take(body.byteLength, () => encodeAll(body, type))) ?? NONE
    } catch {
      return NONE // no memory for it: the value stands as it is
    }
  }
}

const NONE: ReadonlyMap<string, Uint8Array> = new Map()
