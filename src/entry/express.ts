/**
 * `forecache/express`: a middleware for Express 5.
 *
 * Floor 6, room entry. `app.use(forecache({ budget: '30s' }))`, or before one route's handler. What `trust proxy` makes of
 * scheme and host is part of the key.
 */
import type { RequestHandler } from 'express'
import { attend } from '../http/attend.ts'
import { createMount, type Mounted, type MiddlewareOptions } from '../http/middleware.ts'

export type { MiddlewareOptions } from '../http/middleware.ts'

/** An Express middleware with its cache. */
export type ForecacheHandler = RequestHandler & Mounted

/** @throws FC_OPTION_* naming the first bad option */
export function forecache(options: MiddlewareOptions = {}): ForecacheHandler {
  const mount = createMount(options)
  const handler: RequestHandler = (req, res, next) => {
    const { originalUrl: target, protocol: scheme, host: authority } = req
    return attend(mount, { req, res, target, scheme, authority, next: () => next() })
  }
  return Object.assign(handler, { cache: mount.cache, close: () => mount.close() })
}
