/**
 * Connections to an origin whose errors we hear before undici does.
 *
 * Floor 5, room server. System errors get to carry how many bytes the socket had brought, as undici's own do, so that a
 * stale connection can be told from a broken one; and a reset is known as one while undici still ends what it ends.
 */
import { buildConnector } from 'undici'
import type { OriginTls } from './origin-tls.ts'

/** Where connections lead. */
export interface ConnectorOptions {
  readonly connectMs: number
  readonly tls: OriginTls
}

/** @param onReset told `true` when a connection breaks, `false` when everything that ends by it has ended */
export function watchedConnector(options: ConnectorOptions, onReset: (resetting: boolean) => void): buildConnector.connector {
  const connect = buildConnector({ ...options.tls.more, timeout: options.connectMs, allowH2: false, autoSelectFamily: true })
  const { servername } = options.tls
  return (target, callback) =>
    connect({ ...target, servername }, (...result) => {
      const [error, socket] = result
      if (error === null) {
        socket?.prependListener('error', (failure: Error) => {
          if (!('socket' in failure)) Object.assign(failure, { socket: { bytesRead: socket.bytesRead } })
          onReset(true)
          queueMicrotask(() => onReset(false))
        })
      }
      callback(...result)
    })
}
