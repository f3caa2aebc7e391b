/**
 * Cache-Control, requests' and responses' (RFC 9111 section 5.2, RFC 5861, RFC 8246).
 *
 * Floor 1, room rules. Pure, never throws. In doubt the parser reads what restricts: an invalid freshness value counts
 * as stale, conflicting duplicates give the shorter time, an unclosed quotation makes the whole value `broken`.
 */
import { parseDeltaSeconds, parseFieldNames, splitList, trimOws, unquote } from './list.ts'

/** The directives this cache knows. Times in whole seconds; absent is undefined. */
export interface CacheControl {
  readonly noStore: boolean
  /** Unqualified `no-cache`: never reused without validation. */
  readonly noCache: boolean
  /** Fields named by `no-cache="…"`, lower-cased: not reused without validation, so not stored. */
  readonly noCacheFields: readonly string[]
  /** Unqualified `private`. */
  readonly isPrivate: boolean
  /** Fields named by `private="…"`, lower-cased: not stored. */
  readonly privateFields: readonly string[]
  readonly isPublic: boolean
  readonly mustRevalidate: boolean
  readonly proxyRevalidate: boolean
  readonly mustUnderstand: boolean
  readonly onlyIfCached: boolean
  /** An invalid value gives 0. */
  readonly maxAge: number | undefined
  /** An invalid value gives 0. */
  readonly sMaxAge: number | undefined
  /** An invalid value is ignored. */
  readonly staleWhileRevalidate: number | undefined
  /** An invalid value is ignored. */
  readonly staleIfError: number | undefined
  /** Request only; an invalid value is ignored. */
  readonly minFresh: number | undefined
  /** Request only; Infinity when no argument was given; an invalid value is ignored. */
  readonly maxStale: number | undefined
  /** A quotation was never closed: nothing in here may be relied upon to allow something. */
  readonly broken: boolean
}

type Draft = { -readonly [K in keyof CacheControl]: CacheControl[K] }

const EMPTY: CacheControl = {
  noStore: false,
  noCache: false,
  noCacheFields: [],
  isPrivate: false,
  privateFields: [],
  isPublic: false,
  mustRevalidate: false,
  proxyRevalidate: false,
  mustUnderstand: false,
  onlyIfCached: false,
  maxAge: undefined,
  sMaxAge: undefined,
  staleWhileRevalidate: undefined,
  staleIfError: undefined,
  minFresh: undefined,
  maxStale: undefined,
  broken: false,
}

/** Nothing said. */
export const NO_DIRECTIVES: CacheControl = EMPTY

/** @param value all Cache-Control lines combined; undefined when there is none */
export function parseCacheControl(value: string | undefined): CacheControl {
  if (value === undefined || value === '') return EMPTY
  const { members, broken } = splitList(value)
  const draft = draftDirectives()
  for (const member of members) {
    const at = member.indexOf('=')
    const name = trimOws(at < 0 ? member : member.slice(0, at)).toLowerCase()
    // White space around "=" is no part of the grammar: the directive is known, its argument is not.
    const raw = at < 0 ? undefined : member[at - 1] === ' ' || member[at - 1] === '\t' ? ' ' : member.slice(at + 1)
    readDirective(draft, name, raw === undefined ? undefined : (unquote(raw) ?? raw))
  }
  draft.broken = broken
  return draft
}

/** An empty set to be filled by `readDirective`. */
export function draftDirectives(): Draft {
  return { ...EMPTY }
}

/**
 * Takes one directive into a draft.
 *
 * @param name lower-cased
 * @param argument unquoted; undefined when none was given
 */
export function readDirective(draft: Draft, name: string, argument: string | undefined): void {
  switch (name) {
    case 'no-store':
      draft.noStore = true
      return
    case 'public':
      draft.isPublic = true
      return
    case 'must-revalidate':
      draft.mustRevalidate = true
      return
    case 'proxy-revalidate':
      draft.proxyRevalidate = true
      return
    case 'must-understand':
      draft.mustUnderstand = true
      return
    case 'only-if-cached':
      draft.onlyIfCached = true
      return
    case 'no-cache': {
      const names = fieldsOf(argument)
      if (names === undefined) draft.noCache = true
      else draft.noCacheFields = [...draft.noCacheFields, ...names]
      return
    }
    case 'private': {
      const names = fieldsOf(argument)
      if (names === undefined) draft.isPrivate = true
      else draft.privateFields = [...draft.privateFields, ...names]
      return
    }
    default:
      readTime(draft, name, argument)
  }
}

function readTime(draft: Draft, name: string, argument: string | undefined): void {
  const seconds = argument === undefined ? undefined : parseDeltaSeconds(argument)
  switch (name) {
    case 'max-age':
      draft.maxAge = shorter(draft.maxAge, seconds ?? 0)
      return
    case 's-maxage':
      draft.sMaxAge = shorter(draft.sMaxAge, seconds ?? 0)
      return
    case 'stale-while-revalidate':
      draft.staleWhileRevalidate = shorter(draft.staleWhileRevalidate, seconds)
      return
    case 'stale-if-error':
      draft.staleIfError = shorter(draft.staleIfError, seconds)
      return
    case 'min-fresh': {
      if (seconds !== undefined) draft.minFresh = Math.max(draft.minFresh ?? 0, seconds)
      return
    }
    case 'max-stale':
      draft.maxStale = shorter(draft.maxStale, argument === undefined ? Infinity : seconds)
      return
    default: // unknown directives are ignored (RFC 9111 section 5.2.3)
  }
}

/** The field names of a qualified directive; undefined when it is unqualified, empty or not readable. */
function fieldsOf(argument: string | undefined): string[] | undefined {
  if (argument === undefined) return undefined
  const names = parseFieldNames(argument)
  return names === undefined || names.length === 0 ? undefined : names
}

/** RFC 9111 section 4.2.1 lets a cache take the first of two values or call the response stale: the shorter is both. */
function shorter(known: number | undefined, given: number | undefined): number | undefined {
  if (known === undefined) return given
  return given === undefined ? known : Math.min(known, given)
}
