/**
 * What follows what: for each key the keys that the same client asked for soon after, with how often they did.
 *
 * Floor 3, room flow. Of first order: the last few requests of a session, each a predecessor of the one that comes. Keys that
 * are URLs teach by their shape, too: what followed one user's page follows another's with his values, also where nobody
 * has asked for that before. A key that is well known is told by its own counts alone. Bounded: sessions by count, the oldest
 * forgotten first; rules by count and bytes (flow/successions.ts). A request costs one step for each of its few predecessors.
 */
import { OldestFirst } from '../model/oldest.ts'
import type { Mentions } from './prefetch-mentions.ts'
import { isMentioning, shapeOf, templateOf, urlFrom } from './prefetch-shape.ts'
import { type Followed, type Link, Successions } from './successions.ts'

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
  /** What rules may hold. */
  readonly maxBytes: number
  /** Keys are URLs, and teach by their shape. */
  readonly shapes: boolean
}

/** Defaults of RuleLimits. */
export const RULE_LIMITS: RuleLimits = {
  sessions: 10_000,
  keys: 65_536,
  successors: 12,
  depth: 8,
  windowMs: 10_000,
  maxBytes: 32 * 1024 * 1024,
  shapes: false,
}

/** By what a successor is known: by what followed this very key, or its shape. */
export type Lesson = 'key' | 'shape'

/** What is likely to be asked for next by whoever asked for something. */
export interface Successor {
  readonly key: string
  /** 0 to 1. */
  readonly chance: number
  readonly lesson: Lesson
  /** The rule that says so. */
  readonly link: Link
}

/** One request of a session. */
export interface Step {
  readonly session: string
  readonly key: string
  readonly nowMs: number
  /** What its answer mentions. */
  readonly mentions?: Mentions | undefined
}

interface Past {
  readonly key: string
  readonly rules: Followed
  atMs: number
  readonly mentions: Mentions | undefined
  /** What has been counted as following it in this session. */
  readonly followed: string[]
}

interface Session {
  readonly past: Past[]
  /** When it was last made the youngest. */
  touchedMs: number
}

/** Before so many the counts say nothing. */
const MIN_SEEN = 2
/** From here on a key needs no shape. */
const KNOWN_SEEN = 8
/** Successors counted for one request. */
const MAX_FOLLOWED = 32
/** Who was made the youngest just now need not be again. */
const TOUCH_EVERY_MS = 1000
const SESSION_BYTES = 256
const PAST_BYTES = 320
/** Of the bytes, what rules of keys may hold; the rest is for shapes. */
const KEYS_SHARE = 3 / 4
const NONE: readonly Successor[] = []

/** See the module's header. */
export class PrefetchRules {
  readonly #limits: RuleLimits
  readonly #sessions = new OldestFirst<Session>()
  readonly #keys: Successions
  readonly #shapes: Successions

  constructor(limits: RuleLimits = RULE_LIMITS) {
    this.#limits = limits
    const { keys, successors, maxBytes, shapes } = limits
    this.#keys = new Successions({ keys, successors, maxBytes: shapes ? maxBytes * KEYS_SHARE : maxBytes })
    this.#shapes = new Successions({
      keys: Math.ceil(keys / 8),
      successors: successors * 2,
      maxBytes: maxBytes * (1 - KEYS_SHARE),
    })
  }

  /** Keys with successors. */
  get size(): number {
    return this.#keys.size
  }

  /** What all of it holds, about. */
  get bytes(): number {
    return this.#keys.bytes + this.#shapes.bytes + this.#sessions.size * (SESSION_BYTES + this.#limits.depth * PAST_BYTES)
  }

  /**
   * Somebody asked for a key.
   *
   * @returns what is likely to be asked for next, in no order; without what is known to stand, and rules that rest
   */
  follow({ session, key, nowMs, mentions }: Step): readonly Successor[] {
    const { depth, windowMs, shapes } = this.#limits
    const { past } = this.#session(session, nowMs)
    while (past.length > 0 && nowMs - (past[0] as Past).atMs > windowMs) past.shift()
    const last = past.at(-1)
    if (last?.key === key) {
      last.atMs = nowMs
      return NONE // the same again is no step
    }
    for (const one of past) this.#count(one, key)
    const { followed, before } = this.#keys.ask(key, nowMs)
    past.push({ key, rules: followed, atMs: nowMs, mentions, followed: [] })
    if (past.length > depth) past.shift()
    const own = before < MIN_SEEN ? NONE : toldBy(followed, before, nowMs)
    if (!shapes || (before >= KNOWN_SEEN && mentions === undefined)) return own
    return [...own, ...this.#byShape({ session, key, nowMs, mentions }, followed, before >= KNOWN_SEEN)]
  }

  clear(): void {
    this.#sessions.clear()
    this.#keys.clear()
    this.#shapes.clear()
  }

  #session(name: string, nowMs: number): Session {
    const known = this.#sessions.get(name)
    if (known !== undefined && nowMs - known.touchedMs < TOUCH_EVERY_MS) return known
    const session = known ?? { past: [], touchedMs: nowMs }
    session.touchedMs = nowMs
    this.#sessions.set(name, session)
    if (this.#sessions.size > this.#limits.sessions) this.#sessions.takeOldest()
    return session
  }

  #count(past: Past, key: string): void {
    if (past.key === key || past.followed.length >= MAX_FOLLOWED || past.followed.includes(key)) return
    past.followed.push(key)
    this.#keys.count(past.rules, key)
    if (!this.#limits.shapes) return
    const isKnown = past.rules.seen > KNOWN_SEEN
    if (isKnown && past.mentions === undefined) return
    const shape = shapeOf(past.key)
    const known = this.#shapes.at(shape.text)
    if (known === undefined) return
    const template = templateOf(key, shape, past.mentions)
    if (isMentioning(template) || !isKnown) this.#shapes.count(known, template)
  }

  #byShape({ key, nowMs, mentions }: Step, own: Followed, isKnown: boolean): Successor[] {
    const shape = shapeOf(key)
    const { followed, before } = this.#shapes.ask(shape.text, nowMs)
    if (before < MIN_SEEN) return []
    const told: Successor[] = []
    for (const [template, link] of followed.next) {
      if (link.lookAtMs > nowMs || link.restUntilMs > nowMs || (isKnown && !isMentioning(template))) continue
      const next = urlFrom(template, shape, mentions)
      if (next === undefined || next === key || own.next.has(next)) continue
      told.push({ key: next, chance: Math.min(1, link.count / (before + 1)), lesson: 'shape', link })
    }
    return told
  }
}

/** One more than was seen: who followed each of two times does not follow for certain. */
function toldBy({ next }: Followed, before: number, nowMs: number): readonly Successor[] {
  let told: Successor[] | undefined
  for (const [key, link] of next) {
    if (link.lookAtMs > nowMs || link.restUntilMs > nowMs) continue
    told ??= []
    told.push({ key, chance: link.count / (before + 1), lesson: 'key', link })
  }
  return told ?? NONE
}
