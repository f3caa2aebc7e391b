/**
 * What follows what: for each key the keys that the same client asked for soon after, with how often they did.
 *
 * Floor 3, room flow. Of first order: the last few requests of a session, each a predecessor of the one that comes. Bounded:
 * sessions and keys by count, the oldest forgotten first; successors of a key to the most frequent. Counts are halved again
 * and again, so that what has changed is learned anew. A request costs one step for each of its few predecessors.
 */
import { OldestFirst } from '../model/oldest.ts'

/** Bounds of what is remembered. */
export interface RuleLimits {
  readonly sessions: number
  readonly keys: number
  /** Successors of one key. */
  readonly successors: number
  /** Requests of a session that count as predecessors. */
  readonly depth: number
  /** So long a request counts as one, ms. */
  readonly windowMs: number
}

/** Defaults of RuleLimits. */
export const RULE_LIMITS: RuleLimits = { sessions: 10_000, keys: 65_536, successors: 12, depth: 8, windowMs: 10_000 }

/** What is likely to be asked for next by whoever asked for something. */
export interface Successor {
  readonly key: string
  /** 0 to 1. */
  readonly chance: number
}

interface Step {
  readonly key: string
  readonly atMs: number
  /** What has been counted as following it in this session. */
  readonly followed: Set<string>
}

interface Rules {
  /** How often it was asked for. */
  seen: number
  readonly next: Map<string, number>
}

/** Before so many the counts say nothing. */
const MIN_SEEN = 2
const HALVED_AT = 64
const NONE: readonly Successor[] = []

/** See the module's header. */
export class PrefetchRules {
  readonly #limits: RuleLimits
  readonly #sessions = new OldestFirst<Step[]>()
  readonly #rules = new OldestFirst<Rules>()

  constructor(limits: RuleLimits = RULE_LIMITS) {
    this.#limits = limits
  }

  /** Keys with successors. */
  get size(): number {
    return this.#rules.size
  }

  /** Somebody asked for a key. @returns what is likely to be asked for next, in no order */
  follow(session: string, key: string, nowMs: number): readonly Successor[] {
    const { depth, windowMs } = this.#limits
    const steps = (this.#sessions.get(session) ?? []).filter(({ atMs }) => nowMs - atMs <= windowMs)
    for (const step of steps) this.#count(step, key)
    steps.push({ key, atMs: nowMs, followed: new Set() })
    this.#sessions.set(session, steps.slice(-depth))
    if (this.#sessions.size > this.#limits.sessions) this.#sessions.takeOldest()
    return this.#successorsOf(key)
  }

  #count(step: Step, key: string): void {
    if (step.key === key || step.followed.has(key)) return
    step.followed.add(key)
    const rules = this.#rules.get(step.key)
    if (rules === undefined) return
    const count = rules.next.get(key)
    if (count === undefined && rules.next.size >= this.#limits.successors) dropRarest(rules.next)
    rules.next.set(key, (count ?? 0) + 1)
  }

  #successorsOf(key: string): readonly Successor[] {
    const rules = this.#rules.get(key) ?? { seen: 0, next: new Map<string, number>() }
    const { seen } = rules
    rules.seen += 1
    if (rules.seen > HALVED_AT) halve(rules)
    this.#rules.set(key, rules)
    if (this.#rules.size > this.#limits.keys) this.#rules.takeOldest()
    if (seen < MIN_SEEN) return NONE
    // One more than was seen: who followed each of two times does not follow for certain.
    return [...rules.next].map(([next, count]) => ({ key: next, chance: count / (seen + 1) }))
  }
}

function halve(rules: Rules): void {
  rules.seen /= 2
  for (const [key, count] of rules.next) {
    if (count < 1) rules.next.delete(key)
    else rules.next.set(key, count / 2)
  }
}

function dropRarest(next: Map<string, number>): void {
  let rarest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [key, count] of next) {
    if (count >= least) continue
    least = count
    rarest = key
  }
  if (rarest !== undefined) next.delete(rarest)
}
