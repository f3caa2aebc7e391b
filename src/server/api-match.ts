/**
 * Which endpoint of the `api` port a request names, and whether its sender may.
 *
 * Floor 5, room server.
 */
import type FindMyWay from 'find-my-way'
import type { Endpoint } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import type { Intake } from './intake.ts'
import { givenKey, type Keyring } from './keyring.ts'

/** Endpoints, and who may use them. */
export interface ApiRoutes {
  readonly router: FindMyWay.Instance<FindMyWay.HTTPVersion.V1>
  readonly methods: readonly string[]
  /** Without keys, Host must be this machine's own name or an address: a web page cannot be that (DNS rebinding). */
  readonly localNamesOnly: boolean
  /** Where contents are charged while they are read. */
  readonly intake: Intake
  keys(): Keyring
}

/** What matched. */
export interface ApiMatch {
  readonly endpoint: Endpoint
  readonly params: Readonly<Record<string, string>>
  readonly path: string
  readonly query: URLSearchParams
}

/** @throws FC_API_ROUTE, FC_API_METHOD naming what is allowed, FC_REQUEST_BAD for a path that cannot be decoded */
export function matchEndpoint(routes: ApiRoutes, head: RequestHead): ApiMatch {
  const at = head.target.indexOf('?')
  const path = at < 0 ? head.target : head.target.slice(0, at)
  const method = head.method === 'HEAD' ? 'GET' : head.method
  const found = routes.router.find(method as FindMyWay.HTTPMethod, path)
  if (found !== null) {
    const params: Record<string, string> = {}
    for (const [name, value] of Object.entries(found.params)) if (value !== undefined) params[name] = value
    return {
      endpoint: found.store as Endpoint,
      params,
      path,
      query: new URLSearchParams(at < 0 ? '' : head.target.slice(at + 1)),
    }
  }
  const allow = routes.methods.filter((one) => routes.router.find(one as FindMyWay.HTTPMethod, path) !== null)
  if (allow.includes('GET')) allow.push('HEAD')
  const detail = { method: head.method, path }
  if (allow.length === 0 && !isDecodable(path))
    throw new ForecacheError('FC_REQUEST_BAD', { reason: 'the path is not UTF-8, percent-encoded' })
  if (allow.length === 0) throw new ForecacheError('FC_API_ROUTE', detail)
  throw new ForecacheError('FC_API_METHOD', { ...detail, allow: allow.join(', ') })
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/**
 * With keys: one of them is needed. Without: no web page of another site may ask, nor one under a name that was rebound.
 *
 * @throws FC_API_KEY, FC_API_FOREIGN
 */
export function checkCaller(routes: ApiRoutes, head: RequestHead): void {
  const keys = routes.keys()
  if (keys.size > 0) {
    if (!keys.admits(givenKey(head.fields))) throw new ForecacheError('FC_API_KEY')
    return
  }
  const origin = head.fields.first('origin')
  const foreign = origin !== undefined && origin.toLowerCase() !== `${head.scheme}://${head.authority}`
  const site = head.fields.first('sec-fetch-site')
  const crossing = site !== undefined && site !== 'same-origin' && site !== 'none'
  const name = head.authority.replace(/:\d+$/, '')
  const local = name === 'localhost' || /^[\d.]+$/.test(name) || name.startsWith('[')
  if (foreign || crossing || (routes.localNamesOnly && !local)) throw new ForecacheError('FC_API_FOREIGN')
}
