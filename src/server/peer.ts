/**
 * Who stands at the other end of a connection: address, protocol, and whether it is encrypted.
 *
 * Floor 5, room server.
 */
import type { Socket } from 'node:net'

/** Who stands at the other end of the connection. */
export interface Peer {
  readonly address: string
  /** The version it speaks, as Via names it (RFC 9110 section 7.6.3). */
  readonly version: '1.1' | '2'
}

/** The address as people write it: IPv4 inside IPv6 unwrapped, scope cut. */
export function peerAddress(remote: string | undefined): string {
  if (remote === undefined) return 'unknown'
  const address = remote.startsWith('::ffff:') && remote.includes('.') ? remote.slice(7) : remote
  return address.split('%')[0] as string
}

export function peerOf(socket: Pick<Socket, 'remoteAddress'>, version: Peer['version']): Peer {
  return { address: peerAddress(socket.remoteAddress), version }
}

/** A request's scheme is its connection's: what a client says of it is not asked. */
export function schemeOf(socket: Socket): 'http' | 'https' {
  return 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http'
}

/** Ends a connection so that its other side sees it break: by a reset, or under TLS without the goodbye that an end would say. */
export function breakConnection(socket: Socket): void {
  if ('encrypted' in socket && socket.encrypted === true) socket.destroy()
  else socket.resetAndDestroy()
}
