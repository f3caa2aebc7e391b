/**
 * Handing the library's answers to the audit: their loader is asked again, told that it is the audit who asks.
 *
 * Floor 3, room flow. What a loader answers here is compared and dropped. A stale answer is not asked about: its refresh is.
 */
import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { serialize } from 'node:v8'
import type { Check } from '../model/audit.ts'
import type { Budget } from '../model/budget.ts'
import type { Entry } from '../model/entry.ts'
import { COUNTER } from '../model/metric.ts'
import type { RouteId } from '../model/meter.ts'
import type { Compared } from './audit-sample.ts'
import { type CallOptions, type Calls, narrowBudget } from './call.ts'
import { decoderOf } from './decoder.ts'
import type { Engine } from './engine.ts'
import { previousOf } from './load.ts'
import { type Load, NOT_MODIFIED, Said } from './loader.ts'
import { Held, packValue } from './value.ts'

/** A call that was answered from memory. */
export interface Fetched<T> {
  readonly key: string
  readonly namespace: number
  readonly route: RouteId
  readonly options: CallOptions | undefined
  readonly load: Load<T>
}

/** What it was answered with. */
export interface Answered {
  readonly entry: Entry
  readonly ageMs: number
  /** Why it was stale. */
  readonly reason?: 'revalidate' | 'error' | 'deadline'
  readonly calls: Calls
}

/** What was read without a loader. */
export interface ReadAnswer {
  readonly entry: Entry
  readonly route: RouteId
  readonly ageMs: number
  readonly stale: boolean
  /** The most that its age was to be, ms. */
  readonly promisedMs: number
}

/** There is nobody to ask but the second level; what was invalidated and how old it was is known. Never throws. */
export function auditRead(engine: Engine, read: ReadAnswer): void {
  const { entry } = read
  const hasSecond = !read.stale && engine.second !== undefined && entry.kind === 'value'
  engine.audit?.take({
    ...read,
    compare: hasSecond ? () => compare(engine, entry) : undefined,
    version: () => versionOf(entry),
  })
}

/** Never throws. */
export function auditFetched<T>(engine: Engine, fetched: Fetched<T>, { entry, ageMs, reason, calls }: Answered): void {
  const named = calls.named(fetched.options)
  const budget = named === undefined ? entry.budget : narrowBudget(entry.budget, named)
  const freshMs = Math.max(budget.freshMs, chosenMs(engine, entry, named))
  const promisedMs = reason === undefined ? freshMs : reason === 'revalidate' ? budget.staleMs : budget.onErrorMs
  const mayAsk = reason === undefined && engine.backoff.leftMs(entry.key) === 0 && entry.kind === 'value'
  engine.audit?.take({
    entry,
    route: fetched.route,
    stale: reason !== undefined,
    ageMs,
    promisedMs,
    check: mayAsk ? checkBy(engine, fetched, { entry, calls }) : undefined,
    compare: mayAsk && engine.second !== undefined ? () => compare(engine, entry) : undefined,
    version: () => versionOf(entry),
  })
}

/** Where the window was chosen longer than promised, by what is known of its changes: as long as it is, up to the caller's end. */
function chosenMs({ memory }: Engine, { key, budget }: Entry, named: Budget | undefined): number {
  const chosen = memory.chosen(key)
  if (chosen === undefined || named === undefined || budget.freshMs <= chosen.promisedMs) return 0
  return Math.min(budget.freshMs, named.staleMs)
}

function checkBy<T>(engine: Engine, fetched: Fetched<T>, { entry, calls }: { entry: Entry; calls: Calls }): Check {
  const { key, route, load } = fetched
  return async (signal) => {
    const previous = previousOf<T>(engine, entry)
    const { budget } = calls.resolve(fetched.options)
    const said = new Said<T>({ key, signal, previous, budget, audit: true })
    engine.meter.count(COUNTER.originRequests, route)
    const data = await load(said)
    if (data === NOT_MODIFIED) return { found: 'same' }
    if (said.validator !== undefined && previous.etag !== undefined)
      return { found: said.validator === previous.etag ? 'same' : 'changed' }
    const { stored } = packValue(engine.settings.values, key, data)
    return { found: isDeepStrictEqual(stored, bare(entry.value)) ? 'same' : 'changed' }
  }
}

async function compare(engine: Engine, { key, namespace, value }: Entry): Promise<Compared | undefined> {
  const found = await engine.second?.inspect({ key, namespace, decode: decoderOf(engine, key) })
  return found && { storedAt: found.storedAt, isSame: isDeepStrictEqual(bare(found.value), bare(value)) }
}

function versionOf({ value }: Entry): string {
  return hash('sha256', serialize(bare(value)), 'base64url')
}

/** Without its validator. */
function bare(value: unknown): unknown {
  return value instanceof Held ? value.stored : value
}
