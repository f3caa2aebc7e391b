/**
 * What the audit remembers by itself: invalidations by the time they were applied, and how keys came to stand in memory.
 *
 * Floor 3, room flow. Kept apart from the fence, so that a fence that fails is found out. All tables are bounded; what is
 * forgotten raises no alarm. Costs a few table entries for each invalidation and each store, nothing for a hit.
 */
import type { TracedStep, Way } from '../model/audit.ts'
import type { Clock } from '../model/clock.ts'
import type { Entry, Position } from '../model/entry.ts'
import type { EventHub } from '../model/event.ts'
import type { LogRecord, Target } from '../model/log.ts'
import { OldestFirst } from '../model/oldest.ts'
import type { Fence } from '../tier/fence.ts'

/** How an entry came. */
export interface Coming {
  readonly way: Way
  readonly storedAt: number
  /** As it was stored with. */
  readonly asOf: Position
  /** The log's end when it was stored. */
  readonly keptAt: Position
}

/** What is remembered of a key. */
interface Page {
  readonly coming?: Coming
  readonly steps: readonly TracedStep[]
}

/** When the origin was first seen to have something else than a version of ours. */
interface Superseded {
  readonly version: string
  /** `clock.now()`. */
  readonly seenAt: number
}

const MAX_NAMES = 65_536
const MAX_PREFIXES = 256
const MAX_KEYS = 10_000
const MAX_STEPS = 8
/** Said of memory alone, where nothing could be proven: no statement about what stands elsewhere. */
const PROOFLESS: ReadonlySet<string> = new Set(['blind', 'lost'])

/** What the book listens to. */
export interface BookParts {
  readonly clock: Clock
  readonly events: EventHub
  readonly fence: Fence
}

/** See the module's header. */
export class AuditBook {
  readonly #clock: Clock
  readonly #named = new OldestFirst<LogRecord>()
  readonly #prefixes = new OldestFirst<LogRecord>()
  readonly #pages = new OldestFirst<Page>()
  readonly #superseded = new OldestFirst<Superseded>()
  /** Said here before anywhere else. */
  readonly #own = new WeakSet<LogRecord>()
  #last: LogRecord | undefined
  readonly #stops: readonly (() => void)[]

  constructor({ clock, events, fence }: BookParts) {
    this.#clock = clock
    this.#stops = [
      fence.onAppend((record) => this.#note(record)),
      events.on('keep:store', ({ key, asOf, storedAt, way }) => {
        this.#turn(key, `stored by ${way} as of ${asOf}`, { way, storedAt, asOf, keptAt: fence.horizon })
      }),
      events.on('keep:refuse', ({ key, reason }) => this.#turn(key, `not stored: ${reason}`)),
      events.on('memory:remove', ({ key, reason }) => {
        if (reason !== 'replaced') this.#turn(key, `removed: ${reason}`)
      }),
    ]
  }

  /** How this very entry came; undefined: forgotten, or before the audit began. */
  comingOf({ key, storedAt }: Pick<Entry, 'key' | 'storedAt'>): Coming | undefined {
    const coming = this.#pages.get(key)?.coming
    return coming?.storedAt === storedAt ? coming : undefined
  }

  stepsOf(key: string): readonly TracedStep[] {
    return this.#pages.get(key)?.steps ?? []
  }

  /**
   * Invalidations that name an entry, or the key it was found by, and were applied after its reading began.
   *
   * @param keys the entry's own, and the one that was asked for
   * @param doubtMs how far times of another machine's readings may be off
   */
  naming(entry: Pick<Entry, 'key' | 'storedAt' | 'namespace' | 'tags'>, keys: readonly string[], doubtMs: number): LogRecord[] {
    const coming = this.comingOf(entry)
    const isAfter = (record: LogRecord): boolean => {
      if (coming === undefined) return false
      if (record.position > coming.keptAt) return true // it stood here when that was said
      const { way, asOf } = coming
      if (way === 'snapshot') return false // read before this log was heard
      // What was read elsewhere is placed by its clock, and what was said elsewhere may have been heard late: only what was
      // said here first was surely said nowhere before.
      if (way === 'promotion') return this.#own.has(record) && record.steadyAt > entry.storedAt + doubtMs
      return record.position > asOf || record.steadyAt > entry.storedAt
    }
    const found = new Set<LogRecord>()
    for (const name of namesOf(entry, keys)) {
      const record = this.#named.get(name)
      if (record !== undefined && isAfter(record)) found.add(record)
    }
    for (const [prefix, record] of this.#prefixes.entries()) {
      if (keys.some((key) => key.startsWith(prefix)) && isAfter(record)) found.add(record)
    }
    return [...found].sort((a, b) => a.position - b.position)
  }

  /** The last invalidation was made here, not heard from others. */
  own(): void {
    if (this.#last !== undefined) this.#own.add(this.#last)
  }

  /** The origin has another version than this one. @returns since when that is known, `clock.now()` */
  supersede(key: string, version: string): number {
    const known = this.#superseded.get(key)
    if (known?.version === version) return known.seenAt
    const seenAt = this.#clock.now()
    this.#superseded.set(key, { version, seenAt })
    if (this.#superseded.size > MAX_KEYS) this.#superseded.takeOldest()
    return seenAt
  }

  /** The origin has this version. */
  confirm(key: string): void {
    this.#superseded.delete(key)
  }

  close(): void {
    for (const stop of this.#stops) stop()
  }

  #note(record: LogRecord): void {
    this.#last = record
    if (record.soft) return
    for (const target of record.targets) {
      const [table, limit] = target.kind === 'prefix' ? [this.#prefixes, MAX_PREFIXES] : [this.#named, MAX_NAMES]
      table.set(nameOf(target, record.source), record)
      if (table.size > limit) table.takeOldest()
      if (target.kind === 'key') this.#turn(target.key, `invalidated by ${record.source} at ${record.position}`)
    }
  }

  #turn(key: string, what: string, coming = this.#pages.get(key)?.coming): void {
    const known = this.#pages.get(key)?.steps ?? []
    const step = { at: new Date(this.#clock.wall()).toISOString(), what }
    const steps = [...known.slice(1 - MAX_STEPS), step]
    this.#pages.set(key, coming === undefined ? { steps } : { coming, steps })
    if (this.#pages.size > MAX_KEYS) this.#pages.takeOldest()
  }
}

/** A prefix is its own name: it stands in a table of its own. */
function nameOf(target: Target, source: string): string {
  switch (target.kind) {
    case 'key':
      return `k${target.key}`
    case 'tag':
      return `t${target.tag}`
    case 'prefix':
      return target.prefix
    case 'namespace':
      return `n${target.namespace}`
    case 'all':
      return PROOFLESS.has(source) ? 'a-' : 'a'
    default:
      return target satisfies never
  }
}

function namesOf({ namespace, tags }: Pick<Entry, 'namespace' | 'tags'>, keys: readonly string[]): string[] {
  return ['a', 'a-', `n${namespace}`, ...keys.map((key) => `k${key}`), ...tags.map((tag) => `t${tag}`)]
}
