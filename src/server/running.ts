/**
 * What serves requests under one configuration: door, origin, forwarding rules; made anew by a reload.
 *
 * Floor 5, room server.
 */
import type { Engine } from '../flow/engine.ts'
import type { Preserver } from '../flow/preserve.ts'
import { createHttpDoor } from '../http/door.ts'
import { preserveStored } from '../http/preserve.ts'
import type { ExplainPort } from '../model/explain.ts'
import type { Logger } from '../model/port.ts'
import type { Config } from './config-schema.ts'
import type { Inbound } from './inbound.ts'
import type { LaneDesk } from './lane-desk.ts'
import { createGatewayLane } from './lane-gateway.ts'
import { createOrigin, type Origin } from './origin.ts'
import { receive } from './receive.ts'
import { originOptions, receiveSettings, tunnelOptions } from './settings.ts'
import { receiveUpgrade } from './upgrade.ts'

/** What a configuration is served with. */
export interface RunningParts {
  readonly config: Config
  readonly engine: Engine
  /** An origin to go on with; undefined makes one. */
  readonly origin: Origin | undefined
  readonly logger: Logger
  /** Our name in Via. */
  readonly pseudonym: string
}

/** See the module's header. */
export interface Running {
  readonly origin: Origin
  receive(incoming: Inbound): void
  upgrade(upgrade: Parameters<typeof receiveUpgrade>[0]): void
  /** Hits from raw bytes; undefined where the configuration wants none. */
  readonly lane: LaneDesk | undefined
  readonly explain: ExplainPort['explain']
  /** What the door stores, as bytes and back. */
  readonly preserver: Preserver
  /** Lets the door go; requests under way are not touched. */
  close(): void
}

/** @throws FC_OPTION_* for routes or trusted proxies that are wrong */
export function createRunning({ config, engine, logger, pseudonym, ...parts }: RunningParts): Running {
  const settings = receiveSettings(config, pseudonym)
  const tunnel = { ...tunnelOptions(config), clock: engine.clock }
  const origin = parts.origin ?? createOrigin({ ...originOptions(config), clock: engine.clock, ledger: engine.ledger })
  const { profile, routes, compress, prefetch } = config
  const door = createHttpDoor({ engine, profile, routes, compress, prefetch, origin })
  const receiver = { door, origin, logger, settings }
  const form = { via: `1.1 ${pseudonym}`, keepAliveSeconds: Math.floor(config.limits.keepAlive / 1000) }
  return {
    origin,
    lane: config.lane ? createGatewayLane(door, receiver, form) : undefined,
    receive: (incoming) => void receive(receiver, incoming),
    upgrade: (upgrade) => receiveUpgrade(upgrade, settings, tunnel),
    explain: door.explain,
    preserver: preserveStored(door.desk),
    close: () => door.close(),
  }
}
