/**
 * `forecache/fetch`: around a handler of the Fetch API, `Request` in, `Response` out.
 *
 * Floor 6, room entry. `export default { fetch: forecache({ budget: '30s' })(handler) }`. Further arguments (environment,
 * context) are handed through. A stale answer is refreshed by running the handler again behind it.
 */
import { createMount, type Mounted, type MiddlewareOptions } from '../http/middleware.ts'
import { attendWeb } from '../http/web.ts'

export type { MiddlewareOptions } from '../http/middleware.ts'

/** A fetch handler. */
export type FetchHandler<Rest extends readonly unknown[] = readonly []> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>
/** Puts the cache before a handler. */
export type FetchWrap = (<Rest extends readonly unknown[]>(
  handler: FetchHandler<Rest>,
) => (request: Request, ...rest: Rest) => Promise<Response>) &
  Mounted

/** @throws FC_OPTION_* naming the first bad option */
export function forecache(options: MiddlewareOptions = {}): FetchWrap {
  const mount = createMount(options)
  const wrap =
    <Rest extends readonly unknown[]>(handler: FetchHandler<Rest>) =>
    (request: Request, ...rest: Rest): Promise<Response> => {
      const run = async (asked: Request): Promise<Response> => handler(asked, ...rest)
      return attendWeb(mount, { request, run, again: run })
    }
  return Object.assign(wrap, { cache: mount.cache, close: () => mount.close() })
}
