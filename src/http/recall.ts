/**
 * Recalling: a fresh stored response for a GET or HEAD, at once and without asking anybody.
 *
 * Floor 4, room http. What a lane asks before anything else. The decisions are those of `read`: the same lookup, the same
 * conditions, the same use. Whatever is not plainly `serve` is not answered here and costs the caller one lookup.
 */
import { requestKey } from '../key/key.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Reply, RequestHead } from '../model/exchange.ts'
import { type Series, seriesOf } from '../model/meter.ts'
import { HISTOGRAM } from '../model/metric.ts'
import type { CacheControl } from '../rules/cache-control.ts'
import { requestControl } from '../rules/reuse.ts'
import { representPlain } from './represent.ts'
import { replyStored } from './respond.ts'
import { select } from './select.ts'
import { deliver, HIT, useOf } from './serve.ts'
import { ageOf, Stored } from './stored.ts'
import { countHit, countSaved } from './tally.ts'
import { type Desk, type DoorExchange, type KeyedVisit, routeOf } from './visit.ts'

/** What the fields of a request say, whatever its target: read once for all requests that bear the same fields. */
export interface Bearing {
  readonly head: RequestHead
  readonly asked: CacheControl
  /** No condition, no range, no directive: any fresh response answers it as it is. */
  readonly plain: boolean
  /** Accept-Encoding. */
  readonly accept: string | undefined
}

/** A request as it is remembered between its repetitions; bound to no connection. */
export interface Known {
  readonly visit: KeyedVisit
  readonly plain: boolean
  readonly series: Series
  readonly accept: string | undefined
  /** Where the response recalled last stands. */
  key: string
  /** What its coding saves against the response as it came, bytes. */
  savedBytes: number
}

/** Fields by which a request asks for more than what stands. */
const PARTICULAR: readonly string[] = [
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'cache-control',
  'pragma',
]

/** Nobody is asked while recalling. */
const NOBODY: DoorExchange = {
  origin: { send: () => Promise.reject(new ForecacheError('FC_REQUEST_ABORTED')) },
  signal: new AbortController().signal,
}

/** @param head as forwarded, for any target */
export function bearingOf(head: RequestHead): Bearing {
  const { fields } = head
  const plain = !PARTICULAR.some((name) => fields.has(name))
  return { head, asked: requestControl(fields), plain, accept: fields.get('accept-encoding') }
}

/** @returns undefined for what is never answered by recalling: no key, a strict route, a version token */
export function know(desk: Desk, bearing: Bearing, { method, target }: { method: string; target: string }): Known | undefined {
  const routed = desk.policies.match(method, target)
  const { policy } = routed
  if (policy.strict || bearing.asked.noStore) return undefined
  if (policy.readYourWrites && bearing.head.fields.has('forecache-token')) return undefined
  const { scheme, authority, fields } = bearing.head
  const head = { method, target, scheme, authority, fields }
  const primary = requestKey(head, policy.key)
  if (primary === undefined) return undefined
  const visit: KeyedVisit = { desk, head, body: undefined, exchange: NOBODY, asked: bearing.asked, routed, tags: [], primary }
  const series = seriesOf(routeOf(visit), true, false)
  return { visit, plain: bearing.plain, accept: bearing.accept, series, key: primary, savedBytes: 0 }
}

/** The fresh representation that answers a plain request whole; undefined: look closer. About 100 ns. */
export function recall(known: Known): Stored | undefined {
  const { visit } = known
  const value = visit.desk.engine.memory.current(visit.primary)
  if (value instanceof Stored) {
    known.key = visit.primary
    return value.part === undefined ? choose(known, value) : undefined
  }
  const selected = select(visit)
  if (selected.kind !== 'stored' || selected.stored.part !== undefined || useOf(visit, selected) !== 'serve') return undefined
  known.key = selected.key
  return choose(known, selected.stored)
}

function choose(known: Known, stored: Stored): Stored | undefined {
  const chosen = representPlain(known.visit, stored, known.accept)
  known.savedBytes = chosen === undefined ? 0 : stored.body.byteLength - chosen.body.byteLength
  return chosen
}

/** The answer made of it; the fields that change while it stands are Age and Cache-Status. */
export function recalledReply({ visit }: Known, stored: Stored): Reply {
  return replyStored(visit, stored, HIT)
}

/** The answer to a request with conditions, a range or directives, counted; undefined: it is not for recalling. */
export function recallParticular({ visit }: Known): Reply | undefined {
  const selected = select(visit)
  if (selected.kind !== 'stored' || useOf(visit, selected) !== 'serve') return undefined
  return deliver(visit, selected, false)
}

/** Counts a recalled response as `deliver` does. */
export function countRecalled({ visit, key, savedBytes }: Known, stored: Stored, now: number): void {
  countHit(visit, key, ageOf(stored.plan, now))
  if (savedBytes !== 0) countSaved(visit, savedBytes)
}

/** From the request's arrival to its answer handed over, ms. */
export function timeRecalled({ visit, series }: Known, ms: number): void {
  const { meter } = visit.desk.engine
  meter.observe(HISTOGRAM.hit, ms / 1000, series)
  meter.observe(HISTOGRAM.request, ms / 1000, series)
}
