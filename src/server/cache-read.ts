/**
 * Reading a content: one synchronous decision for every way in, so that all answer the same.
 *
 * Floor 5, room server. Key → what stands → token → coding → condition. Counts hits and stale serves; a miss is counted by
 * the endpoint that answers it. Costs a look-up and one small object; what every answer with a form has is laid out on it.
 */
import { type Contents, isUrlKey, type Place, type Standing } from '../flow/contents.ts'
import type { Content, Form } from '../flow/content.ts'
import { auditRead } from '../flow/audit-load.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import { seriesOf } from '../model/meter.ts'
import { ageSeconds } from '../rules/age.ts'
import { formatCacheStatus } from '../rules/cache-status.ts'
import { isStrongTag, parseTagList } from '../rules/entity-tag.ts'

/** What a reader says; absent is undefined. Lines of one field combined. */
export interface ReadWish {
  readonly ifNoneMatch?: string | undefined
  readonly acceptEncoding?: string | undefined
  /** Version token: nothing older is to be read. */
  readonly token?: string | undefined
  /** How far past its stale window a value is taken, ms; 0 or undefined: not at all. */
  readonly maxStaleMs?: number | undefined
}

/** An answer with a value, or with the word that it has not changed. */
export interface ContentAnswer {
  readonly status: 200 | 304
  readonly cache: 'HIT' | 'STALE'
  /** Its `fields` go with the answer, and its body unless the status is 304. */
  readonly form: Form
  readonly content: Content
  /** The tag to send: with 304 the one that matched. */
  readonly etag: string
  readonly ageMs: number
  /** What is left of the fresh window, ms; below 0 when stale; Infinity: no end is known. */
  readonly leftMs: number
}

/** Why there is no such answer: nothing stands, the token is unknown here, every coding is refused, bytes cannot say it. */
export type Unanswered = 'absent' | 'token' | 'coding' | 'form'

/** Never throws: the lane calls it where nobody would catch. */
export function readContent(contents: Contents, place: Place, wish: ReadWish): ContentAnswer | Unanswered {
  const { engine } = contents
  if (wish.token !== undefined && !engine.hasReached(wish.token)) return 'token'
  const standing = findSayable(contents, place)
  if (standing === 'form') return standing
  if (standing === undefined || !isTaken(standing, wish.maxStaleMs ?? 0)) return 'absent'
  const { content, ageMs, budget } = standing
  const form = contents.choices.choose(content, wish.acceptEncoding)
  if (form === undefined) return 'coding'
  const matched = wish.ifNoneMatch === undefined ? undefined : matchedTag(content, form, wish.ifNoneMatch)
  const stale = standing.state !== 'fresh'
  if (stale) countStale(contents, place, standing)
  else {
    engine.meter.count(COUNTER.hits, contents.route)
    if (engine.events.wants('lookup:hit')) engine.events.emit('lookup:hit', { key: place.key, ageMs })
  }
  if (engine.audit?.isDue() === true) audit(contents, place, { standing, maxStaleMs: wish.maxStaleMs ?? 0 })
  return {
    status: matched === undefined ? 200 : 304,
    cache: stale ? 'STALE' : 'HIT',
    form,
    content,
    etag: matched ?? form.etag,
    ageMs,
    leftMs: budget.freshMs - ageMs,
  }
}

/** Where it says `form`, `contents.find` says why. */
function findSayable(contents: Contents, place: Place): Standing | 'form' | undefined {
  try {
    return contents.find(place)
  } catch {
    return 'form'
  }
}

/**
 * The key in a target, decoded once; undefined when it is none of this door's, or has a query: the full endpoint says why.
 */
export function keyOfPath(target: string): string | undefined {
  if (!target.startsWith(PREFIX) || target.length === PREFIX.length || target.indexOf('/', PREFIX.length) >= 0) return undefined
  const text = target.slice(PREFIX.length)
  if (text.indexOf('?') >= 0) return undefined
  if (text.indexOf('%') < 0) return isUrlKey(text) ? undefined : text
  try {
    const key = decodeURIComponent(text)
    return isUrlKey(key) ? undefined : key
  } catch {
    return undefined
  }
}

const PREFIX = '/cache/'

