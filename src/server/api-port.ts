/**
 * The api port of an instance as its configuration wants it, over the cache of this process.
 *
 * Floor 5, room server. The same for a gateway in one process and for the supervisor of several.
 */
import type { Cache } from '../flow/cache.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { Logger } from '../model/port.ts'
import { type ApiServer, createApi } from './api.ts'
import { createApiSurface } from './api-surface.ts'
import type { Config } from './config-schema.ts'

/** What an api port is over. */
export interface ApiPortParts {
  readonly cache: Cache
  readonly logger: Logger
  /** Administration and health. */
  readonly endpoints: readonly Endpoint[]
}

/** @throws FC_OPTION_VALUE for a malformed key, FC_TLS_* for certificates */
export function createApiPort(config: Config, { cache, logger, endpoints }: ApiPortParts): ApiServer {
  const surface = createApiSurface(cache, config, endpoints)
  const { clock, ledger } = cache.engine
  const { keys, insecure, tls } = config.api
  const contents = config.lane ? surface.contents : undefined
  return createApi({ endpoints: surface.endpoints, contents, ledger, keys, insecure, tls, clock, logger })
}
