/**
 * The only writer: every answer that is to be stored, on any path, comes through here and is judged by the fence.
 *
 * Floor 3, room flow. Foreground loads, background refreshes, renewals by a 304, streamed fills, plain sets: all the
 * same. A reading that something invalidated after its asOf is not stored; one that is older than what stands is not
 * stored; one that took longer than `maxLoadMs` is not stored. Never throws.
 */
import type { Way } from '../model/audit.ts'
import { type Budget, jitterBudget } from '../model/budget.ts'
import type { Clock } from '../model/clock.ts'
import type { Entry, EntryKind, Learned } from '../model/entry.ts'
import type { EventHub } from '../model/event.ts'
import type { MemoryPort } from '../model/port.ts'
import type { Random } from '../model/random.ts'
import type { Fence, Reading } from '../tier/fence.ts'
import type { Adaptive } from './adaptive.ts'
import { REASON_NAMES, type WindowReason } from './choose-window.ts'
import type { Fill } from './fill.ts'
import type { Governor } from './governor.ts'

/** What is to be stored. */
export interface Candidate<V = unknown> {
  readonly value: V
  /** Bytes the value is charged with. */
  readonly bytes: number
  readonly budget: Budget
  /** Tags learned with the answer, added to the fill's. */
  readonly tags?: readonly string[]
  readonly kind?: EntryKind
  readonly share?: { readonly id: string; readonly bytes: number }
  /** Share of the fresh window that jitter may take; default: the engine's. */
  readonly jitter?: number
  /** Digest of what it is; default: it is not compared with what stands. */
  readonly mark?: number
  /** Whether it is what stands, although the digests differ. */
  readonly sameAs?: (standing: unknown) => boolean
  /**
   * Where fresh windows are adaptive, what was promised: `budget` holds the chosen one already. `choose`: the budget is what
   * was promised, and the window is chosen here.
   */
  readonly promised?: Promised | 'choose'
}

/** A window that was chosen instead of another. */
export interface Promised {
  readonly promisedMs: number
  readonly because: WindowReason
}

/** What became of it. `fenced`, `older`, `late` are the fence's doing; `size` the memory limit's. */
export type Kept = 'kept' | 'fenced' | 'older' | 'late' | 'size'

/** Parts the writer works on. */
export interface KeepParts {
  readonly fence: Fence
  readonly memory: MemoryPort
  readonly governor: Pick<Governor, 'admit'>
  readonly clock: Clock
  readonly random: Random
  readonly events: EventHub
  readonly jitter: number
  readonly maxLoadMs: number
  /** Absent: nothing is learned. */
  readonly adaptive?: Adaptive
}

/** Stores a candidate read by a fill, if the fence admits it. */
export function keep(parts: KeepParts, fill: Fill, candidate: Candidate): Kept {
  const { fence, events } = parts
  const tags = unite(fill.tags, candidate.tags)
  const reading = { key: fill.key, asOf: fill.asOf, namespace: fill.namespace, tags }
  const refusal = refuse(parts, fill) ?? (fence.admits(reading) ? undefined : 'fenced')
  if (refusal !== undefined) return tell(events, reading, refusal)
  const softened = fence.softens(reading)
  const { budget, learned } = adapt(parts, fill, { candidate, tags })
  const entry: Entry = {
    key: fill.key,
    kind: candidate.kind ?? 'value',
    value: candidate.value,
    bytes: candidate.bytes,
    storedAt: fill.startedAt,
    budget: jitterBudget(budget, candidate.jitter ?? parts.jitter, parts.random),
    asOf: fill.asOf,
    namespace: fill.namespace,
    tags,
    ...(candidate.share === undefined ? {} : { share: candidate.share }),
    ...(learned === undefined ? {} : { learned }),
  }
  return put(parts, entry, { softened, way: fill.way ?? 'load' })
}

/** Stores what another engine has read and its log has judged; what stands and is newer stays. */
export function promote(parts: KeepParts, entry: Entry, how: { softened: boolean; way: Way }): Kept {
  const standing = parts.memory.look(entry.key)
  if (standing !== undefined && standing.storedAt >= entry.storedAt) return tell(parts.events, entry, 'older')
  const { learned } = entry
  const word = learned === undefined ? undefined : parts.adaptive?.wordOf(entry.key)
  return put(parts, word === undefined ? entry : { ...entry, learned: { ...learned, mark: learned?.mark ?? 0, word } }, how)
}

/** What this reading teaches of its key, and the windows that follow from it. */
function adapt(
  { adaptive }: KeepParts,
  fill: Fill,
  { candidate, tags }: { readonly candidate: Candidate; readonly tags: readonly string[] },
): { readonly budget: Budget; readonly learned: Learned | undefined } {
  const { budget, promised, mark = 0, sameAs } = candidate
  if (candidate.kind !== undefined && candidate.kind !== 'value') return { budget, learned: undefined }
  if (fill.way === 'write' || adaptive === undefined) return { budget, learned: { mark } } // a write tells of itself
  const { key, namespace, route, startedAt, adaptive: settings, repeats = false } = fill
  const windowMs = budget.staleMs
  const word = adaptive.learn({ key, namespace, tags, route, startedAt, settings, mark, sameAs, windowMs, repeats })
  if (settings === undefined || promised === undefined) return { budget, learned: { mark, word } }
  const promisedMs = promised === 'choose' ? budget.freshMs : promised.promisedMs
  const wish = { settings, promisedMs, latestMs: budget.staleMs }
  const { freshMs, because } =
    promised === 'choose' ? adaptive.choose({ route, key, word }, wish) : { freshMs: budget.freshMs, because: promised.because }
  if (!repeats) adaptive.tell(route, { promisedMs, freshMs })
  const chosen = { promisedMs, route, because: REASON_NAMES.indexOf(because) }
  return { budget: { ...budget, freshMs }, learned: { mark, word, chosen } }
}

function put({ memory, governor, events }: KeepParts, entry: Entry, { softened, way }: { softened: boolean; way: Way }): Kept {
  if (!governor.admit() || !memory.put(entry)) return tell(events, entry, 'size')
  if (softened) memory.soften(entry.key)
  if (events.wants('keep:store')) {
    const { key, bytes, kind, asOf, storedAt, namespace, tags } = entry
    events.emit('keep:store', { key, bytes, kind, asOf, storedAt, way, namespace, tags })
  }
  return 'kept'
}

function refuse(parts: KeepParts, fill: Fill): 'late' | 'older' | undefined {
  if (parts.clock.now() - fill.startedAt > parts.maxLoadMs) return 'late'
  // Both are current, or the fence would have refused one: the reading that began later is the newer one.
  const standing = parts.memory.look(fill.key)
  return standing !== undefined && standing.storedAt > fill.startedAt ? 'older' : undefined
}

function tell(events: EventHub, reading: Reading, reason: Exclude<Kept, 'kept'>): Kept {
  if (events.wants('keep:refuse')) {
    const { key, namespace, tags } = reading
    events.emit('keep:refuse', { key, reason, namespace, tags })
  }
  return reason
}

function unite(known: readonly string[], learned: readonly string[] | undefined): readonly string[] {
  if (learned === undefined || learned.length === 0) return known
  if (known.length === 0 && learned.length === 1) return learned
  return [...new Set([...known, ...learned])]
}
