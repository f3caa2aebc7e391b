/**
 * A WebSocket handshake from its head to its tunnel: as strictly admitted as any request.
 *
 * Floor 5, room server.
 */
import { ForecacheError } from '../model/errors.ts'
import { admit } from './admit.ts'
import { forward } from './forward.ts'
import type { Upgrade } from './listener.ts'
import { peerOf, schemeOf } from './peer.ts'
import type { ReceiveSettings } from './receive.ts'
import { errorBytes } from './refuse.ts'
import { openTunnel, type TunnelOptions } from './tunnel.ts'

/** Opens a tunnel, or answers why not; never throws. */
export function receiveUpgrade(upgrade: Upgrade, settings: ReceiveSettings, tunnel: TunnelOptions): void {
  try {
    const head = admit(upgrade.request, settings.limits, schemeOf(upgrade.socket))
    openTunnel(upgrade, forward(head, peerOf(upgrade.socket, '1.1'), settings.forward), tunnel)
  } catch (error) {
    const known =
      error instanceof ForecacheError ? error : new ForecacheError('FC_REQUEST_BAD', { reason: 'it could not be read' })
    upgrade.socket.on('error', () => upgrade.socket.destroy()).end(errorBytes(known))
    upgrade.socket.setTimeout(1000, () => upgrade.socket.destroy())
  }
}
