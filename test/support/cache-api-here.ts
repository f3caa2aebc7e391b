/**
 * An api port with the native cache API in the test's own process, over a clock that moves when it is told to.
 */
import { request } from 'undici'
import { onTestFinished } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { CacheOptions } from '../../src/flow/options.ts'
import { systemClock } from '../../src/model/clock.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import { SILENT } from '../../src/model/port.ts'
import { createVirtualClock, type VirtualClock } from '../../src/model/virtual-clock.ts'
import { type ApiOptions, createApi } from '../../src/server/api.ts'
import { type ApiSurface, createApiSurface } from '../../src/server/api-surface.ts'
import type { CacheApiOptions } from '../../src/server/cache-api.ts'

/** What listens. */
export interface CacheApiHere {
  readonly port: number
  readonly cache: Cache
  /** Of the cache; the server's own clock is the system's. */
  readonly clock: VirtualClock
  readonly surface: ApiSurface
  /** One request by `fetch`; the content as bytes. */
  ask(method: string, target: string, wish?: Asked): Promise<Told>
}

/** What goes with a request. */
export interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** An answer. */
export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly text: string
  /** Parsed at each look; whatever members it has. */
  readonly json: ToldJson
}

/** What tests read of all answers. */
export interface ToldJson {
  readonly token: string
  readonly etag: string
  readonly created: boolean
  readonly deleted: boolean
  readonly budget: object
  readonly tags: readonly string[]
  readonly error: { readonly code: string }
  readonly delete: readonly ToldItem[]
  readonly set: readonly ToldItem[]
  readonly get: readonly ToldItem[]
}

/** An item of a batch's answer. */
export interface ToldItem {
  readonly key: string
  readonly status: number
  readonly error?: { readonly code: string }
  readonly json?: unknown
  readonly text?: string
}

/** What a test may set. */
export interface CacheApiWish {
  readonly cache?: CacheOptions
  readonly settings?: Partial<CacheApiOptions>
  readonly others?: readonly Endpoint[]
  readonly api?: Partial<ApiOptions>
  /** Whether reads are answered in the lane; default false. */
  readonly lane?: boolean
}

/** Defaults of the configuration. */
export const CACHE_API_DEFAULTS: CacheApiOptions = {
  maxValue: 1024 * 1024,
  ttl: 60_000,
  maxTtl: 30 * 86_400_000,
  maxBatch: 16 * 1024 * 1024,
  maxKeys: 1000,
  namespaces: 1000,
}

/** Starts one for this test and closes it behind it. */
export async function cacheApiHere(wish: CacheApiWish = {}): Promise<CacheApiHere> {
  const clock = createVirtualClock()
  const cache = createCache({ clock, ...wish.cache })
  const surface = createApiSurface(cache, { cacheApi: { ...CACHE_API_DEFAULTS, ...wish.settings } }, wish.others ?? [])
  const server = createApi({
    endpoints: surface.endpoints,
    contents: wish.lane === true ? surface.contents : undefined,
    ledger: cache.engine.ledger,
    keys: [],
    insecure: false,
    clock: systemClock(),
    logger: SILENT,
    ...wish.api,
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(async () => {
    await server.close(0)
    await cache.close()
  })
  return { port, cache, clock, surface, ask: (method, target, asked) => ask(port, { method, target, ...asked }) }
}

async function ask(
  port: number,
  { method, target, headers, body }: Asked & { readonly method: string; readonly target: string },
): Promise<Told> {
  const answer = await request(`http://127.0.0.1:${port}${target}`, {
    method: method as 'GET',
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  const text = bytes.toString()
  const given = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) given.set(name, String(value))
  return {
    status: answer.statusCode,
    headers: given,
    bytes,
    text,
    get json() {
      return JSON.parse(text) as ToldJson
    },
  }
}
