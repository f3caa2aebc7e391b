/**
 * The fence: what was invalidated, and when, as positions in one ordered log.
 *
 * Floor 2, room tier. A reading (a fill, an entry, a promotion) carries `asOf`, the horizon at the moment its reading
 * of the origin began; it may be stored or served iff nothing that names it stands in the log after that. O(1) to
 * invalidate however many entries a tag or namespace has. All tables are bounded: what a table has forgotten lies
 * below its floor, and a reading older than the floor counts as invalid.
 */
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { LogRecord, Standing, Target } from '../model/log.ts'
import { Positions } from './positions.ts'

/** What the fence looks at in a reading. */
export interface Reading {
  readonly key: string
  readonly asOf: Position
  readonly namespace: number
  readonly tags: readonly string[]
}

/** Bounds of the fence's tables, in items. */
export interface FenceLimits {
  /** Keys remembered for fills in flight and promotions. */
  readonly keys: number
  /** Tags remembered. */
  readonly tags: number
  /** Prefixes remembered; each costs a comparison when an entry is checked. */
  readonly prefixes: number
  /** Log records kept for people (explain): at least so many, and never twice as many. */
  readonly records: number
}

/** Defaults of FenceLimits. */
export const FENCE_LIMITS: FenceLimits = { keys: 65_536, tags: 262_144, prefixes: 256, records: 1024 }

/** A name with its places in a table. */
const NAME_BYTES = 160

/** One side (hard or soft) of the fence. */
class Side {
  readonly keys: Positions
  readonly tags: Positions
  readonly prefixes: Positions
  readonly namespaces: Position[] = [0]
  all: Position = 0

  constructor(limits: FenceLimits) {
    this.keys = new Positions(limits.keys)
    this.tags = new Positions(limits.tags)
    this.prefixes = new Positions(limits.prefixes)
  }

  /** Names remembered. */
  get size(): number {
    return this.keys.size + this.tags.size + this.prefixes.size
  }

  apply(target: Target, position: Position): void {
    switch (target.kind) {
      case 'key':
        return this.keys.set(target.key, position)
      case 'tag':
        return this.tags.set(target.tag, position)
      case 'prefix':
        return this.prefixes.set(target.prefix, position)
      case 'namespace': {
        this.namespaces[target.namespace] = position
        return
      }
      case 'all': {
        this.all = position
        return
      }
      default:
        return target satisfies never
    }
  }

  /** Whether anything but the key itself names the reading after its asOf. */
  namesGroupOf(reading: Reading): boolean {
    const { asOf, tags } = reading
    if (this.all > asOf || (this.namespaces[reading.namespace] ?? 0) > asOf) return true
    if (tags.length > 0) {
      if (this.tags.floor > asOf) return true
      for (const tag of tags) if (this.tags.get(tag) > asOf) return true
    }
    if (this.prefixes.floor > asOf) return true
    if (this.prefixes.size > 0) {
      for (const [prefix, at] of this.prefixes.entries()) if (at > asOf && reading.key.startsWith(prefix)) return true
    }
    return false
  }

  namesKeyOf(reading: Reading): boolean {
    return this.keys.floor > reading.asOf || this.keys.get(reading.key) > reading.asOf
  }
}

/** See the module's header. */
export class Fence {
  readonly #hard: Side
  readonly #soft: Side
  readonly #clock: Clock
  readonly #records: LogRecord[] = []
  readonly #recordLimit: number
  readonly #names = new Map<string, number>([['', 0]])
  readonly #listeners = new Set<(record: LogRecord) => void>()

  /** Last log position applied here. */
  horizon: Position = 0
  /** `horizon` as int32: equality with an entry's mark means nothing happened since the entry was last checked. */
  mark = 0

  constructor(clock: Clock, limits: FenceLimits = FENCE_LIMITS) {
    this.#clock = clock
    this.#hard = new Side(limits)
    this.#soft = new Side(limits)
    this.#recordLimit = limits.records
  }

  /** The small integer of a namespace; '' is 0. Namespaces are declared by code, not by requests, so this is unbounded. */
  namespace(name: string): number {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const id = this.#names.size
    this.#names.set(name, id)
    this.#hard.namespaces[id] = 0
    this.#soft.namespaces[id] = 0
    return id
  }

