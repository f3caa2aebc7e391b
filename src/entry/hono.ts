/**
 * `forecache/hono`: a middleware for Hono 4.
 *
 * Floor 6, room entry. `app.use(forecache({ budget: '30s' }))`. Hono runs a request's handlers once, so the first request
 * that finds a stale answer waits for them; give `refresh: (request, env) => app.fetch(request, env)` and nobody waits.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { attendOnce, createMount, type Mounted, type MiddlewareOptions } from '../http/middleware.ts'
import { attendWeb } from '../http/web.ts'

export type { MiddlewareOptions } from '../http/middleware.ts'

/** Options of the Hono middleware. */
export interface HonoOptions extends MiddlewareOptions {
  /** Runs the application again for a refresh behind a stale answer. */
  readonly refresh?: (request: Request, env: unknown) => Response | Promise<Response>
}

/** A Hono middleware with its cache. */
export type ForecacheMiddleware = MiddlewareHandler & Mounted

/** @throws FC_OPTION_* naming the first bad option */
export function forecache({ refresh, ...options }: HonoOptions = {}): ForecacheMiddleware {
  const mount = createMount(options)
  const middleware: MiddlewareHandler = async (c, next) => {
    const again =
      refresh === undefined
        ? undefined
        : async (request: Request): Promise<Response> => {
            const repeated = new Request(request)
            attendOnce(repeated)
            return refresh(repeated, c.env)
          }
    const response = await attendWeb(mount, { request: c.req.raw, again, run: (request) => handle(c, request, next) })
    if (c.finalized) {
      if (c.res === response) return
      c.res = undefined // Hono would put the handler's fields over ours
    } else void c.res // fields that were set before us come over the stored ones
    c.res = response
  }
  return Object.assign(middleware, { cache: mount.cache, close: () => mount.close() })
}

/** Runs the handlers behind us on the request as the door asks it. */
async function handle(c: Context, request: Request, next: () => Promise<void>): Promise<Response> {
  const own = c.req.raw
  c.req.raw = request
  try {
    await next()
  } finally {
    c.req.raw = own
  }
  return c.res
}
