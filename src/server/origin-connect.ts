/**
 * Connections to an origin whose errors we hear before undici does.
 *
 * Floor 5, room server. System errors get to carry how many bytes the socket had brought, as undici's own do, so that a
 * stale connection can be told from a broken one; and a reset is known as one while undici still ends what it ends.
 */
import { isIP } from 'node:net'
import { buildConnector } from 'undici'

/** Where connections lead. */
export interface ConnectorOptions {
  readonly connectMs: number
  /** Host of the origin's URL: the name in TLS, unless it is an address (RFC 6066 section 3). */
  readonly hostname: string
}

/** @param onReset told `true` when a connection breaks, `false` when everything that ends by it has ended */
export function watchedConnector(options: ConnectorOptions, onReset: (resetting: boolean) => void): buildConnector.connector {
  const connect = buildConnector({ timeout: options.connectMs, allowH2: false, autoSelectFamily: true })
  const servername = isIP(options.hostname.replace(/^\[|\]$/g, '')) === 0 ? options.hostname : ''
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
