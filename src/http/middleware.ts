/**
 * What every middleware shares: its options, its cache and its door.
 *
 * Floor 4, room http. A middleware is the HTTP door with the application's own handler for an origin. It is either about
 * everything that passes it (one policy, given flat) or about routes; both follow RFC 9111 and what handlers say in their
 * Cache-Control, and a declared budget speaks where they say nothing.
 */
import { z } from 'zod'
import { type Cache, createCache } from '../flow/cache.ts'
import type { CacheOptions } from '../flow/options.ts'
import type { Engine } from '../flow/engine.ts'
import { parseOptions } from '../model/option.ts'
import { createHttpDoor, type HttpDoor } from './door.ts'
import { ROUTE_POLICY, ROUTES, type RoutesInput } from './policy.ts'

const PATH = z.string().startsWith('/')

/** The schema of a middleware's options. */
export const MIDDLEWARE_OPTIONS = ROUTE_POLICY.omit({ match: true, name: true, prefetch: true })
  .partial()
  .extend({
    cache: z
      .custom<Cache | CacheOptions>((given) => typeof given === 'object' && given !== null)
      .optional()
      .meta({ description: 'A cache to share, or options of one of its own.' }),
    routes: ROUTES.optional().meta({
      description: 'Policies by path; a request that none matches has the flat one, or RFC 9111 alone.',
    }),
    name: z
      .string()
      .regex(/^[\w.:/-]{1,64}$/)
      .default('middleware')
      .meta({ description: 'Name of the flat policy in metrics.' }),
    path: PATH.default('/*').meta({
      description: 'Pattern of the flat policy, as the client sees the path; names parameters for tags.',
    }),
    methods: z.array(z.string()).optional().meta({ description: 'Methods of the flat policy.', shown: 'GET, HEAD' }),
    profile: z.enum(['safe', 'conformance']).default('safe').meta({ description: 'Profile of the HTTP door.' }),
  })

/** Options of a middleware as users write them. */
export type MiddlewareOptions = Omit<z.input<typeof MIDDLEWARE_OPTIONS>, 'routes'> & { readonly routes?: RoutesInput | undefined }

/** A middleware's inside. */
export interface Mount {
  readonly cache: Cache
  readonly engine: Engine
  readonly door: HttpDoor
  /** A caller waits so long for another's handler, then runs its own, ms. */
  readonly patienceMs: number
  /** Takes the middleware's routes out of URL invalidation; closes the cache if it is the middleware's own. */
  close(): Promise<void>
}

/** What every framework's middleware offers beside being one. */
export interface Mounted {
  readonly cache: Cache
  close(): Promise<void>
}

const POLICY_NAMES = [
  'budget',
  'context',
  'key',
  'tags',
  'limits',
  'strict',
  'readYourWrites',
  'blind',
  'staleWithSMaxage',
  'compress',
  'refreshAhead',
  'finish',
] as const

/** @throws FC_OPTION_* naming the first bad option */
export function createMount(given: MiddlewareOptions = {}): Mount {
  const options = parseOptions(MIDDLEWARE_OPTIONS, given, 'forecache')
  const own = !isCache(options.cache)
  const cache = isCache(options.cache) ? options.cache : createCache(options.cache ?? {})
  const { engine } = cache
  // As written: the door checks and resolves them itself.
  const routes: RoutesInput = [...(given.routes ?? [])]
  const flat = Object.fromEntries(POLICY_NAMES.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]))
  if (Object.keys(flat).length > 0) {
    routes.push({
      ...flat,
      name: options.name,
      match: { path: options.path, ...(options.methods === undefined ? {} : { methods: options.methods }) },
    })
  }
  const door = createHttpDoor({ engine, profile: options.profile, routes })
  return {
    cache,
    engine,
    door,
    patienceMs: engine.settings.deadlines.hard,
    async close() {
      door.close()
      if (own) await cache.close()
    },
  }
}

function isCache(given: unknown): given is Cache {
  return typeof given === 'object' && given !== null && 'engine' in given && 'fetch' in given
}

/** Requests that some middleware attends to already, in this process: registered twice, it caches once. */
const attended = new WeakSet<object>()

/** @returns false when the request is attended to already: the middleware steps aside */
export function attendOnce(request: object): boolean {
  if (attended.has(request)) return false
  attended.add(request)
  return true
}
