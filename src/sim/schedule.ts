/**
 * Schedules: what clients do and what goes wrong, as data; drawn from a seed, printed, repeated and shortened.
 *
 * Floor 1, room sim.
 */
import { Chance } from './chance.ts'

/** What may go wrong. */
export type FaultName = (typeof FAULTS)[number]

/** All faults, by name. */
export const FAULTS = [
  'pause',
  'crash',
  'cut',
  'cut-store',
  'loss',
  'repetition',
  'delay',
  'freeze-store',
  'restart-store',
  'empty-store',
  'fail-over',
  'step-clock',
] as const

/** One step: after a pause, one thing is done or begins to go wrong for a while. */
export interface Step {
  readonly do: 'read' | 'write' | FaultName
  /** Ms that pass before it. */
  readonly afterMs: number
  /** Index of the node it is about. */
  readonly node: number
  /** Index of the key it is about. */
  readonly key: number
  /** A read bears the token of the latest write of its key. */
  readonly hasToken: boolean
  /** Faults: how long; `fail-over`: how far the replica lags; `step-clock`: how far. */
  readonly forMs: number
  /** `loss`, `repetition`: of how many messages. */
  readonly share: number
  /** What everything drawn from here on depends on. */
  readonly seed: number
}

/** A whole run: seed and steps say everything. */
export interface Schedule {
  readonly seed: number
  readonly steps: readonly Step[]
}

/** What schedules are drawn from. */
export interface Plan {
  readonly nodes: number
  readonly keys: number
  /** Steps of a schedule. */
  readonly steps: number
  readonly faults: readonly FaultName[]
  /** Share of steps that are faults. */
  readonly faultShare: number
  /** Share of reads that bear a token. */
  readonly tokenShare: number
  /** Longest trouble, ms: above every timeout. */
  readonly longestMs: number
  /** Longest pause between two steps, ms. */
  readonly gapMs: number
}

const WRITES = 0.3
/** Share of faults that are long, and of pauses. */
const LONG = 0.25
const LONG_GAP = 0.05
/** Share of reads that go to the node that a fault was last about. */
const TROUBLED = 0.4

/** Draws a schedule; the same one for the same seed and plan. */
export function drawSchedule(seed: number, plan: Plan): Schedule {
  const chance = new Chance(seed)
  const steps: Step[] = []
  let troubled = 0
  for (let i = 0; i < plan.steps; i += 1) {
    const step = drawStep(chance, plan)
    // Where something is wrong it is worth asking.
    const isAsked = step.do === 'read' && chance.hits(TROUBLED)
    if (step.do !== 'read' && step.do !== 'write') troubled = step.node
    steps.push(isAsked ? { ...step, node: troubled } : step)
  }
  return { seed, steps }
}

function drawStep(chance: Chance, plan: Plan): Step {
  const isFault = plan.faults.length > 0 && chance.hits(plan.faultShare)
  const what = isFault ? (plan.faults[chance.below(plan.faults.length)] as FaultName) : chance.hits(WRITES) ? 'write' : 'read'
  return {
    do: what,
    afterMs: Math.round(chance.next() ** 2 * (chance.hits(LONG_GAP) ? plan.longestMs : plan.gapMs)),
    node: chance.below(plan.nodes),
    key: Math.floor(chance.next() ** 2 * plan.keys), // some are asked for more often
    hasToken: chance.hits(plan.tokenShare),
    forMs: Math.round(chance.next() * (chance.hits(LONG) ? plan.longestMs : plan.longestMs / 10)),
    share: chance.between(0.1, 1),
    seed: chance.below(0x1_0000_0000),
  }
}

/** A step in words. */
export function describeStep({ do: what, node, key, hasToken, forMs, share }: Step): string {
  const at = `n${node + 1}`
  switch (what) {
    case 'read':
      return `${at} is asked for k${key + 1}${hasToken ? ', with a token' : ''}`
    case 'write':
      return `k${key + 1} is changed, ${at} is told`
    case 'pause':
      return `${at} stands still for ${forMs} ms`
    case 'crash':
      return `${at} dies, and comes back after ${forMs} ms`
    case 'cut':
      return `${at} is cut off from everything for ${forMs} ms`
    case 'cut-store':
      return `${at} is cut off from the store for ${forMs} ms`
    case 'loss':
      return `${Math.round(share * 100)} % of messages are lost for ${forMs} ms`
    case 'repetition':
      return `${Math.round(share * 100)} % of datagrams come twice for ${forMs} ms`
    case 'delay':
      return `messages take up to ${forMs} ms for ${forMs} ms`
    case 'freeze-store':
      return `the store freezes for ${forMs} ms`
    case 'restart-store':
      return `the store restarts with its data, which takes ${forMs} ms`
    case 'empty-store':
      return `the store restarts without its data, which takes ${forMs} ms`
    case 'fail-over':
      return `a replica takes over that lags by ${forMs} ms`
    case 'step-clock':
      return `${at}'s wall clock steps by ${share > 0.55 ? '' : '-'}1 h`
    default:
      return what satisfies never
  }
}
