/**
 * `forecache/koa`: a middleware for Koa 3.
 *
 * Floor 6, room entry. `app.use(forecache({ budget: '30s' }))`. Answers become `ctx.status`, `ctx.body` and headers, so that
 * middleware before it (compression, logging) sees them as usual; only stale answers are written at once.
 */
import type { Context, Middleware } from 'koa'
import { attend } from '../http/attend.ts'
import { createMount, type Mounted, type MiddlewareOptions } from '../http/middleware.ts'
import { giveReply, takeBody } from '../http/koa-body.ts'

export type { MiddlewareOptions } from '../http/middleware.ts'

/** A Koa middleware with its cache. */
export type ForecacheMiddleware = Middleware & Mounted

/** @throws FC_OPTION_* naming the first bad option */
export function forecache(options: MiddlewareOptions = {}): ForecacheMiddleware {
  const mount = createMount(options)
  const middleware = (ctx: Context, next: () => Promise<void>): Promise<void> => {
    let written = false
    return attend(mount, {
      req: ctx.req,
      res: ctx.res,
      target: ctx.originalUrl,
      scheme: ctx.protocol,
      authority: ctx.host,
      next,
      collect: (capture) => {
        if (!capture.committed && (written || ctx.respond !== false)) capture.hand(takeBody(ctx, mount.engine.clock))
      },
      onWrite: () => {
        ctx.respond = false
        written = true
      },
      give: (reply) => giveReply(ctx, reply),
      isAnswer,
    })
  }
  return Object.assign(middleware, { cache: mount.cache, close: () => mount.close() })
}

/** `ctx.throw(404)` is an answer that Koa writes; a 5xx, or an error without status, is a failure. */
function isAnswer(error: unknown): boolean {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status < 500
}
