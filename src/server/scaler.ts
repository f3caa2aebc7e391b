/**
 * The scaler that a configuration names.
 *
 * Floor 5, room server.
 */
import { createCommandScaler } from '../ops/scaler-command.ts'
import { createEcsScaler } from '../ops/scaler-ecs.ts'
import { createKubernetesScaler } from '../ops/scaler-kubernetes.ts'
import type { Scaler } from '../ops/scaler-port.ts'
import { createWebhookScaler } from '../ops/scaler-webhook.ts'
import type { ScalerSettings } from './fleet-schema.ts'

/** @param env of the process: says where Kubernetes is @throws FC_SCALER_FAILED for one that cannot work here */
export function createScaler(settings: ScalerSettings, env: Readonly<Record<string, string | undefined>>): Scaler {
  const { ecs, kubernetes, webhook, command } = settings
  if (ecs !== undefined) return createEcsScaler(ecs)
  if (kubernetes !== undefined) return createKubernetesScaler(kubernetes, env)
  if (webhook !== undefined) return createWebhookScaler(webhook)
  return createCommandScaler(command ?? []) // the schema has seen to it that one of them is there
}