  /** The small integer of a namespace that was declared. */
  knownNamespace(name: string): number | undefined {
    return this.#names.get(name)
  }

  /** Name of a namespace's small integer. */
  namespaceName(id: number): string {
    for (const [name, at] of this.#names) if (at === id) return name
    return ''
  }

  /**
   * Appends one invalidation to the log and applies it; listeners (flights, the memory tier) run before it returns.
   *
   * @returns its position: the version token
   */
  append(targets: readonly Target[], soft: boolean, source: string): Position {
    const position = this.horizon + 1
    this.horizon = position
    this.mark = position | 0
    const side = soft ? this.#soft : this.#hard
    for (const target of targets) side.apply(target, position)
    const record: LogRecord = { position, at: this.#clock.wall(), steadyAt: this.#clock.now(), targets, soft, source }
    this.#records.push(record)
    // Many at once: taking out the first one moves all the others.
    if (this.#records.length >= this.#recordLimit * 2) this.#records.splice(0, this.#recordLimit)
    for (const listener of this.#listeners) listener(record)
    return position
  }

  /** Bytes of what is remembered, about. */
  get heldBytes(): number {
    return (this.#hard.size + this.#soft.size + this.#records.length) * NAME_BYTES
  }

  /** Whether a reading that is not yet stored here (fill, 304, promotion) may be stored or handed on. */
  admits(reading: Reading): boolean {
    if (reading.asOf === this.horizon) return true
    return !this.#hard.namesKeyOf(reading) && !this.#hard.namesGroupOf(reading)
  }

  /** Whether a reading counts as softened: stored, but never fresh. */
  softens(reading: Reading): boolean {
    if (reading.asOf === this.horizon) return false
    return this.#soft.namesKeyOf(reading) || this.#soft.namesGroupOf(reading)
  }

  /**
   * Judges an entry that lives in L1. Hard invalidations of its key have removed it already, so only groups are
   * looked at: a table of keys that overflowed costs fills in flight, never stored entries.
   */
  standing(stored: Reading): Standing {
    if (stored.asOf === this.horizon) return 'current'
    if (this.#hard.namesGroupOf(stored)) return 'dead'
    return this.#soft.namesGroupOf(stored) ? 'soft' : 'current'
  }

  /**
   * Whether a record in (after, upTo] names the reading. Records that are forgotten already count as naming it.
   * Answers whether a caller that arrived at `upTo` may take an answer whose reading began at `after`.
   */
  namedBetween(reading: Omit<Reading, 'asOf'>, after: Position, upTo: Position): boolean {
    if (after >= upTo) return false
    const oldest = this.#records[0]
    if (oldest === undefined || oldest.position > after + 1) return true
    for (let i = this.#records.length - 1; i >= 0; i -= 1) {
      const record = this.#records[i] as LogRecord
      if (record.position <= after) return false
      if (record.position <= upTo && record.targets.some((t) => names(t, reading))) return true
    }
    return false
  }

  /**
   * The horizon as it was at `steadyMs` of the clock, or an older one when that is forgotten: the asOf of a reading
   * from an origin whose replicas lag.
   */
  horizonAt(steadyMs: number): Position {
    for (let i = this.#records.length - 1; i >= 0; i -= 1) {
      const record = this.#records[i] as LogRecord
      if (record.steadyAt < steadyMs) return record.position
    }
    return 0 // before everything that is still known: what is forgotten may have come after it
  }

  /** Runs `listener` at each append, synchronously. @returns a function that stops it */
  onAppend(listener: (record: LogRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The latest record that names the reading, for explain. */
  lastNaming(reading: Omit<Reading, 'asOf'>): LogRecord | undefined {
    return this.#records.findLast((record) => record.targets.some((t) => names(t, reading)))
  }

  /** Recent records, oldest first. */
  get records(): readonly LogRecord[] {
    return this.#records
  }
}

/** Whether a target names a key with these tags. */
export function names(target: Target, reading: Omit<Reading, 'asOf'>): boolean {
  switch (target.kind) {
    case 'key':
      return target.key === reading.key
    case 'tag':
      return reading.tags.includes(target.tag)
    case 'prefix':
      return reading.key.startsWith(target.prefix)
    case 'namespace':
      return target.namespace === reading.namespace
    case 'all':
      return true
    default:
      return target satisfies never
  }
}
