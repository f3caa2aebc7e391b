/**
 * How a client would ask for another URL: the request that is sent before he does, if he could send it at all.
 *
 * Floor 4, room http. GET alone, of his own site, on routes that prefetch; with the fields of the request he has just made, but
 * conditions, ranges and directives. It says that it is a prefetch by `Sec-Purpose`, and is keyed, selected and judged with
 * that field: an origin that answers prefetches otherwise, and says so by Vary, fills nobody's place. Credentials are left
 * out unless the route sends them; then nothing is asked for whose key or variant they decide.
 */
import type { Way } from '../flow/prefetch.ts'
import type { PrefetchSettings } from '../flow/prefetch-options.ts'
import { isAmbiguousPath } from '../key/route.ts'
import type { RequestHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { judge } from '../model/verdict.ts'
import { requestControl } from '../rules/reuse.ts'
import { selectingValues } from '../rules/vary.ts'
import { keyed } from './keying.ts'
import type { Beforehand } from './prefetch-ask.ts'
import { loadBeforehand } from './prefetch-load.ts'
import { findBySearch } from './search.ts'
import { keyOfVariant } from './select.ts'
import { Stored, VaryIndex } from './stored.ts'
import { type KeyedVisit, routeOf, type Visit } from './visit.ts'

/** Longer targets are left alone. */
const MAX_TARGET_CHARS = 2048
/** What is about the request before, or about nothing but it. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'cache-control',
  'pragma',
  'purpose',
  'sec-purpose',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'upgrade-insecure-requests',
  'x-cache-latency',
  'forecache-token',
])
const CREDENTIALS: ReadonlySet<string> = new Set(['cookie', 'authorization'])
/** Nobody is there to go away. */
const STAYING = new AbortController().signal

/** Where and how something stands for a visit. */
interface Place {
  readonly key: string
  readonly state: 'none' | 'stands' | 'pass'
}

/** @param isHint named by an origin: never with credentials @returns undefined for what stands, and what is not to be asked for */
export function wayTo(visit: Visit, url: string, isHint: boolean): Way | undefined {
  const site = siteOf(visit.head)
  if (!url.startsWith(`${site}/`) || url.length - site.length > MAX_TARGET_CHARS) return undefined
  const target = url.slice(site.length)
  const routed = visit.desk.policies.match('GET', target)
  const settings = routed.policy.prefetch
  if (settings === undefined || routed.policy.strict || isAmbiguousPath(target)) return undefined
  const own = visitTo(visit, { target, routed, fields: visit.head.fields.without(LEFT_OUT) })
  const omits = isOmitting(visit.head.fields, settings, isHint)
  const bare = omits ? visitTo(visit, { target, routed, fields: own.head.fields.without(CREDENTIALS) }) : own
  if (!isKeyed(bare) || !isKeyed(own)) return undefined
  const place = placeOf(bare)
  if (place.state !== 'none') return undefined
  if (omits && (own.primary !== bare.primary || placeOf(own).key !== place.key)) return undefined
  const { engine } = visit.desk
  if (engine.flights.has(place.key) || engine.backoff.leftMs(place.key) > 0) return undefined
  const beforehand: Beforehand = { visit: bare, omits, isStanding: () => placeOf(bare).state === 'stands' }
  return { key: bare.primary, route: routeOf(bare), settings, run: () => loadBeforehand(beforehand) }
}

/** Scheme and host as rules name them. */
export function siteOf({ scheme, authority }: Pick<RequestHead, 'scheme' | 'authority'>): string {
  return `${scheme}://${authority}`
}

function isOmitting(fields: Fields, { credentials }: PrefetchSettings, isHint: boolean): boolean {
  return (credentials === 'omit' || isHint) && (fields.has('cookie') || fields.has('authorization'))
}

function visitTo(visit: Visit, to: { target: string; routed: Visit['routed']; fields: Fields }): Visit {
  const { desk, head } = visit
  const fields = to.fields.set('sec-purpose', 'prefetch')
  const { scheme, authority } = head
  const own = { method: 'GET', target: to.target, scheme, authority, fields }
  const exchange = { origin: desk.origin ?? visit.exchange.origin, signal: STAYING }
  const asked = requestControl(fields)
  return keyed({ desk, head: own, body: undefined, exchange, asked, routed: to.routed, tags: [], primary: undefined }, 'GET')
}

function isKeyed(visit: Visit): visit is KeyedVisit {
  return visit.primary !== undefined
}

/** As `select`, but no use of what stands: nobody has asked for it. */
function placeOf(visit: KeyedVisit): Place {
  const { engine, profile } = visit.desk
  const entry = engine.memory.look(visit.primary)
  const wider = entry === undefined ? findBySearch(visit) : undefined
  if (wider !== undefined) return placeOf(wider)
  if (!(entry?.value instanceof VaryIndex)) return { key: visit.primary, state: stateOf(visit, visit.primary) }
  let first: string | undefined
  for (const names of entry.value.sets) {
    const values = selectingValues(names, visit.head.fields, profile.varyForm)
    const key = keyOfVariant(visit.primary, entry.value, { names, values })
    first ??= key
    const state = stateOf(visit, key)
    if (state !== 'none') return { key, state }
  }
  return { key: first ?? visit.primary, state: 'none' }
}

function stateOf(visit: KeyedVisit, key: string): Place['state'] {
  const { memory, clock } = visit.desk.engine
  const entry = memory.look(key)
  if (entry === undefined) return 'none'
  const { state } = judge(entry, clock.now())
  if (state === 'pass') return 'pass'
  const isUsable = (state === 'fresh' || state === 'stale') && entry.value instanceof Stored
  return isUsable ? 'stands' : 'none'
}
