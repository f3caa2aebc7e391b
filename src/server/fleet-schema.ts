/**
 * The sections of the configuration that are about many instances: registry, scaler, snapshot.
 *
 * Floor 5, room server.
 */
import { z } from 'zod'
import { duration, size } from '../model/option.ts'
import { COMMAND_SCALER } from '../ops/scaler-command.ts'
import { ECS_SCALER } from '../ops/scaler-ecs.ts'
import { KUBERNETES_SCALER } from '../ops/scaler-kubernetes.ts'
import { WEBHOOK_SCALER } from '../ops/scaler-webhook.ts'
import { SCALING_POLICY } from '../ops/scaling-policy.ts'

const HOUR = 3_600_000
const MIB = 1024 * 1024

function span(minMs: number, maxMs: number, shown: string): z.ZodType<number, number | string> {
  return duration().refine((ms) => ms >= minMs && ms <= maxMs, { error: `expected ${shown}` })
}

export const REGISTRY = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .meta({ description: 'Registers this instance wherever there is a Redis: `registry.url`, or that of `l2`.' }),
    url: z.string().min(1).optional().meta({ shown: 'that of `l2`', description: 'Redis or Valkey, as for `l2.url`.' }),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{0,64}$/, { error: 'expected at most 64 letters, digits, _ . : or -' })
      .optional()
      .meta({ shown: 'that of `l2`, or forecache:', description: 'Before every key: instances that share it are one fleet.' }),
    heartbeat: span(100, 60_000, 'a duration from 100ms to 1m')
      .default(1000)
      .meta({ unit: 'ms', shown: '1s', description: 'Between two heartbeats.' }),
    ttl: span(300, HOUR, 'a duration from 300ms to 1h')
      .default(5000)
      .meta({ unit: 'ms', shown: '5s', description: 'An instance without a heartbeat is gone after this.' }),
    hotKeys: z.int().min(0).max(100_000).default(2000).meta({
      unit: 'keys',
      description: 'Hottest keys that are told to others, and fetched from the second level at the start; 0: none.',
    }),
    hotEvery: span(1000, HOUR, 'a duration from 1s to 1h')
      .default(10_000)
      .meta({ unit: 'ms', shown: '10s', description: 'Between two lists of them.' }),
    warm: span(0, 30_000, 'a duration up to 30s')
      .default(5000)
      .meta({ unit: 'ms', shown: '5s', description: 'An instance is ready when it has them, or after this.' }),
  })
  .refine(({ heartbeat, ttl }) => ttl >= heartbeat * 2, { path: ['ttl'], error: 'must be at least twice registry.heartbeat' })
  .prefault({})

const KINDS = ['ecs', 'kubernetes', 'webhook', 'command'] as const

export const SCALER = z
  .strictObject({
    ecs: ECS_SCALER.optional().meta({ description: 'Sets the desired count of an AWS ECS service.' }),
    kubernetes: KUBERNETES_SCALER.optional().meta({ description: 'Sets the replicas of a Kubernetes resource.' }),
    webhook: WEBHOOK_SCALER.optional().meta({ description: 'Posts orders to a URL.' }),
    command: COMMAND_SCALER.optional(),
    ...SCALING_POLICY,
    every: span(1000, HOUR, 'a duration from 1s to 1h')
      .default(10_000)
      .meta({ unit: 'ms', shown: '10s', description: 'Between two decisions.' }),
    deadline: span(100, 600_000, 'a duration from 100ms to 10m')
      .default(10_000)
      .meta({ unit: 'ms', shown: '10s', description: 'For an order to be taken.' }),
    lease: span(1000, HOUR, 'a duration from 1s to 1h')
      .default(10_000)
      .meta({ unit: 'ms', shown: '10s', description: 'A leader that is silent for so long is followed by another.' }),
    dryRun: z.boolean().default(false).meta({ description: 'Decides and says so, orders nothing.' }),
    audit: z
      .string()
      .min(1)
      .optional()
      .meta({ shown: 'none', description: 'File that decisions are added to, one JSON object a line.' }),
  })
  .refine((given) => KINDS.filter((kind) => given[kind] !== undefined).length === 1, {
    error: `expected exactly one of ${KINDS.join(', ')}`,
  })
  .refine(({ min, max }) => min <= max, { path: ['min'], error: 'must not exceed scaler.max' })

export const SNAPSHOT = z.strictObject({
  file: z.string().min(1).meta({ description: 'Where it stands; each worker adds its number.' }),
  interval: span(0, 24 * HOUR, 'a duration up to 24h')
    .default(60_000)
    .meta({ unit: 'ms', shown: '1m', description: 'Between two snapshots while running; 0: only when the process drains.' }),
  maxBytes: size()
    .refine((bytes) => bytes >= 1024, { error: 'expected at least 1KiB' })
    .default(64 * MIB)
    .meta({ unit: 'bytes', shown: '64MiB', description: 'Largest file, hottest entries first.' }),
  maxKeys: z.int().min(1).max(10_000_000).default(50_000).meta({ unit: 'keys', description: 'Most entries in it.' }),
  deadline: span(1, 20_000, 'a duration from 1ms to 20s')
    .default(3000)
    .meta({ unit: 'ms', shown: '3s', description: 'For reading at the start, and for writing when the process drains.' }),
  unproven: z.enum(['drop', 'drained', 'budget']).default('drop').meta({
    description:
      'What is read where no shared log (`l2`) proves that nothing was invalidated since: nothing, what an orderly end has written, or whatever was written last. The latter two inside budgets, once, and only on the same run of the machine.',
  }),
})

export type RegistrySettings = z.output<typeof REGISTRY>
export type ScalerSettings = z.output<typeof SCALER>
export type SnapshotSettings = z.output<typeof SNAPSHOT>
