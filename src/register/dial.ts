/**
 * Where an application's client is connected to, and how our own connection gets to the very same server.
 *
 * Floor 5, room register. The address is that of the socket which the client has open, not a name that may lead elsewhere
 * next time. Modules of Node are loaded when a connection is made. Neither sockets nor what waits on them keep the process alive.
 */
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { TrackingEvents, TrackingPort, TrackingSocket } from '../resp/tracking-port.ts'

/** A server and who we are there. */
export interface Target {
  /** Path of a socket, or an address and a port. */
  readonly place: { readonly path: string } | { readonly host: string; readonly port: number }
  /** As the application gave it; undefined: plain. */
  readonly tls: ConnectionOptions | undefined
  readonly username: string | undefined
  readonly password: string | undefined
}

/** A name that is the same for clients that may share one tracking connection. */
export function targetName({ place, tls, username }: Target): string {
  const where = 'path' in place ? place.path : `${place.host} ${place.port}`
  return `${where} ${tls === undefined ? 'plain' : 'tls'} ${username ?? 'default'}`
}

/** For people: never a password. */
export function targetText({ place, username }: Target): string {
  const where = 'path' in place ? place.path : `${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`
  return username === undefined ? where : `${username}@${where}`
}

/** Connections to a target. @param fault told of errors of whoever listens; they end the connection, not the process */
export function dialer(target: Target, fault: (error: unknown) => void): TrackingPort {
  return { open: (events) => open(target, events, fault) }
}

function open(target: Target, events: TrackingEvents, fault: (error: unknown) => void): TrackingSocket {
  const { place, tls } = target
  const socket: Socket =
    tls === undefined
      ? process.getBuiltinModule('node:net').connect(place)
      : process.getBuiltinModule('node:tls').connect({ ...tls, ...place })
  const guard = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      fault(error)
      socket.destroy()
    }
  }
  let isOver = false
  let reason = 'the connection ended'
  socket.unref()
  socket.setNoDelay(true)
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
    if (!isOver) guard(() => events.connected())
  })
  socket.on('data', (chunk: Buffer) => {
    if (!isOver) guard(() => events.data(chunk))
  })
  socket.on('error', (error) => {
    reason = error.message
  })
  socket.once('close', () => {
    if (isOver) return
    isOver = true
    guard(() => events.ended(reason))
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
}
