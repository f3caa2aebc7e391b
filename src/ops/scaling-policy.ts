/**
 * How many instances there should be: target tracking as a pure function of what was measured and what was decided before.
 *
 * Floor 4, room ops. Each target is a figure that one instance should have; what all have together, divided by it, is the
 * number wanted, and the target that wants most decides. Out at once, at most by a factor and not again within a cool-down;
 * in only when nothing within a window wanted more, a step at a time, and never while instances are still starting. Never
 * below the least or above the most, and without figures nothing is decided.
 */
import { z } from 'zod'
import { duration } from '../model/option.ts'
import type { InstanceFacts } from './instance.ts'

const TARGETS = z
  .strictObject({
    requestsPerSecond: z
      .number()
      .positive()
      .optional()
      .meta({ unit: 'requests/s', shown: 'none', description: 'Requests of one instance.' }),
    cpu: z
      .number()
      .positive()
      .max(64)
      .optional()
      .meta({ unit: 'cores', shown: '0.6 where no target is given', description: 'CPU time for each second and process.' }),
    loopDelay: duration()
      .optional()
      .meta({ unit: 'ms', shown: 'none', description: 'How late timers are at the 99th percentile.' }),
    memory: z
      .number()
      .positive()
      .max(1)
      .optional()
      .meta({ unit: 'share', shown: 'none', description: 'Memory in use, of its limit.' }),
    p99: duration().optional().meta({ unit: 'ms', shown: 'none', description: 'Answers at the 99th percentile.' }),
  })
  .transform((given) => (Object.values(given).some((value) => value !== undefined) ? given : { ...given, cpu: 0.6 }))

const size = (least: number): z.ZodInt => z.int().min(least).max(1000)

/** Schema of what a policy is given with. */
export const SCALING_POLICY = {
  min: size(0).default(1).meta({ unit: 'instances', description: 'Never fewer.' }),
  max: size(1).default(10).meta({ unit: 'instances', description: 'Never more.' }),
  targets: TARGETS.prefault({}).meta({ description: 'Figures that one instance should have; the one that wants most decides.' }),
  tolerance: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.1)
    .meta({ unit: 'ratio', description: 'A figure this near to its target wants no change.' }),
  maxFactor: z
    .number()
    .gt(1)
    .max(10)
    .default(2)
    .meta({ unit: 'ratio', description: 'At most so many times more at once; one more is always allowed.' }),
  maxStepIn: size(1).default(1).meta({ unit: 'instances', description: 'At most so many fewer at once.' }),
  cooldownOut: duration()
    .default(30_000)
    .meta({ unit: 'ms', shown: '30s', description: 'After a change, before instances are added.' }),
  cooldownIn: duration().default(300_000).meta({
    unit: 'ms',
    shown: '5m',
    description: 'After a change, before an instance is taken away; and for so long nothing may have wanted more.',
  }),
} as const

const POLICY = z.strictObject(SCALING_POLICY)
/** See `SCALING_POLICY`. */
export type ScalingPolicy = z.output<typeof POLICY>

/** What was measured. */
export interface ScalingReading {
  /** Steady, ms. */
  readonly now: number
  /** Instances that there should be by now, as the scaler says it. */
  readonly desired: number
  readonly instances: readonly InstanceFacts[]
}

/** What a decision remembers for the next one. */
export interface ScalingMemory {
  /** When this watch began. */
  readonly since: number
  readonly changedAt: number
  /** What was wanted within `cooldownIn`, oldest first; bounded by the window and the pace of decisions. */
  readonly wishes: readonly { readonly at: number; readonly wanted: number }[]
}

/** Why it is as it is. */
export type ScalingReason = 'out' | 'in' | 'bounds' | 'steady' | 'no-figures' | 'cooling' | 'window' | 'starting'

/** What should be. */
export interface ScalingDecision {
  readonly desired: number
  /** What the figures want, before bounds of time and step. */
  readonly wanted: number
  readonly reason: ScalingReason
  /** The target that decided, and what it was measured at; undefined: none. */
  readonly by: { readonly target: TargetName; readonly now: number; readonly wanted: number } | undefined
  readonly memory: ScalingMemory
}

