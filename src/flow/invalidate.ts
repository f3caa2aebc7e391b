/**
 * Invalidation: what a caller names becomes targets in the log, and the answer says what was reached.
 *
 * Floor 3, room flow. O(1) per tag and namespace; prefixes and urls cost one look at each key when they are counted.
 */
import type { Meter } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Target } from '../model/log.ts'
import type { MemoryPort } from '../model/port.ts'
import type { Fence } from '../tier/fence.ts'

/** An event of the application: its type and the fields its rule names. */
export interface ChangeEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** What to invalidate. Lists may be combined; all are appended as one log record. */
export interface InvalidateInput {
  readonly keys?: readonly string[]
  readonly tags?: readonly string[]
  readonly prefixes?: readonly string[]
  /** Absolute or origin-form URLs, resolved by the HTTP doors. */
  readonly urls?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly events?: readonly ChangeEvent[]
  /** Everything. */
  readonly all?: boolean
  /** Stale instead of gone: served once more while a refresh runs, inside the stale window. */
  readonly soft?: boolean
  /** Only count. */
  readonly dryRun?: boolean
  /** Who asks, for explain. */
  readonly source?: string
}

/** What an invalidation did. */
export interface InvalidateResult {
  /** Version token: the log's generation and position. */
  readonly token: string
  /** Entries in this process's memory that it named. */
  readonly matched: number
  /**
   * Instances that follow the log, and those of them that have followed: all, when both are the same. Who cannot see the log
   * does not know how many there are and expects two at least. Where only this one was asked (`dryRun`), or nothing was told
   * because it names nothing here, only this one has answered.
   */
  readonly nodes: { readonly expected: number; readonly acknowledged: number }
}

const MAX_TAG_CHARS = 1024

/** @throws FC_TAG_TYPE */
export function checkTag(tag: unknown): string {
  if (typeof tag !== 'string' || tag === '' || tag.length > MAX_TAG_CHARS || /\s/.test(tag)) {
    throw new ForecacheError('FC_TAG_TYPE', { given: typeof tag === 'string' ? JSON.stringify(tag) : typeof tag })
  }
  return tag
}

/**
 * The tags an event names.
 *
 * @param rules templates by event type; `{field}` is taken from the event; an array field gives one tag per item
 * @throws FC_EVENT_UNKNOWN without a rule and without `id`, FC_OPTION_VALUE when a template's field is missing
 */
export function eventTags(rules: Readonly<Record<string, readonly string[]>>, event: ChangeEvent): string[] {
  if (typeof event !== 'object' || event === null || typeof event.type !== 'string') {
    throw new ForecacheError('FC_EVENT_UNKNOWN', {
      given: typeof event === 'object' && event !== null ? typeof event.type : String(event),
    })
  }
  const rule = Object.hasOwn(rules, event.type) ? rules[event.type] : undefined
  const noun = event.type.split('.')[0] ?? ''
  if (rule === undefined) {
    if (noun === '' || event['id'] === undefined) throw new ForecacheError('FC_EVENT_UNKNOWN', { given: event.type })
    return fill(`${noun}:{id}`, event)
  }
  return rule.flatMap((template) => fill(template, event))
}

/** The targets an input names. `resolveUrl` is the doors' doing. */
export function targetsOf(
  input: InvalidateInput,
  parts: { fence: Fence; rules: Readonly<Record<string, readonly string[]>>; resolveUrl: (url: string) => readonly Target[] },
): Target[] {
  const tags = [...(input.tags ?? []).map(checkTag), ...(input.events ?? []).flatMap((event) => eventTags(parts.rules, event))]
  const targets: Target[] = (input.keys ?? []).map((key) => ({ kind: 'key', key }))
  for (const tag of new Set(tags)) targets.push({ kind: 'tag', tag })
  for (const prefix of input.prefixes ?? []) targets.push({ kind: 'prefix', prefix })
  for (const url of input.urls ?? []) targets.push(...parts.resolveUrl(url))
  for (const name of input.namespaces ?? []) {
    const namespace = parts.fence.knownNamespace(name)
    if (namespace !== undefined) targets.push({ kind: 'namespace', namespace })
  }
  if (input.all === true) targets.push({ kind: 'all' })
  return targets
}

/** Entries that targets name now. An entry named twice is counted twice where counting once would need a scan. */
export function countMatches(memory: MemoryPort, targets: readonly Target[]): number {
  if (targets.some((target) => target.kind === 'all')) return memory.size
  let count = 0
  const scans: ((key: string) => boolean)[] = []
  for (const target of targets) {
    if (target.kind === 'key') count += memory.look(target.key) === undefined ? 0 : 1
    else if (target.kind === 'tag') count += memory.taggedCount(target.tag)
    else if (target.kind === 'prefix') scans.push((key) => key.startsWith(target.prefix))
    else if (target.kind === 'namespace') scans.push((key) => memory.look(key)?.namespace === target.namespace)
  }
  if (scans.length > 0) for (const key of memory.keys()) if (scans.some((scan) => scan(key))) count += 1
  return count
}

/** Counts what was appended, by kind. */
export function countTargets(meter: Meter, targets: readonly Target[]): void {
  for (const target of targets) meter.count(COUNTERS[target.kind])
}

const COUNTERS: Readonly<Record<Target['kind'], number>> = {
  key: COUNTER.invalidatedKeys,
  tag: COUNTER.invalidatedTags,
  prefix: COUNTER.invalidatedPrefixes,
  namespace: COUNTER.invalidatedNamespaces,
  all: COUNTER.invalidatedAll,
}

function fill(template: string, event: ChangeEvent): string[] {
  let tags = ['']
  for (const part of template.split(/(\{[^{}]+\})/)) {
    const field = /^\{(.+)\}$/.exec(part)?.[1]
    const values = field === undefined ? [part] : fieldValues(event, field)
    tags = tags.flatMap((head) => values.map((value) => head + value))
  }
  return tags.map(checkTag)
}

function fieldValues(event: ChangeEvent, field: string): string[] {
  const given = Object.hasOwn(event, field) ? event[field] : undefined
  const values = (Array.isArray(given) ? given : [given]).filter(
    (v) => typeof v === 'string' || typeof v === 'number' || typeof v === 'bigint',
  )
  if (values.length === 0) {
    throw new ForecacheError('FC_OPTION_VALUE', {
      name: `event ${event.type}`,
      reason: `its rule needs the field ${field}, a string, a number or a list of them`,
    })
  }
  return values.map(String)
}
