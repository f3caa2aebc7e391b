/**
 * The gateway: cache, doors, origin, the ports, put together from one configuration.
 *
 * Floor 5, room server. Owns what it creates and closes it. `reload` swaps door, origin and keys between two requests;
 * requests under way end with what they began with.
 */
import { type Cache, createCache } from '../flow/cache.ts'
import type { Preserver } from '../flow/preserve.ts'
import { type Logger, SILENT } from '../model/port.ts'
import { type Admin, createAdmin } from '../ops/admin.ts'
import type { ApiServer } from './api.ts'
import { createApiPort } from './api-port.ts'
import type { Config } from './config-schema.ts'
import { Front } from './front.ts'
import { createHealth, type Health } from './health.ts'
import type { ListenAddress } from './listener.ts'
import { Presence } from './presence.ts'
import { planReload, type ReloadResult, rulesOf } from './reload.ts'
import { createRespDoor, type RespDoor } from './resp-door.ts'

export type { ReloadResult } from './reload.ts'

/** Where a gateway listens, once it does. */
export interface GatewayAddress {
  /** Port 0 where the configuration has no origin: then there is no HTTP front. */
  readonly listen: ListenAddress
  readonly api: ListenAddress
  /** The Redis door; undefined where there is none. */
  readonly resp?: ListenAddress | undefined
}

/** A running gateway. */
export interface Gateway {
  /** The cache beneath, shared with whoever embeds the gateway. */
  readonly cache: Cache
  /** The Redis door; undefined where the configuration has none. */
  readonly resp: Pick<RespDoor, 'isCovered'> | undefined
  /** Undefined before `listen`. */
  readonly address: GatewayAddress | undefined
  /** Opens both ports. @throws FC_LISTEN_EXPOSED, or what the system says of an address */
  listen(): Promise<GatewayAddress>
  /** Takes another configuration without losing a request. */
  reload(config: Config): Promise<ReloadResult>
  /** Stops accepting, lets requests under way end until the deadline (default: `limits.drain`), closes everything. */
  close(deadlineMs?: number): Promise<void>
  /** Cuts every connection now; a `close` under way ends at once. */
  kill(): void
}

/**
 * @param config as `parseConfig` gives it
 * @param logger default: silent
 * @param clock source of time; default: the system's
 */
export function createGateway(config: Config, logger: Logger = SILENT, clock?: Cache['engine']['clock']): Gateway {
  const { memory, l2, audit, refreshAhead, warming, adaptive, contexts, events } = config
  const cache = createCache({ memory, l2, audit, refreshAhead, warming, adaptive, contexts, events, logger, clock })
  followRules(cache, config)
  return new AssembledGateway(config, { cache, logger })
}

/** What others on the log name by other rules names everything here. */
function followRules({ engine }: Cache, config: Config): void {
  if (engine.shared !== undefined) engine.shared.rules = rulesOf(config)
}

/** Codecs of the front in force, where there is one. */
function preserverOf(front: Front | undefined): (() => Preserver) | undefined {
  return front && (() => front.preserver)
}

class AssembledGateway implements Gateway {
  readonly cache: Cache
  readonly #front: Front | undefined
  readonly resp: RespDoor | undefined
  readonly #api: ApiServer
  readonly #health: Health = createHealth()
  readonly #admin: Admin
  readonly #presence: Presence
  #config: Config
  #address: GatewayAddress | undefined
  #closed: Promise<void> | undefined

  constructor(config: Config, parts: { readonly cache: Cache; readonly logger: Logger }) {
    this.#config = config
    this.cache = parts.cache
    const { engine } = parts.cache
    this.#front = config.origin && new Front(config, { engine, logger: parts.logger })
    this.resp = config.resp && createRespDoor(config, { cache: parts.cache, engine, logger: parts.logger })
    this.#presence = new Presence(config, {
      ...{ engine, logger: parts.logger, health: this.#health },
      config: () => this.#config,
      preserver: preserverOf(this.#front),
      address: () => this.#address,
    })
    this.#admin = createAdmin({
      engine,
      doors: this.#front === undefined ? [] : [this.#front],
      authority: () => this.#front?.authority,
      metrics: config.metrics,
      instances: this.#presence.instances,
      expose: (registry, prefix) => {
        this.#presence.expose(registry, prefix)
        this.resp?.expose(registry, prefix)
      },
    })
    const endpoints = [...this.#admin.endpoints, ...this.#presence.endpoints, ...this.#health.endpoints]
    this.#api = createApiPort(config, { cache: parts.cache, logger: parts.logger, endpoints })
  }

  get address(): GatewayAddress | undefined {
    return this.#address
  }

  async listen(): Promise<GatewayAddress> {
    this.#health.assertOpen()
    const { listen, api } = this.#config
    await this.#presence.restore()
    const onApi = await this.#api.listen(api.listen)
    try {
      await this.#presence.join(this.#admin)
      const resp = await this.resp?.listen()
      const front = (await this.#front?.listen(listen)) ?? { host: listen.host, port: 0 }
      this.#address = { listen: front, api: { host: api.listen.host, port: onApi.port }, resp }
    } catch (error) {
      await this.close(0)
      throw error
    }
    this.#health.set('ready')
    this.#presence.serve()
    return this.#address
  }

  async reload(config: Config): Promise<ReloadResult> {
    const plan = planReload(this.#config, config)
    const { applied, restart, next } = plan
    this.#front?.renew(next)
    this.resp?.renew(next)
    this.#api.renew(next.api.tls)
    if (applied.length > 0) {
      followRules(this.cache, next)
      this.#front?.apply(plan)
      this.#api.setKeys(next.api.keys)
      this.#config = next
    }
    return { applied, restart }
  }

  close(deadlineMs = this.#config.limits.drain): Promise<void> {
    this.#closed ??= this.#shut(deadlineMs)
    return this.#closed
  }

  kill(): void {
    this.#front?.kill()
    this.resp?.kill()
    this.#api.kill()
    void this.close(0)
  }

  async #shut(deadlineMs: number): Promise<void> {
    this.#health.set('draining')
    this.#presence.drain()
    await Promise.all([this.#front?.close(deadlineMs), this.resp?.close(deadlineMs)])
    this.#admin.close()
    await this.#api.close(Math.min(deadlineMs, 1000))
    await this.#presence.close()
    await this.cache.close()
  }
}
