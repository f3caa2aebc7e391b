/**
 * The supervisor: one process that owns the api port, orders the invalidations of its workers and answers for all of them.
 *
 * Floor 5, room server. Looks like a gateway to whoever runs it. It serves no client of the gateway's port itself; values
 * of the native cache API are its own. A door of its own, without a server, knows the routes: which URL means which key.
 */
import { type Cache, createCache } from '../flow/cache.ts'
import { createHttpDoor, type HttpDoor } from '../http/door.ts'
import type { Logger } from '../model/port.ts'
import { type Admin, createAdmin } from '../ops/admin.ts'
import type { ApiServer } from './api.ts'
import { createApiPort } from './api-port.ts'
import type { Config } from './config-schema.ts'
import { Crew } from './crew.ts'
import type { GatewayAddress } from './gateway.ts'
import { createHealth, type Health } from './health.ts'
import { createRespDoor, type RespDoor } from './resp-door.ts'
import { Presence } from './presence.ts'
import { checkServable, planReload, type ReloadResult } from './reload.ts'
import { supervisorShare, workerCount } from './worker-shares.ts'

/** What a supervisor is started with. */
export interface SupervisorParts {
  readonly logger: Logger
  /** Script of a worker; it calls `runWorker`. */
  readonly script: string
}

/** See the module's header. */
export class Supervisor {
  /** The cache of this process: values of the native cache API. */
  readonly cache: Cache
  /** The Redis door: one for all workers, in this process. */
  readonly resp: RespDoor | undefined
  readonly #crew: Crew
  readonly #admin: Admin
  readonly #presence: Presence
  readonly #api: ApiServer
  readonly #health: Health = createHealth(() => this.#crew.listening > 0)
  #config: Config
  #door: HttpDoor
  #address: GatewayAddress | undefined
  #closed: Promise<void> | undefined

  /** @throws FC_OPTION_* for routes that are wrong, FC_TLS_* for certificates */
  constructor(config: Config, { logger, script }: SupervisorParts) {
    checkServable(config)
    this.#config = config
    const { memory, l2, audit, refreshAhead, adaptive, contexts, events } = supervisorShare(config)
    this.cache = createCache({ memory, l2, audit, refreshAhead, adaptive, contexts, events, logger })
    const { engine } = this.cache
    this.#crew = new Crew({ engine, logger, script, workers: workerCount(config), config: () => this.#config })
    this.resp = config.resp && createRespDoor(config, { cache: this.cache, engine, logger })
    this.#door = this.#openDoor(config)
    this.#presence = new Presence(config, {
      ...{ engine, logger, health: this.#health },
      config: () => this.#config,
      preserver: undefined,
      address: () => this.#address,
    })
    this.#admin = createAdmin({
      engine,
      doors: [{ explain: (head) => this.#door.explain(head) }],
      authority: () => this.#authority(),
      metrics: config.metrics,
      instances: this.#presence.instances,
      expose: (registry, prefix) => {
        this.#presence.expose(registry, prefix)
        this.resp?.expose(registry, prefix)
      },
      whole: (explainer) => this.#crew.whole(explainer),
    })
    const endpoints = [...this.#admin.endpoints, ...this.#presence.endpoints, ...this.#health.endpoints]
    this.#api = createApiPort(config, { cache: this.cache, logger, endpoints })
  }

  /** Opens the api port, starts the workers. @throws FC_LISTEN_EXPOSED, FC_WORKER_START, what the system says of an address */
  async listen(): Promise<GatewayAddress> {
    this.#health.assertOpen()
    const { listen, api } = this.#config
    await this.#presence.restore()
    const onApi = await this.#api.listen(api.listen)
    try {
      await this.#presence.join(this.#admin)
      const resp = await this.resp?.listen()
      const port = await this.#crew.listen(listen)
      this.#address = { listen: { host: listen.host, port }, api: { host: api.listen.host, port: onApi.port }, resp }
    } catch (error) {
      this.#crew.kill()
      await this.close(0)
      throw error
    }
    this.#health.set('ready')
    this.#presence.serve()
    return this.#address
  }

  /** Resolves when no worker serves under the former rules any more. */
  async reload(config: Config): Promise<ReloadResult> {
    const plan = planReload(this.#config, config)
    const { applied, restart, next } = plan
    checkServable(next) // what a worker would refuse is refused before any of them hears of it
    const door = this.#openDoor(next)
    this.#door.close()
    this.#door = door
    this.#config = next
    this.#api.renew(next.api.tls)
    this.resp?.renew(next)
    this.#api.setKeys(next.api.keys)
    await this.#crew.reload(plan)
    return { applied, restart }
  }

  close(deadlineMs = this.#config.limits.drain): Promise<void> {
    this.#closed ??= this.#shut(deadlineMs)
    return this.#closed
  }

  kill(): void {
    this.#crew.kill()
    this.resp?.kill()
    this.#api.kill()
    void this.close(0)
  }

  async #shut(deadlineMs: number): Promise<void> {
    this.#health.set('draining')
    this.#presence.drain()
    await Promise.all([this.#crew.close(deadlineMs), this.resp?.close(deadlineMs)])
    this.#admin.close()
    this.#door.close()
    await this.#api.close(Math.min(deadlineMs, 1000))
    await this.#presence.close()
    await this.cache.close()
  }

  #openDoor({ profile, routes }: Config): HttpDoor {
    return createHttpDoor({ engine: this.cache.engine, profile, routes })
  }

  #authority(): string | undefined {
    return this.#address === undefined ? undefined : `${this.#address.listen.host}:${this.#address.listen.port}`
  }
}