/** Names of targets. */
export type TargetName = keyof z.output<typeof TARGETS>

const READ: Readonly<Record<TargetName, (facts: InstanceFacts) => number>> = {
  requestsPerSecond: (facts) => facts.requestsPerSecond,
  cpu: (facts) => facts.cpu,
  loopDelay: (facts) => facts.loopDelayMs,
  memory: (facts) => (facts.maxBytes > 0 ? facts.bytes / facts.maxBytes : 0),
  p99: (facts) => facts.p99Ms,
}
const MAX_WISHES = 4096

/** @param lastChangeAt when instances were added or taken away last; default: never @returns the memory to begin with */
export function beginScaling(now: number, lastChangeAt = Number.NEGATIVE_INFINITY): ScalingMemory {
  return { since: now, changedAt: lastChangeAt, wishes: [] }
}

/** One decision. Pure. */
export function decideScaling(policy: ScalingPolicy, reading: ScalingReading, memory: ScalingMemory): ScalingDecision {
  const { desired, now } = reading
  const clamped = clamp(policy, desired)
  if (clamped !== desired)
    return { desired: clamped, wanted: clamped, reason: 'bounds', by: undefined, memory: changed(memory, now) }
  const ready = reading.instances.filter(({ state }) => state === 'ready')
  const by = ready.length === 0 ? undefined : decisive(policy, ready, desired)
  if (by === undefined) return { desired, wanted: desired, reason: 'no-figures', by, memory }
  const wanted = clamp(policy, by.wanted)
  const wishes = [...memory.wishes.filter(({ at }) => at > now - policy.cooldownIn), { at: now, wanted }].slice(-MAX_WISHES)
  const next = { ...memory, wishes }
  if (wanted > desired) {
    if (now - memory.changedAt < policy.cooldownOut) return { desired, wanted, reason: 'cooling', by, memory: next }
    const most = Math.max(desired + 1, Math.floor(desired * policy.maxFactor))
    return { desired: Math.min(wanted, most), wanted, reason: 'out', by, memory: changed(next, now) }
  }
  const held = holdsIn(policy, { reading, ready: ready.length }, next)
  if (held !== undefined) return { desired, wanted, reason: held, by, memory: next }
  const kept = Math.max(wanted, ...wishes.map((wish) => wish.wanted))
  return { desired: Math.max(kept, desired - policy.maxStepIn), wanted, reason: 'in', by, memory: changed(next, now) }
}

/** Why no instance may be taken away; undefined: nothing is against it. */
function holdsIn(
  policy: ScalingPolicy,
  { reading, ready }: { readonly reading: ScalingReading; readonly ready: number },
  { wishes, since, changedAt }: ScalingMemory,
): ScalingReason | undefined {
  const { desired, now } = reading
  if ((wishes.at(-1)?.wanted ?? desired) >= desired) return 'steady'
  if (ready < desired) return 'starting'
  if (now - changedAt < policy.cooldownIn) return 'cooling'
  const most = Math.max(...wishes.map(({ wanted }) => wanted))
  return now - since < policy.cooldownIn || most >= desired ? 'window' : undefined
}

/** The target that wants most. */
function decisive(policy: ScalingPolicy, ready: readonly InstanceFacts[], desired: number): ScalingDecision['by'] {
  let most: ScalingDecision['by']
  for (const target of Object.keys(READ) as TargetName[]) {
    const aim = policy.targets[target]
    if (aim === undefined) continue
    const now = ready.reduce((sum, facts) => sum + READ[target](facts), 0) / ready.length
    const ratio = now / aim
    // What is ready carries it all: instances that are still starting, or gone, are part of `desired` already.
    const isNear = Math.abs(ratio - 1) <= policy.tolerance
    const wanted = isNear ? Math.min(desired, ready.length) : Math.ceil(ready.length * ratio - 1e-9)
    if (most === undefined || wanted > most.wanted) most = { target, now, wanted }
  }
  return most
}

function clamp({ min, max }: ScalingPolicy, count: number): number {
  return Math.min(Math.max(count, min), Math.max(min, max))
}

function changed(memory: ScalingMemory, now: number): ScalingMemory {
  return { ...memory, changedAt: now }
}
