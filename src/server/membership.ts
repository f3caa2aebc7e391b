/**
 * An instance among others: registered, standing for election, and scaling them where the configuration says so.
 *
 * Floor 5, room server. Over the connections of the second level, or its own where `registry.url` names another server. One
 * for each instance: with workers it is the supervisor's.
 */
import { hostname } from 'node:os'
import type { PrometheusContentType, Registry as MetricRegistry } from 'prom-client'
import type { Engine } from '../flow/engine.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import { COUNTER } from '../model/metric.ts'
import type { Logger } from '../model/port.ts'
import type { Admin } from '../ops/admin.ts'
import type { InstanceFacts, InstanceVitals } from '../ops/instance.ts'
import { Registry } from '../ops/registry.ts'
import { Vitals } from '../ops/vitals.ts'
import { openControl, type ScalerControl } from './control.ts'
import { openRegistryStore, type RegistryStore } from './registry-store.ts'
import type { Config } from './config-schema.ts'
import { readVersion } from './version.ts'

/** What a membership works with. */
export interface MembershipParts {
  readonly engine: Engine
  readonly logger: Logger
  /** Whether it wants requests, and where it takes them. */
  place(): Pick<InstanceVitals, 'state' | 'address' | 'api'>
}

/** See the module's header. */
export class Membership {
  readonly store: RegistryStore
  readonly #parts: MembershipParts
  readonly #registry: Registry
  readonly #control: ScalerControl | undefined
  #vitals: Vitals | undefined

  /** @throws FC_OPTION_VALUE, FC_SCALER_FAILED for a scaler that cannot work here */
  constructor(config: Config, store: RegistryStore, parts: MembershipParts) {
    const { engine, logger } = parts
    const { heartbeat, ttl } = config.registry
    this.store = store
    this.#parts = parts
    this.#registry = new Registry({
      ...{ redis: store.redis, keys: store.keys, clock: engine.clock, logger, beatMs: heartbeat, ttlMs: ttl },
      identity: {
        id: engine.generation,
        host: hostname(),
        pid: process.pid,
        version: readVersion(),
        node: process.versions.node,
        startedAt: new Date(engine.clock.wall()).toISOString(),
      },
      onBeat: (isTaken) => engine.meter.count(COUNTER[isTaken ? 'beatsTaken' : 'beatsFailed']),
      vitals: () => (this.#vitals === undefined ? BLANK : this.#vitals.read()),
    })
    const base = { ...store, clock: engine.clock, meter: engine.meter, logger, id: engine.generation }
    this.#control = config.scaler && openControl(config.scaler, { ...base, list: () => this.list() })
  }

  get endpoints(): readonly Endpoint[] {
    return this.#control === undefined ? [] : [this.#control.endpoint]
  }

  /** Adds metrics of its own. */
  expose(registry: MetricRegistry<PrometheusContentType>, prefix: string | undefined): void {
    this.#control?.expose(registry, prefix)
  }

  /** All instances that live. @throws (rejects) FC_L2_* */
  list(): Promise<readonly InstanceFacts[]> {
    return this.#registry.list()
  }

  /** Joins, as soon as the store answers; where it does not, later. Bounded; never rejects. */
  async start({ whole }: Pick<Admin, 'whole'>): Promise<void> {
    const { engine, place } = this.#parts
    this.#vitals = new Vitals({ clock: engine.clock, place, stats: () => whole.stats(), usage: () => whole.usage() })
    await this.store.redis.ready(READY_MS)
    await this.#registry.start()
    await this.#control?.start()
  }

  /** Tells the others at once that the state is another one. Never rejects. */
  announce(): Promise<void> {
    return this.#registry.announce()
  }

  /** Leaves. Never rejects. */
  async close(): Promise<void> {
    await this.#control?.close(LEAVE_MS)
    await this.#registry.leave(LEAVE_MS)
    this.store.close()
  }
}

/** @returns undefined where there is no store to register in @throws FC_OPTION_VALUE for a scaler without one */
export function openMembership(config: Config, parts: MembershipParts): Membership | undefined {
  const store = openRegistryStore(config, parts.engine)
  if (store !== undefined) return new Membership(config, store, parts)
  if (config.scaler === undefined) return undefined
  const reason = 'needs a registry: give registry.url or l2.url, and do not disable the registry'
  throw new ForecacheError('FC_OPTION_VALUE', { name: 'scaler', reason })
}

const LEAVE_MS = 500
/** A start waits so long for the store. */
const READY_MS = 1000
const BLANK: InstanceVitals = {
  ...{ state: 'starting', address: '', api: '', processes: 0, requestsPerSecond: 0, cpu: 0, loopDelayMs: 0, p99Ms: 0 },
  ...{ rssBytes: 0, entries: 0, bytes: 0, maxBytes: 0, hitRatio: 0 },
}
