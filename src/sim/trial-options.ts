/**
 * Options of trials: which system, how many nodes, what goes wrong, what is promised; checked once.
 *
 * Floor 1, room sim.
 */
import { z } from 'zod'
import { duration, parseOptions } from '../model/option.ts'
import type { Limits, PromiseName } from './promises.ts'
import { FAULTS } from './schedule.ts'
import type { SimNode } from './node.ts'
import type { World } from './world.ts'

/** What a read gives: the origin's version that the answer was made of. */
export type Answer = number | { readonly data: number; readonly cached?: boolean }

/** What an invalidation gives, as far as the system says it. */
export interface Acknowledged {
  /** Version token: hand it to a read, and nothing older is given. One that ends with `?` has no place in a log yet. */
  readonly token?: string
  /** How many instances there are, and how many have followed. */
  readonly nodes?: { readonly expected: number; readonly acknowledged: number }
}

/** The system that is tried, on one node, for one of its lives. */
export interface Instance {
  /** @param options `token` as an invalidation of this key gave it, where the client has one */
  read(key: string, options: { readonly token: string | undefined }): Answer | Promise<Answer>
  /** The origin holds this version of the key by now. */
  invalidate(key: string, version: number): Acknowledged | undefined | void | Promise<Acknowledged | undefined | void>
  /** This life is over: nothing is asked any more. */
  stop?(): void
}

const PROMISES = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'] as const satisfies readonly PromiseName[]

function whole(least: number, most: number): z.ZodNumber {
  return z.number().int().min(least).max(most)
}

/** Schema of a trial. */
export const TRIAL_OPTIONS = z.strictObject({
  start: z
    .custom<(node: SimNode) => Instance>((given) => typeof given === 'function', { error: 'expected a function of a node' })
    .meta({ description: 'Starts the system on a node: at the beginning and after each crash.' }),
  check: z
    .custom<(world: World) => readonly string[]>((given) => typeof given === 'function', {
      error: 'expected a function of the world',
    })
    .optional()
    .meta({ description: 'Own promises, judged at the end: one text for each that was broken.' }),
  seed: whole(0, 2 ** 53 - 1)
    .default(1)
    .meta({ description: 'Seed of the first schedule; the others follow.' }),
  schedules: whole(1, 1e12).default(1000).meta({ unit: 'schedules', description: 'How many are run.' }),
  stopAtFirst: z.boolean().default(false).meta({ description: 'Ends with the first schedule that breaks a promise.' }),
  nodes: whole(1, 64).default(3).meta({ unit: 'nodes', description: 'Instances of the system.' }),
  keys: whole(1, 1000).default(2).meta({ unit: 'keys', description: 'Keys that clients ask for and change.' }),
  steps: whole(1, 100_000).default(16).meta({ unit: 'steps', description: 'Steps of a schedule: reads, writes and faults.' }),
  faults: z.array(z.enum(FAULTS)).default([]).meta({ description: 'What may go wrong; each ends by itself.' }),
  faultShare: z.number().min(0).max(1).default(0.2).meta({ unit: 'ratio', description: 'Share of steps that are faults.' }),
  tokenShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .meta({ unit: 'ratio', description: "Share of reads that bear their key's latest token." }),
  gap: duration()
    .default(60)
    .meta({ unit: 'ms', shown: '60ms', description: 'Longest pause between two steps; most are shorter.' }),
  longest: duration()
    .default(900)
    .meta({ unit: 'ms', shown: '900ms', description: 'Longest fault; let it be above every timeout.' }),
  skew: duration()
    .default(3_600_000)
    .meta({ unit: 'ms', shown: '1h', description: 'Clocks of nodes and store differ by up to so much.' }),
  warmUp: duration().default(0).meta({ unit: 'ms', shown: '0', description: 'Time to come up, before the first step.' }),
  promises: z
    .array(z.enum(PROMISES))
    .default([...PROMISES])
    .meta({ description: 'Which promises are checked.' }),
  follow: duration()
    .default(100)
    .meta({ unit: 'ms', shown: '100ms', description: 'P2: where nothing is wrong, others follow within.' }),
  blindAfter: duration().default(1000).meta({ unit: 'ms', shown: '1s', description: 'P3: silence is trusted so long.' }),
  servesBlind: z
    .boolean()
    .default(true)
    .meta({ description: 'P3: who cannot reach the store may serve what it has, inside the budget.' }),
  budget: duration().default(60_000).meta({ unit: 'ms', shown: '60s', description: 'P4: no answer is older.' }),
  deadline: duration().default(5000).meta({ unit: 'ms', shown: '5s', description: 'P6: nobody waits longer.' }),
})

/** Options of `explore` and `replay`. */
export type TrialOptions = z.input<typeof TRIAL_OPTIONS>

/** Resolved. */
export type Trial = z.output<typeof TRIAL_OPTIONS>

/** @throws FC_OPTION_* naming the first bad option */
export function parseTrial(given: TrialOptions): Trial {
  return parseOptions(TRIAL_OPTIONS, given, 'trial')
}

/** What a trial promises. */
export function limitsOf({ follow, blindAfter, servesBlind, budget, deadline }: Trial): Limits {
  return { followMs: follow, blindAfterMs: blindAfter, servesBlind, budgetMs: budget, deadlineMs: deadline }
}
