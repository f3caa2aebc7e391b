/**
 * What serves requests under one configuration: door, origin, forwarding rules; made anew by a reload.
 *
 * Floor 5, room server.
 */
import type { Engine } from '../flow/engine.ts'
import { createHttpDoor, type HttpDoor } from '../http/door.ts'
import { systemClock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import type { ExplainPort, RequestView } from '../model/explain.ts'
import type { Logger } from '../model/port.ts'
import { admit } from './admit.ts'
import type { Config } from './config-schema.ts'
import { forward, parseTrust, peerAddress } from './forward.ts'
import type { Incoming, Upgrade } from './listener.ts'
import { createOrigin, type Origin } from './origin.ts'
import { receive, type Receiver } from './receive.ts'
import { errorBytes } from './refuse.ts'
import { openTunnel } from './tunnel.ts'

/** What a configuration is served with. */
export interface RunningParts {
  readonly config: Config
  readonly engine: Engine
  /** An origin to go on with; undefined makes one. */
  readonly origin: Origin | undefined
  readonly logger: Logger
  readonly pseudonym: string
  draining(): boolean
}

/** See the module's header. */
export interface Running {
  readonly origin: Origin
  receive(incoming: Incoming): void
  upgrade(upgrade: Upgrade): void
  explain(head: RequestHead): RequestView | undefined
  /** Lets the door go; requests under way are not touched. */
  close(): void
}

export function createRunning(parts: RunningParts): Running {
  const { config, logger } = parts
  const clock = systemClock()
  const { limits, headers } = config
  const origin = parts.origin ?? createOrigin(originOptions(config))
  const { profile, routes } = config
  const door: HttpDoor & Partial<ExplainPort> = createHttpDoor({ engine: parts.engine, profile, routes })
  const settings = {
    limits: { maxTargetBytes: limits.target, maxFields: limits.fields, maxBodyBytes: limits.body, defaultAuthority: new URL(config.origin.url).host },
    forward: { isTrusted: parseTrust(headers.trust), pseudonym: parts.pseudonym },
    latency: headers.latency,
  }
  const receiver: Receiver = { door, origin, clock, logger, bodyIdleMs: limits.bodyTimeout, settings: () => settings, draining: parts.draining }
  const tunnel = { url: config.origin.url, headMs: config.origin.headTimeout, idleMs: limits.tunnelTimeout, maxHeadBytes: config.origin.maxHead, clock }
  return {
    origin,
    receive: (incoming) => void receive(receiver, incoming),
    upgrade(upgrade) {
      try {
        const head = admit(upgrade.request, settings.limits)
        openTunnel(upgrade, forward(head, { address: peerAddress(upgrade.socket.remoteAddress) }, settings.forward), tunnel)
      } catch (error) {
        const known = error instanceof ForecacheError ? error : new ForecacheError('FC_REQUEST_BAD', { reason: 'it could not be read' })
        upgrade.socket.end(errorBytes(known))
      }
    },
    explain: (head) => door.explain?.(head),
    close: () => door.close(),
  }
}

function originOptions({ origin }: Config): Parameters<typeof createOrigin>[0] {
  return {
    url: origin.url, connectMs: origin.connectTimeout, headMs: origin.headTimeout, bodyIdleMs: origin.bodyTimeout,
    keepAliveMs: origin.keepAlive, connections: origin.connections, maxWaiting: origin.waiting, maxHeadBytes: origin.maxHead,
  }
}
