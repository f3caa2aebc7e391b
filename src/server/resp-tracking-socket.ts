/**
 * The socket under the tracking connection.
 *
 * Floor 5, room server. Tells where it leads: clients' connections count as covered only if they lead there, too.
 */
import type { TrackingPort } from '../resp/tracking-port.ts'
import { placeOf, type Upstream } from './resp-upstream.ts'

/** @param onPlace told where each new connection leads */
export function trackingPort(upstream: Upstream, onPlace: (place: string) => void): TrackingPort {
  return {
    open(events) {
      let isOver = false
      let reason = 'the upstream closed the connection'
      const socket = upstream.connect(() => {
        if (isOver) return
        onPlace(placeOf(socket))
        events.connected()
      })
      socket.on('data', (chunk: Buffer) => {
        if (!isOver) events.data(chunk)
      })
      socket.on('error', (error: Error) => {
        reason = error.message
      })
      socket.once('close', () => {
        if (isOver) return
        isOver = true
        events.ended(reason)
      })
      return {
        write: (bytes) => {
          socket.write(bytes)
        },
        destroy: () => {
          isOver = true
          socket.destroy()
        },
      }
    },
  }
}
