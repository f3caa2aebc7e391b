/**
 * The gateway: origin, door and listener put together.
 *
 * Floor 5, room server.
 */
import { randomBytes } from 'node:crypto'
import { systemClock } from '../model/clock.ts'
import type { Logger } from '../model/port.ts'
import { parseTrust } from './forward.ts'
import { Listener, type ListenAddress, type ListenerOptions } from './listener.ts'
import { createOrigin, type OriginOptions } from './origin.ts'
import type { HttpDoor, LatencyMode } from './receive.ts'

/** What a gateway is made of. */
export interface GatewayParts {
  readonly door: HttpDoor
  readonly origin: OriginOptions
  readonly listener: ListenerOptions
  readonly maxTargetBytes: number
  readonly maxBodyBytes: number
  readonly bodyIdleMs: number
  readonly trust: readonly string[]
  readonly latency: LatencyMode
  readonly logger: Logger
}

/** @returns the parts joined; `listen` opens the port */
export function assemble(parts: GatewayParts) {
  const clock = systemClock()
  const origin = createOrigin(parts.origin)
  const settings = {
    limits: { maxTargetBytes: parts.maxTargetBytes, maxFields: parts.listener.maxFields, maxBodyBytes: parts.maxBodyBytes, defaultAuthority: new URL(parts.origin.url).host },
    forward: { isTrusted: parseTrust(parts.trust), pseudonym: `forecache-${randomBytes(3).toString('hex')}` },
    latency: parts.latency,
  }
  const listener = new Listener(
    { door: parts.door, origin, clock, logger: parts.logger, bodyIdleMs: parts.bodyIdleMs, settings: () => settings },
    parts.listener,
    (_, socket) => socket.destroy(),
  )
  return {
    listen: (at: ListenAddress) => listener.listen(at),
    async close(deadlineMs = 10_000): Promise<void> {
      await listener.close(deadlineMs)
      await origin.close()
    },
  }
}
