/**
 * The words of the audit: what was served, what its origin has by now, and a promise that was broken.
 *
 * Floor 0, room model. What is measured is told as measured: a moment that nobody saw is bounded, never guessed into an alarm.
 */
import type { Budget } from './budget.ts'
import type { Position } from './entry.ts'

/**
 * How an entry came to stand in memory: read for who waited; read behind a stale answer; confirmed by an origin that said
 * nothing had changed; written as it is; taken from the second level; read from a disk.
 */
export type Way = 'load' | 'refresh' | 'renewal' | 'write' | 'promotion' | 'snapshot'

/**
 * Which promise was broken: served though an invalidation that names it was acknowledged after it was read and before it was
 * asked for; older than its budget by its own age; older than its budget by what its origin was seen to have.
 */
export type Breach = 'invalidated' | 'budget' | 'outdated'

/** What was found where the truth is asked for. */
export type Found = 'same' | 'changed' | 'unknown'

/** What the origin has. */
export interface Seen {
  readonly found: Found
  /** Ms since it changed, by the origin's own clock (Date less Last-Modified); absent: it does not say. */
  readonly changedAgoMs?: number | undefined
}

/** Asks the origin what it has; marked, stored nowhere. Rejections count as `unknown`. */
export type Check = (signal: AbortSignal) => Promise<Seen>

/** An invalidation in a trace. */
export interface TracedRecord {
  readonly position: Position
  /** ISO 8601. */
  readonly at: string
  /** Who asked. */
  readonly by: string
  readonly targets: readonly string[]
}

/** Something that happened to a key. */
export interface TracedStep {
  /** ISO 8601. */
  readonly at: string
  readonly what: string
}

/** A broken promise with its trace. Durations in ms; moments as ISO 8601, by this process's clocks. */
export interface Violation {
  readonly breach: Breach
  /** All of it in one sentence. */
  readonly text: string
  readonly key: string
  readonly route: string
  /** Whose memory it was. */
  readonly instance: string
  /** When it was served. */
  readonly at: string
  /** When its reading of the origin began. */
  readonly storedAt: string
  readonly ageMs: number
  /** What it was promised to be at most. */
  readonly promisedMs: number
  readonly budget: Budget
  /** Horizon when its reading began, as it was stored with; as of which memory holds it for proven, where that is forgotten. */
  readonly asOf: Position
  readonly way: Way | 'unknown'
  readonly tags: readonly string[]
  /** Invalidations that name it, made after it was read and before it was served. */
  readonly records: readonly TracedRecord[]
  readonly origin: Found
  /** What the second level has; `unknown` where there is none. */
  readonly second: Found
  /** How much longer than this its origin has had something else; absent: not known. */
  readonly staleMs?: number
  /** What happened to the key lately, oldest first. */
  readonly steps: readonly TracedStep[]
}
