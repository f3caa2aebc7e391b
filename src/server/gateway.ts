/**
 * The gateway: cache, door, origin, the two ports, put together from one configuration.
 *
 * Floor 5, room server. Owns what it creates and closes it. `reload` swaps door, origin and keys between two requests;
 * requests under way end with what they began with.
 */
import { type Cache, createCache } from '../flow/cache.ts'
import { type Logger, SILENT } from '../model/port.ts'
import { createAdmin } from '../ops/admin.ts'
import { type ApiServer, createApi } from './api.ts'
import type { Config } from './config-schema.ts'
import { changedSections } from './config-change.ts'
import { createHealth, type Health } from './health.ts'
import { type ListenAddress, Listener } from './listener.ts'
import { createRunning, type Running } from './running.ts'
import { listenerOptions } from './settings.ts'

/** Where a gateway listens, once it does. */
export interface GatewayAddress {
  readonly listen: ListenAddress
  readonly api: ListenAddress
}

/** What a reload did. */
export interface ReloadResult {
  /** Sections that differ and are in force now. */
  readonly applied: readonly string[]
  /** Sections that differ and wait for a restart. */
  readonly restart: readonly string[]
}

/** A running gateway. */
export interface Gateway {
  /** The cache beneath, shared with whoever embeds the gateway. */
  readonly cache: Cache
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

/** Sections that are fixed while the process runs. */
const FIXED: readonly string[] = ['listen', 'api.listen', 'api.insecure', 'memory', 'contexts', 'events', 'limits', 'metrics']

/** Sections that say what a stored answer means: where it came from, under which key it stands, for how long. */
const MEANING: readonly string[] = ['origin', 'profile', 'routes']

/**
 * @param config as `parseConfig` gives it
 * @param logger default: silent
 * @param clock source of time; default: the system's
 */
export function createGateway(config: Config, logger: Logger = SILENT, clock?: Cache['engine']['clock']): Gateway {
  const { memory, contexts, events } = config
  const cache = createCache({ memory, contexts, events, logger, clock })
  return new AssembledGateway(config, { cache, logger })
}

class AssembledGateway implements Gateway {
  readonly cache: Cache
  readonly #logger: Logger
  readonly #listener: Listener
  readonly #api: ApiServer
  readonly #health: Health = createHealth()
  readonly #admin: { close(): void }
  #config: Config
  #running: Running
  #address: GatewayAddress | undefined
  #closed: Promise<void> | undefined

  constructor(config: Config, parts: { readonly cache: Cache; readonly logger: Logger }) {
    this.#config = config
    this.cache = parts.cache
    this.#logger = parts.logger
    this.#running = this.#run(config)
    const { clock } = parts.cache.engine
    this.#listener = new Listener(listenerOptions(config), {
      clock,
      onRequest: (incoming) => this.#running.receive(incoming),
      onUpgrade: (upgrade) => this.#running.upgrade(upgrade),
    })
    const doors = [{ explain: (head: Parameters<Running['explain']>[0]) => this.#running.explain(head) }]
    const admin = createAdmin({ engine: parts.cache.engine, doors, authority: () => this.#authority(), metrics: config.metrics })
    this.#admin = admin
    this.#api = createApi({
      endpoints: [...admin.endpoints, ...this.#health.endpoints],
      keys: config.api.keys,
      insecure: config.api.insecure,
      clock,
      logger: parts.logger,
    })
  }

  get address(): GatewayAddress | undefined {
    return this.#address
  }

  async listen(): Promise<GatewayAddress> {
    this.#health.assertOpen()
    const { listen, api } = this.#config
    const onApi = await this.#api.listen(api.listen)
    try {
      const onListen = await this.#listener.listen(listen)
      this.#address = { listen: { host: listen.host, port: onListen.port }, api: { host: api.listen.host, port: onApi.port } }
    } catch (error) {
      await this.close(0)
      throw error
    }
    this.#health.set('ready')
    return this.#address
  }

  async reload(config: Config): Promise<ReloadResult> {
    const changed = changedSections(this.#config, config)
    const restart = changed.filter((section) => FIXED.includes(section))
    const applied = changed.filter((section) => !FIXED.includes(section))
    const next = { ...config, api: { ...this.#config.api, keys: config.api.keys } }
    for (const section of restart)
      if (section in next && !section.includes('.')) Object.assign(next, { [section]: this.#config[section as keyof Config] })
    if (applied.length > 0) {
      const former = this.#running
      const { origin } = former
      const running = this.#run(next, changed.includes('origin') ? undefined : origin)
      this.#api.setKeys(next.api.keys)
      this.#running = running
      this.#config = next
      former.close()
      // What is stored was keyed, judged and asked for under the former rules; answers under way are fenced off with it.
      if (applied.some((section) => MEANING.includes(section))) this.cache.engine.invalidate({ all: true, source: 'reload' })
      if (running.origin !== origin) void origin.retire()
    }
    return { applied, restart }
  }

  close(deadlineMs = this.#config.limits.drain): Promise<void> {
    this.#closed ??= this.#shut(deadlineMs)
    return this.#closed
  }

  kill(): void {
    this.#listener.destroy()
    this.#api.kill()
    void this.close(0)
  }

  async #shut(deadlineMs: number): Promise<void> {
    this.#health.set('draining')
    await this.#listener.close(deadlineMs)
    this.#running.close()
    await this.#running.origin.close()
    this.#admin.close()
    await this.#api.close(Math.min(deadlineMs, 1000))
    await this.cache.close()
  }

  #run(config: Config, origin?: Running['origin']): Running {
    const { engine } = this.cache
    return createRunning({ config, engine, origin, logger: this.#logger, pseudonym: `forecache-${engine.generation}` })
  }

  #authority(): string | undefined {
    return this.#address === undefined ? undefined : `${this.#address.listen.host}:${this.#address.listen.port}`
  }
}
