/**
 * A request as it is known before anything is looked up: what its fields say, its route, its key.
 *
 * Floor 4, room http. Said once for all requests that repeat it; bound to no connection.
 */
import { requestKey } from '../key/key.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import { type Series, seriesOf } from '../model/meter.ts'
import type { CacheControl } from '../rules/cache-control.ts'
import { requestControl } from '../rules/reuse.ts'
import { type Desk, type DoorExchange, type KeyedVisit, routeOf } from './visit.ts'
import { tokenOf } from './token.ts'

/** What the fields of a request say, whatever its target: read once for all requests that bear the same fields. */
export interface Bearing {
  readonly head: RequestHead
  readonly asked: CacheControl
  /** No condition, no range, no directive: any fresh response answers it as it is. */
  readonly plain: boolean
  /** Accept-Encoding. */
  readonly accept: string | undefined
  /** Who asks, once it was looked for; null: that cannot be told. */
  client: string | null | undefined
}

/** A request as it is remembered between its repetitions; bound to no connection. */
export interface Known {
  readonly visit: KeyedVisit
  readonly plain: boolean
  readonly series: Series
  readonly accept: string | undefined
  /** Called at each of its answers; undefined on routes that do not prefetch. */
  readonly foreseen: (() => void) | undefined
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
  return { head, asked: requestControl(fields), plain, accept: fields.get('accept-encoding'), client: undefined }
}

/** @returns undefined for what is never answered by recalling: no key, a strict route, a version token */
export function know(desk: Desk, bearing: Bearing, { method, target }: { method: string; target: string }): Known | undefined {
  const routed = desk.policies.match(method, target)
  const { policy } = routed
  if (policy.strict || bearing.asked.noStore) return undefined
  if (tokenOf(bearing.head, policy) !== undefined) return undefined
  const { scheme, authority, fields } = bearing.head
  const head = { method, target, scheme, authority, fields }
  const primary = requestKey(head, policy.key)
  if (primary === undefined) return undefined
  const visit: KeyedVisit = { desk, head, body: undefined, exchange: NOBODY, asked: bearing.asked, routed, tags: [], primary }
  const series = seriesOf(routeOf(visit), true, false)
  const foreseen = method === 'GET' && policy.prefetch !== undefined ? foresee(visit, bearing) : undefined
  return { visit, plain: bearing.plain, accept: bearing.accept, series, foreseen, key: primary, savedBytes: 0 }
}

function foresee(visit: KeyedVisit, bearing: Bearing): Known['foreseen'] {
  const { foresight } = visit.desk
  if (foresight === undefined) return undefined
  if (bearing.client === undefined) bearing.client = foresight.name(bearing.head.fields) ?? null
  return foresight.recalling(visit, bearing.client ?? undefined)
}
