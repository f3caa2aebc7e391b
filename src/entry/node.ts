/**
 * `forecache/node`: around a request listener of `node:http`.
 *
 * Floor 6, room entry. `createServer(forecache({ budget: '30s' })(listener))`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { attend } from '../http/attend.ts'
import { createMount, type Mounted, type MiddlewareOptions } from '../http/middleware.ts'

export type { MiddlewareOptions } from '../http/middleware.ts'

/** A request listener; a promise it returns is waited for. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown
/** Puts the cache before a listener. */
export type ListenerWrap = ((listener: Listener) => (req: IncomingMessage, res: ServerResponse) => Promise<void>) & Mounted

/** @throws FC_OPTION_* naming the first bad option */
export function forecache(options: MiddlewareOptions = {}): ListenerWrap {
  const mount = createMount(options)
  const wrap =
    (listener: Listener) =>
    (req: IncomingMessage, res: ServerResponse): Promise<void> =>
      attend(mount, { req, res, next: () => listener(req, res) })
  return Object.assign(wrap, { cache: mount.cache, close: () => mount.close() })
}
