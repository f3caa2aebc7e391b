/**
 * Why a request is, or is not, answered from the cache: rule, key, budget, age, tags, the last decision, who invalidated.
 *
 * Floor 4, room ops. Looks without counting a use and never asks the origin. The reason is one of model/reason.ts.
 */
import type { Engine } from '../flow/engine.ts'
import type { Violation } from '../model/audit.ts'
import type { Budget } from '../model/budget.ts'
import type { Entry, EntryKind, Position } from '../model/entry.ts'
import type { KeyPart, RequestView, ResponseView } from '../model/explain.ts'
import { type LogRecord, textOfTarget } from '../model/log.ts'
import { type Reason, REASONS, type Refusal } from '../model/reason.ts'
import { judge } from '../model/verdict.ts'
import type { Fence } from '../tier/fence.ts'
import { type ChangeView, viewChange } from './explain-change.ts'
import type { Happening, Journal, Note } from './journal.ts'

/** The answer of `explain`. Durations in ms, sizes in bytes, moments as ISO 8601. */
export interface Explanation {
  readonly reason: Reason
  /** The reason in one sentence. */
  readonly text: string
  /** Whether a request would be answered from memory now. */
  readonly cached: boolean
  readonly key: string | null
  /** The route's policy, where a door was asked. */
  readonly route?: string
  /** How the key is built, where a door was asked. */
  readonly parts?: readonly KeyPart[]
  /** More about a bypass: which part of the key could not be told. */
  readonly detail?: string
  /** The stored response by its own times, where a door was asked. */
  readonly response?: ResponseView
  readonly entry?: EntryView
  /** Why the key is marked as uncacheable. */
  readonly because?: Refusal
  readonly lastDecision?: Happening & { readonly at: string }
  readonly lastFailure?: { readonly at: string; readonly text: string }
  /** The latest invalidation that names this key, its tags or its namespace. */
  readonly lastInvalidation?: InvalidationView
  /** Ms until the origin is asked again after failures. */
  readonly backoffMs?: number
  /** The last broken promises that the audit found for this key, newest first; absent: none. */
  readonly violations?: readonly Violation[]
  /** How often the key really changed, and what its fresh window was made of; absent: nothing is known. */
  readonly change?: ChangeView
  /** A load of this key is under way. */
  readonly loading: boolean
}

/** What stands. */
export interface EntryView {
  readonly kind: EntryKind
  readonly ageMs: number
  readonly bytes: number
  readonly budget: Budget
  /** Ms left of each window; 0 when it has passed. */
  readonly left: Budget
  readonly tags: readonly string[]
  readonly namespace: string
}

/** An invalidation, for people. */
export interface InvalidationView {
  readonly position: Position
  readonly at: string
  /** Who asked: `library`, `api`, `gateway` … */
  readonly by: string
  readonly soft: boolean
  readonly targets: readonly string[]
}

/** What explaining looks at. */
export interface ExplainParts {
  readonly engine: Engine
  readonly journal: Journal
}

const CACHED: ReadonlySet<Reason> = new Set(['fresh', 'stale', 'softened'])
const MAX_TARGETS = 20
const MAX_VIOLATIONS = 5

