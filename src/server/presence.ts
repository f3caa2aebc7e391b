/**
 * What one process has to do with others, and with the one before it and after it: registration, scaling, warmth.
 *
 * Floor 5, room server. In the order of its methods, each at its place in the life of a gateway. Without a store and without
 * a snapshot in the configuration every one of them does nothing.
 */
import type { PrometheusContentType, Registry } from 'prom-client'
import type { Admin } from '../ops/admin.ts'
import type { InstanceFacts, InstanceVitals } from '../ops/instance.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { Logger } from '../model/port.ts'
import type { Engine } from '../flow/engine.ts'
import type { Preserver } from '../flow/preserve.ts'
import type { Config } from './config-schema.ts'
import type { Health } from './health.ts'
import { keepWarm } from './keeping-warm.ts'
import type { ListenAddress } from './listener.ts'
import { type Membership, openMembership } from './membership.ts'
import type { Warmth } from './warmth.ts'

/** What a presence works with. */
export interface PresenceParts {
  readonly engine: Engine
  readonly logger: Logger
  readonly health: Pick<Health, 'state'>
  /** The configuration in force. */
  config(): Config
  /** Codecs of the door in force; undefined: doors of other processes hold what is hot. */
  readonly preserver: (() => Preserver) | undefined
  /** Where it takes requests; undefined before it does. */
  address(): { readonly listen: ListenAddress; readonly api: ListenAddress } | undefined
}

/** See the module's header. */
export class Presence {
  readonly #membership: Membership | undefined
  readonly #warmth: Warmth
  #isServing = false

  /** @throws FC_OPTION_VALUE, FC_SCALER_FAILED for a scaler that cannot work here */
  constructor(config: Config, parts: PresenceParts) {
    const { engine, logger, preserver } = parts
    const inForce = (): Config => parts.config()
    this.#membership = openMembership(config, { engine, logger, place: () => placeOf(parts) })
    const store = preserver === undefined ? undefined : this.#membership?.store
    this.#warmth = keepWarm(config, { engine, logger, config: inForce, preserver, store, id: engine.generation, suffix: '' })
  }

  /** Endpoints for the api port. */
  get endpoints(): readonly Endpoint[] {
    return this.#membership?.endpoints ?? []
  }

  /** For `/v1/instances`; undefined: there is no registry. */
  get instances(): (() => Promise<readonly InstanceFacts[]>) | undefined {
    const membership = this.#membership
    return membership && (() => membership.list())
  }

  /** Adds metrics of its own. */
  expose(registry: Registry<PrometheusContentType>, prefix: string | undefined): void {
    this.#membership?.expose(registry, prefix)
  }

  /** Before anything is listened to: what the former process has left. Bounded; never rejects. */
  restore(): Promise<void> {
    return this.#warmth.restore()
  }

  /** Before clients are listened to: joins, and fetches what is hot elsewhere. Bounded; never rejects. */
  async join(admin: Pick<Admin, 'whole'>): Promise<void> {
    await this.#membership?.start(admin)
    await this.#warmth.fetchHot()
    await this.#warmth.begin()
  }

  /** When it is ready. */
  serve(): void {
    this.#isServing = true
    this.#warmth.start()
    void this.#membership?.announce()
  }

  /** When it begins to drain: others see it at once. */
  drain(): void {
    this.#warmth.stop()
    void this.#membership?.announce()
  }

  /** When nothing is served any more: writes for the next process, leaves. Bounded; never rejects. */
  async close(): Promise<void> {
    this.#warmth.stop()
    if (this.#isServing) await this.#warmth.finish({ drained: true })
    await this.#membership?.close()
  }
}

function placeOf({ health, address }: PresenceParts): Pick<InstanceVitals, 'state' | 'address' | 'api'> {
  const at = address()
  return { state: health.state, address: at === undefined ? '' : shown(at.listen), api: at === undefined ? '' : shown(at.api) }
}

function shown({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
