/**
 * What all clients of a soak work with, and how their requests end.
 */
import type { Agent } from 'node:http'
import type { Random } from '../../src/model/random.ts'
import type { SoakPlan } from './plan.ts'

/** How requests ended. */
export interface Endings {
  asked: number
  answered: number
  /** Answered with 5xx: the origin's, or the gateway's for an origin that failed. */
  failed: number
  /** Broken off by the gateway, as it must where the origin broke off. */
  cut: number
  /** Left by us. */
  left: number
  unanswered: number
  bytes: number
  hits: number
}

export function noEndings(): Endings {
  return { asked: 0, answered: 0, failed: 0, cut: 0, left: 0, unanswered: 0, bytes: 0, hits: 0 }
}

/** A request is unanswered after this, ms: the origin answers within half a second. */
export const ANSWER_MS = 15_000

/** What a client works with. */
export interface Field {
  readonly port: number
  readonly plan: SoakPlan
  readonly random: Random
  readonly endings: Endings
  readonly agent: Agent
  /** Entity tags seen, for conditional requests. */
  readonly tags: Map<number, string>
}
