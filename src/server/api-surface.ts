/**
 * Everything that an api port offers, over one cache: native cache API, administration, health, and the document about them.
 *
 * Floor 5, room server.
 */
import type { Cache } from '../flow/cache.ts'
import type { Contents } from '../flow/contents.ts'
import type { Engine } from '../flow/engine.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { ACCOUNT } from '../model/ledger.ts'
import { Press } from '../wire/press.ts'
import { type CacheApiOptions, createCacheApi, encodeIn } from './cache-api.ts'
import { createOpenApi } from './openapi.ts'
import { readVersion } from './version.ts'

/** See the module's header. */
export interface ApiSurface {
  readonly endpoints: readonly Endpoint[]
  /** Values of the native cache API, for whoever reads them without an endpoint. */
  readonly contents: Contents
}

const MIN_PRESS_BYTES = 4 * 1024 * 1024
const MAX_PRESS_BYTES = 32 * 1024 * 1024

/** @param others endpoints beside the native cache API: administration, health */
export function createApiSurface(
  cache: Cache,
  config: { readonly cacheApi: CacheApiOptions },
  others: readonly Endpoint[],
): ApiSurface {
  const { contents, endpoints } = createCacheApi(cache, config.cacheApi, encodeIn(createPress(cache.engine)))
  const all = [...endpoints, ...others]
  return { endpoints: [...all, createOpenApi(all, readVersion())], contents }
}

/** One value at a time, a quarter of a processor in the long run: threads and cores have other work too. */
function createPress({ memory, ledger, clock }: Engine): Press {
  return new Press({
    pace: { clock, share: 0.25, burstMs: 5000 },
    concurrency: 1,
    maxBytes: Math.min(MAX_PRESS_BYTES, Math.max(MIN_PRESS_BYTES, memory.maxBytes / 8)),
    onCharge: (bytes) => ledger.charge(ACCOUNT.coding, bytes),
  })
}
