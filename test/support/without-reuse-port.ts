/**
 * Preloaded into a process (`node --import`), takes SO_REUSEPORT away from it, as on a system that does not have it.
 */
import { Server } from 'node:net'

const { listen } = Server.prototype

Server.prototype.listen = function refuse(this: Server, ...given: unknown[]): Server {
  const [options] = given
  if (typeof options !== 'object' || options === null || !('reusePort' in options) || options.reusePort !== true)
    return Reflect.apply(listen, this, given) as Server
  const error = Object.assign(new Error('listen ENOTSUP'), { code: 'ENOTSUP', syscall: 'listen' })
  process.nextTick(() => this.emit('error', error))
  return this
} as typeof listen
