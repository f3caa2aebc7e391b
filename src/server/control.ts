/**
 * The scaler of an instance, as its configuration wants it: election, control plane, audit, and the endpoint about them.
 *
 * Floor 5, room server.
 */
import type { PrometheusContentType, Registry } from 'prom-client'
import type { Clock } from '../model/clock.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { Meter } from '../model/meter.ts'
import { COUNTER, type CounterName } from '../model/metric.ts'
import type { Logger } from '../model/port.ts'
import { ControlPlane } from '../ops/control-plane.ts'
import { Election } from '../ops/election.ts'
import type { InstanceFacts } from '../ops/instance.ts'
import { exposeLeadership } from '../ops/leader-metrics.ts'
import { createScalerEndpoint } from '../ops/scaler-endpoint.ts'
import { ScalingAudit, type ScalingRecord } from '../ops/scaling-audit.ts'
import type { ScalerSettings } from './fleet-schema.ts'
import type { RegistryStore } from './registry-store.ts'
import { createScaler } from './scaler.ts'

/** What it works with. */
export interface ControlParts extends Pick<RegistryStore, 'redis' | 'keys'> {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  /** Id of this instance. */
  readonly id: string
  list(): Promise<readonly InstanceFacts[]>
}

/** See the module's header. */
export interface ScalerControl {
  readonly endpoint: Endpoint
  start(): Promise<void>
  /** Adds what it tells of the leadership. */
  expose(registry: Registry<PrometheusContentType>, prefix: string | undefined): void
  close(deadlineMs: number): Promise<void>
}

/** @throws FC_SCALER_FAILED for a scaler that cannot work here */
export function openControl(
  settings: ScalerSettings,
  { redis, keys, clock, logger, meter, id, list }: ControlParts,
): ScalerControl {
  const { every, deadline, lease, dryRun, audit: file, ...policy } = settings
  const election = new Election({ redis, keys, clock, id, leaseMs: lease })
  const onRecord = ({ outcome }: ScalingRecord): void => {
    if (outcome !== 'ordered') meter.count(COUNTER[ORDERS[outcome]])
  }
  const audit = new ScalingAudit({ logger, file, onRecord })
  const scaler = createScaler(settings, process.env)
  const parts = { clock, logger, election, scaler, audit, policy, id, list }
  const control = new ControlPlane({ ...parts, everyMs: every, deadlineMs: deadline, dryRun })
  return {
    endpoint: createScalerEndpoint({ control, election, audit }),
    expose: (registry, prefix) => exposeLeadership(registry, control, prefix),
    async start() {
      await election.start()
      control.start()
    },
    async close(deadlineMs) {
      control.close()
      await election.close(deadlineMs)
      await audit.flush()
    },
  }
}

const ORDERS = {
  done: 'ordersDone',
  failed: 'ordersFailed',
  refused: 'ordersRefused',
  'dry-run': 'ordersTried',
} as const satisfies Record<Exclude<ScalingRecord['outcome'], 'ordered'>, CounterName>
