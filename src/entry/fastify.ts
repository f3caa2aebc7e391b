/**
 * `forecache/fastify`: a plugin for Fastify 5.
 *
 * Floor 6, room entry. `app.register(forecache({ budget: '30s' }))`; it is about the instance it is registered on and
 * what is registered inside. Answers as early as `onRequest`; what handlers send is taken behind `onSend`, so that what is
 * stored is what the client got.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyPluginCallback } from 'fastify'
import { attend } from '../http/attend.ts'
import { createMount, type Mounted, type MiddlewareOptions } from '../http/middleware.ts'

export type { MiddlewareOptions } from '../http/middleware.ts'

/** A Fastify plugin with its cache. */
export type ForecachePlugin = FastifyPluginCallback & Mounted

/** @throws FC_OPTION_* naming the first bad option */
export function forecache(options: MiddlewareOptions = {}): ForecachePlugin {
  const mount = createMount(options)
  const plugin: FastifyPluginCallback = (instance, _, ready) => {
    // The hook ends when the handler is to run: never, for an answer from memory.
    instance.addHook(
      'onRequest',
      (request, reply) =>
        new Promise<void>((resolve, reject) => {
          const { raw: req, originalUrl: target, protocol: scheme, host: authority } = request
          const outer = reply.getHeaders() as OutgoingHttpHeaders
          attend(mount, { req, res: reply.raw, target, scheme, authority, outer, next: () => resolve() }).catch(reject)
        }),
    )
    instance.addHook('onClose', () => mount.close())
    ready()
  }
  // As fastify-plugin does: the hooks are the surrounding instance's own.
  return Object.assign(plugin, {
    cache: mount.cache,
    close: () => mount.close(),
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'forecache',
  })
}
