/**
 * What a writer says of a value: how long it may be served, under which tags, in which namespace.
 *
 * Floor 5, room server. Pure. Said in the query, in fields of the request, or in the members of a batch item; nothing is
 * guessed: a window needs its unit, windows must nest, unknown names are refused.
 */
import type { Budget } from '../model/budget.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Fields } from '../model/fields.ts'
import { parseDuration } from '../model/units.ts'
import { parseCacheControl } from '../rules/cache-control.ts'

/** Limits and defaults of what may be said. */
export interface WishSettings {
  /** Fresh window of a value without one, ms. */
  readonly ttl: number
  /** Longest window of all, ms. */
  readonly maxTtl: number
}

/** What was said, as text; durations with their unit. */
export interface Said {
  readonly ttl?: string | undefined
  readonly stale?: string | undefined
  readonly onError?: string | undefined
  readonly tags?: readonly string[] | undefined
}

/** Makes the error of a name, as the place where it was said has it. */
export type Refuse = (name: string, reason: string) => ForecacheError

/** A wish, read. */
export interface Wish {
  readonly budget: Budget
  readonly tags: readonly string[]
}

const NAMESPACE = /^[A-Za-z0-9_.-]{1,128}$/
const MAX_TAGS = 512
const MAX_TAG_CHARS = 1024
const WITH_UNIT = /^\d{1,15}(?:\.\d{1,15})?(?:ms|s|m|h|d)$/

/** Query and fields that a write may have; the field's name is `forecache-` and this. */
const NAMES = { ttl: 'ttl', stale: 'stale', onError: 'on-error', tags: 'tags', namespace: 'namespace' } as const

/** Names in the query of a write. */
export const WRITE_NAMES: readonly string[] = Object.keys(NAMES)

/** A query's values by name. @throws FC_API_QUERY for a name that is unknown or given twice */
export function readQuery(query: URLSearchParams, known: readonly string[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of query) {
    if (!known.includes(name)) throw refuseQuery(name, `unknown; known: ${known.join(', ')}`)
    if (values.has(name)) throw refuseQuery(name, 'given more than once')
    values.set(name, value)
  }
  return values
}

/** The namespace of a request; '' is the default one. @throws FC_API_QUERY, FC_API_FIELD */
export function readNamespace(query: ReadonlyMap<string, string>, fields: Fields): string {
  const asked = query.get('namespace')
  const given = asked ?? fields.first('forecache-namespace')
  return given === undefined ? '' : parseNamespace(given, asked === undefined ? refuseField : refuseQuery)
}

/** @throws what `refuse` makes */
export function parseNamespace(given: string, refuse: Refuse): string {
  if (NAMESPACE.test(given)) return given
  throw refuse('namespace', 'expected 1 to 128 letters, digits, _ . or -')
}

/**
 * The wish of a request: query before `forecache-*` fields before Cache-Control (max-age or s-maxage, and the stale-*
 * windows behind it), which is looked at only where no window is named otherwise.
 *
 * @throws FC_API_QUERY, FC_API_FIELD
 */
export function readWish(query: ReadonlyMap<string, string>, fields: Fields, settings: WishSettings): Wish {
  const value = (name: keyof typeof NAMES): string | undefined => query.get(name) ?? fields.get(`forecache-${NAMES[name]}`)
  const refuse: Refuse = (name, reason) =>
    query.has(name) ? refuseQuery(name, reason) : refuseField(`forecache-${NAMES[name as keyof typeof NAMES]}`, reason)
  const tags = value('tags')
    ?.split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  const named = { ttl: value('ttl'), stale: value('stale'), onError: value('onError') }
  const control = fields.get('cache-control')
  const silent = named.ttl === undefined && named.stale === undefined && named.onError === undefined
  if (control === undefined) return parseWish({ ...named, tags }, settings, refuse)
  const windows = readControl(control)
  return silent && windows !== undefined
    ? parseWish({ ...windows, tags }, settings, (name, reason) => (name === 'tags' ? refuse : refuseField)(name, reason))
    : parseWish({ ...named, tags }, settings, refuse)
}

/** @throws what `refuse` makes */
export function parseWish(said: Said, settings: WishSettings, refuse: Refuse): Wish {
  const freshMs = parseWindow('ttl', said.ttl, { settings, refuse }) ?? settings.ttl
  const staleMs = parseWindow('stale', said.stale, { settings, refuse }) ?? freshMs
  const onErrorMs = parseWindow('onError', said.onError, { settings, refuse }) ?? staleMs
  if (freshMs > staleMs || staleMs > onErrorMs) {
    const name = freshMs > staleMs ? 'stale' : 'onError'
    throw refuse(
      name,
      `windows count from the write and must nest: ttl ${freshMs} <= stale ${staleMs} <= onError ${onErrorMs} ms`,
    )
  }
  return { budget: { freshMs, staleMs, onErrorMs }, tags: parseTags(said.tags, refuse) }
}

/** A query's name refused. */
export function refuseQuery(name: string, reason: string): ForecacheError {
  return new ForecacheError('FC_API_QUERY', { name, reason })
}

/** A field refused. */
export function refuseField(name: string, reason: string): ForecacheError {
  return new ForecacheError('FC_API_FIELD', { name, reason })
}

function parseWindow(
  name: string,
  given: string | undefined,
  { settings, refuse }: { readonly settings: WishSettings; readonly refuse: Refuse },
): number | undefined {
  if (given === undefined) return undefined
  if (!WITH_UNIT.test(given)) throw refuse(name, 'expected a duration with its unit, such as 250ms, 30s, 2m, 1h or 7d')
  const ms = parseDuration(given)
  if (ms <= 0) throw refuse(name, 'expected a duration above 0; to remove a value, DELETE it')
  if (ms > settings.maxTtl) throw refuse(name, `at most ${settings.maxTtl} ms are allowed here (cacheApi.maxTtl)`)
  return ms
}

/** Windows of Cache-Control; undefined when it names none. */
function readControl(value: string): Said | undefined {
  const control = parseCacheControl(value)
  if (control.broken) throw refuseField('cache-control', 'a quotation is not closed')
  if (control.noStore) throw refuseField('cache-control', 'no-store forbids what a write asks for')
  const maxAge = control.sMaxAge ?? control.maxAge
  if (maxAge === undefined) return undefined
  const stale = maxAge + (control.staleWhileRevalidate ?? 0)
  return { ttl: `${maxAge}s`, stale: `${stale}s`, onError: `${Math.max(stale, maxAge + (control.staleIfError ?? 0))}s` }
}

function parseTags(given: readonly string[] | undefined, refuse: Refuse): readonly string[] {
  if (given === undefined || given.length === 0) return []
  const tags = [...new Set(given)]
  if (tags.length > MAX_TAGS) throw refuse('tags', `at most ${MAX_TAGS}`)
  for (const tag of tags) {
    if (tag === '' || tag.length > MAX_TAG_CHARS || /\s/.test(tag))
      throw refuse('tags', `expected tags of 1 to ${MAX_TAG_CHARS} characters without white space`)
  }
  return tags
}