/** The tag of If-None-Match that names this content; weak comparison (RFC 9110 section 13.1.2). */
export function matchedTag(content: Content, form: Form, list: string): string | undefined {
  for (const given of parseTagList(list)) {
    if (given === '*') return form.etag
    const tag = opaqueTag(given)
    if (content.hasTag(tag)) return tag
  }
  return undefined
}

/** Conditions of a write, lines combined. */
export interface Condition {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/**
 * Whether the conditions of a write hold (RFC 9110 sections 13.1.1 and 13.1.2).
 *
 * @param content what stands, asked for only where a tag has to be compared
 * @returns the name of the one that does not
 */
export function failedCondition(
  { ifMatch, ifNoneMatch }: Condition,
  stands: boolean,
  content: () => Content | undefined,
): 'If-Match' | 'If-None-Match' | undefined {
  if (ifMatch !== undefined) {
    const matches = (tag: string): boolean => tag === '*' || (isStrongTag(tag) && content()?.hasTag(tag) === true)
    if (!stands || !parseTagList(ifMatch).some(matches)) return 'If-Match'
  }
  if (ifNoneMatch !== undefined && stands) {
    const matches = (tag: string): boolean => tag === '*' || content()?.hasTag(opaqueTag(tag)) === true
    if (parseTagList(ifNoneMatch).some(matches)) return 'If-None-Match'
  }
  return undefined
}

/**
 * Fields of an answer with a value as it is sent, flat name, value list: those that stay the same for a form first, in one
 * order, then ETag, Age, X-Cache and Cache-Status. Content-Length is the writer's.
 */
export function contentFields(answer: ContentAnswer): string[] {
  return [
    ...staticFields(answer.form, answer.status),
    'etag',
    answer.etag,
    'age',
    ageSeconds(answer.ageMs),
    'x-cache',
    answer.cache,
    'cache-status',
    formatCacheStatus('forecache', { hit: true, ...(Number.isFinite(answer.leftMs) && { ttlMs: answer.leftMs }) }),
  ]
}

/** The same for every answer of a status with a form; a 304 has no fields of the body (RFC 9110 section 15.4.5). */
export function staticFields(form: Form, status: 200 | 304): readonly string[] {
  return status === 304 ? NOT_MODIFIED_FIELDS : [...form.fields, ...NOT_MODIFIED_FIELDS]
}

/**
 * To be stored by nobody but its reader, who asks again with its ETag. What a value is must not be guessed, and a page
 * among the values must not act in this origin's name.
 */
const NOT_MODIFIED_FIELDS: readonly string[] = [
  'vary',
  'accept-encoding',
  'cache-control',
  'private, no-cache',
  'x-content-type-options',
  'nosniff',
  'content-security-policy',
  "default-src 'none'; sandbox",
]

function opaqueTag(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}

function isTaken({ state, ageMs, budget }: Standing, maxStaleMs: number): boolean {
  return state !== 'reserve' || ageMs < budget.staleMs + maxStaleMs
}

function audit(
  { engine, route }: Contents,
  { key }: Place,
  { standing, maxStaleMs }: { readonly standing: Standing; readonly maxStaleMs: number },
): void {
  const { ageMs, state, budget } = standing
  const entry = engine.memory.look(key)
  if (entry === undefined) return
  const windows = {
    fresh: budget.freshMs,
    stale: budget.staleMs,
    reserve: Math.min(budget.onErrorMs, budget.staleMs + maxStaleMs),
  }
  auditRead(engine, { entry, route, ageMs, stale: state !== 'fresh', promisedMs: windows[state] })
}

function countStale({ engine, route }: Contents, { key }: Place, { state, ageMs, budget }: Standing): void {
  const reserve = state === 'reserve'
  engine.meter.count(reserve ? COUNTER.reserveServes : COUNTER.staleServes, route)
  engine.meter.observe(HISTOGRAM.staleness, Math.max(0, ageMs - budget.freshMs) / 1000, seriesOf(route, true, true))
  if (engine.events.wants('lookup:stale')) {
    engine.events.emit('lookup:stale', { key, ageMs, reason: reserve ? 'error' : 'revalidate' })
  }
}
