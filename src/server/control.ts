/**
 * The scaler of an instance, as its configuration wants it: election, control plane, audit, and the endpoint about them.
 *
 * Floor 5, room server.
 */
import type { Clock } from '../model/clock.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { Logger } from '../model/port.ts'
import { ControlPlane } from '../ops/control-plane.ts'
import { Election } from '../ops/election.ts'
import type { InstanceFacts } from '../ops/instance.ts'
import { createScalerEndpoint } from '../ops/scaler-endpoint.ts'
import { ScalingAudit } from '../ops/scaling-audit.ts'
import type { ScalerSettings } from './fleet-schema.ts'
import type { RegistryStore } from './registry-store.ts'
import { createScaler } from './scaler.ts'

/** What it works with. */
export interface ControlParts extends Pick<RegistryStore, 'redis' | 'keys'> {
  readonly clock: Clock
  readonly logger: Logger
  /** Id of this instance. */
  readonly id: string
  list(): Promise<readonly InstanceFacts[]>
}

/** See the module's header. */
export interface ScalerControl {
  readonly endpoint: Endpoint
  start(): Promise<void>
  close(deadlineMs: number): Promise<void>
}

/** @throws FC_SCALER_FAILED for a scaler that cannot work here */
export function openControl(settings: ScalerSettings, { redis, keys, clock, logger, id, list }: ControlParts): ScalerControl {
  const { every, deadline, lease, dryRun, audit: file, ...policy } = settings
  const election = new Election({ redis, keys, clock, id, leaseMs: lease })
  const audit = new ScalingAudit({ logger, file })
  const scaler = createScaler(settings, process.env)
  const parts = { clock, logger, election, scaler, audit, policy, id, list }
  const control = new ControlPlane({ ...parts, everyMs: every, deadlineMs: deadline, dryRun })
  return {
    endpoint: createScalerEndpoint({ control, election, audit }),
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
