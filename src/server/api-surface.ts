/**
 * Everything that an api port offers, over one cache: native cache API, administration, health, and the document about them.
 *
 * Floor 5, room server.
 */
import type { Cache } from '../flow/cache.ts'
import type { Contents } from '../flow/contents.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { Press } from '../wire/press.ts'
import { createCacheApi, encodeIn } from './cache-api.ts'
import type { Config } from './config-schema.ts'
import { createOpenApi } from './openapi.ts'
import { readVersion } from './version.ts'

/** See the module's header. */
export interface ApiSurface {
  readonly endpoints: readonly Endpoint[]
  /** Values of the native cache API, for whoever reads them without an endpoint. */
  readonly contents: Contents
}

/** Codings are made one value at a time: the threads have other work too. */
const PRESS = { concurrency: 1, maxBytes: 64 * 1024 * 1024 }

/** @param others endpoints beside the native cache API: administration, health */
export function createApiSurface(cache: Cache, config: Pick<Config, 'cacheApi'>, others: readonly Endpoint[]): ApiSurface {
  const { contents, endpoints } = createCacheApi(cache, config.cacheApi, encodeIn(new Press(PRESS)))
  const all = [...endpoints, ...others]
  return { endpoints: [...all, createOpenApi(all, readVersion())], contents }
}