/** @param view what a door says about the request; without one, `key` is a key as stored */
export function explain(parts: ExplainParts, key: string | undefined, view?: RequestView): Explanation {
  const door = view === undefined ? {} : describeDoor(view)
  if (view?.bypass !== undefined || key === undefined) {
    return { ...sentence(view?.bypass ?? 'bypass-key'), key: key ?? null, ...door, loading: false }
  }
  const { engine, journal } = parts
  const entry = engine.memory.look(key)
  const note = journal.last(key) // after the look: a dead entry is removed, and noted, by it
  const record = engine.fence.lastNaming({
    key,
    namespace: entry?.namespace ?? view?.namespace ?? note?.namespace ?? 0,
    tags: entry?.tags ?? note?.tags ?? [],
  })
  const reason = entry === undefined ? absence(engine, key, note) : standing(engine, entry, { note, record, view })
  const backoffMs = engine.backoff.leftMs(key)
  return {
    ...sentence(reason),
    key,
    ...door,
    ...(entry !== undefined && { entry: viewEntry(engine, entry) }),
    ...(reason === 'pass' && note?.refusal !== undefined && { because: note.refusal }),
    ...(note !== undefined && { lastDecision: { ...note.last, at: iso(note.at) } }),
    ...(note?.failure !== undefined && { lastFailure: { at: iso(note.failure.at), text: note.failure.text } }),
    ...(record !== undefined && { lastInvalidation: viewRecord(engine.fence, record) }),
    ...(backoffMs > 0 && { backoffMs: Math.ceil(backoffMs) }),
    ...violationsOf(engine, key),
    ...viewChange(engine, key, { entry, route: view?.route }),
    loading: engine.flights.has(key),
  }
}

function violationsOf({ audit }: Engine, key: string): Pick<Explanation, 'violations'> {
  const found = audit?.violations(key) ?? []
  return found.length === 0 ? {} : { violations: found.slice(-MAX_VIOLATIONS).toReversed() }
}

function sentence(reason: Reason): { reason: Reason; text: string; cached: boolean } {
  return { reason, text: REASONS[reason], cached: CACHED.has(reason) }
}

interface Known {
  readonly note: Note | undefined
  readonly record: LogRecord | undefined
  readonly view: RequestView | undefined
}

function standing(engine: Engine, entry: Entry, { note, record, view }: Known): Reason {
  if (entry.kind === 'vary') return 'variant'
  const judged = view?.standing ?? judgedAlone(engine, entry)
  const softly = entry.budget.freshMs === 0 && record?.soft === true && record.position > (note?.asOf ?? 0)
  return judged === 'stale' && softly ? 'softened' : judged
}

/** By the budget alone. */
function judgedAlone(engine: Engine, entry: Entry): Reason {
  const { state } = judge(entry, engine.clock.now())
  if (state === 'expired') return 'outdated'
  return state === 'absent' ? 'unknown' : state // absent: a pass marker whose time is over
}

function describeDoor({
  route,
  parts,
  detail,
  response,
}: RequestView): Pick<Explanation, 'route' | 'parts' | 'detail' | 'response'> {
  return { route, parts, ...(detail !== undefined && { detail }), ...(response !== undefined && { response }) }
}

function absence(engine: Engine, key: string, note: Note | undefined): Reason {
  if (engine.flights.has(key)) return 'loading'
  if (note === undefined) return 'unknown'
  const { last } = note
  switch (last.what) {
    case 'refused':
      return last.reason
    case 'removed':
      return last.reason
    case 'failed':
      return engine.backoff.leftMs(key) > 0 ? 'backoff' : 'origin-failed'
    case 'stored': // removed without a word: the cache was cleared
      return 'unknown'
  }
}

function viewEntry(engine: Engine, entry: Entry): EntryView {
  const { kind, bytes, budget, tags } = entry
  const ageMs = Math.max(0, engine.clock.now() - entry.storedAt)
  const left = (windowMs: number): number => Math.round(Math.max(0, windowMs - ageMs))
  return {
    kind,
    ageMs: Math.round(ageMs),
    bytes,
    budget,
    left: { freshMs: left(budget.freshMs), staleMs: left(budget.staleMs), onErrorMs: left(budget.onErrorMs) },
    tags,
    namespace: engine.fence.namespaceName(entry.namespace),
  }
}

function viewRecord(fence: Fence, record: LogRecord): InvalidationView {
  const { position, at, source, soft, targets } = record
  return {
    position,
    at: iso(at),
    by: source,
    soft,
    targets: targets.slice(0, MAX_TARGETS).map((target) => textOfTarget(target, (id) => fence.namespaceName(id))),
  }
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
