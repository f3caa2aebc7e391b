/**
 * Answers made from what is stored, or from a response on its way in: conditions, ranges, HEAD, Age and the fields that
 * tell how it came about.
 *
 * Floor 4, room http. RFC 9110 sections 13 and 14, RFC 9111 sections 4 and 5.1, RFC 9211.
 */
import { STATUS_CODES } from 'node:http'
import type { Outcome, Reply, ResponseHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { ageSeconds } from '../rules/age.ts'
import { type CacheStatus, formatCacheStatus } from '../rules/cache-status.ts'
import { evaluateConditions, notModifiedFields } from '../rules/conditional.ts'
import { boundaryFor, multipartRanges } from '../rules/multipart.ts'
import { formatContentRange, sliceOf } from '../rules/partial.ts'
import { type ByteRange, isRangeApplicable, parseRange, resolveRanges } from '../rules/range.ts'
import { ageOf, type Plan, type Stored } from './stored.ts'
import type { Visit } from './visit.ts'

/** How an answer came about. */
export interface Manner {
  readonly cache: Outcome['cache']
  readonly status: Omit<CacheStatus, 'ttlMs'>
  readonly stale?: boolean
}

/** What of a request's wishes can be met from a stored response. */
export type Fit = 'full' | 'not-modified' | 'ranges' | 'origin'

/** Whether a stored response can answer this request at all, and how. `origin`: only the origin can. */
export function fitOf(visit: Visit, stored: Stored): Fit {
  const { fields } = visit.head
  const condition = evaluateConditions(fields, stored.plan, visit.desk.engine.clock.wall())
  if (condition === 'origin') return 'origin'
  if (condition === 'not-modified') return 'not-modified'
  const specs = rangeOf(visit, stored.plan)
  if (stored.part === undefined) return specs === undefined ? 'full' : 'ranges'
  const only = specs?.length === 1 ? specs[0] : undefined
  return only !== undefined && sliceOf(only, stored.part, stored.body.byteLength) !== undefined ? 'ranges' : 'origin'
}

/** An answer from a stored response that `fitOf` does not send to the origin. */
export function replyStored(visit: Visit, stored: Stored, manner: Manner): Reply {
  const { plan } = stored
  switch (fitOf(visit, stored)) {
    case 'not-modified': return finish(visit, { plan, status: 304, fields: notModifiedFields(plan.fields), body: undefined }, manner)
    case 'ranges': return replyRanges(visit, stored, manner)
    default: {
      const fields = plan.fields.clone()
      if (plan.status !== 204 && plan.status !== 304) fields.set('content-length', String(stored.body.byteLength))
      const body = visit.head.method === 'HEAD' ? undefined : stored.body
      return { ...finish(visit, { plan, status: plan.status, fields, body }, manner), ...trailersOf(stored) }
    }
  }
}

/** What a request that asks for a range of a response gets. */
export function rangeOf(visit: Visit, plan: Plan): ReturnType<typeof parseRange> {
  const { head } = visit
  const value = head.method === 'GET' && (plan.status === 200 || plan.status === 206) ? head.fields.get('range') : undefined
  if (value === undefined || !isRangeApplicable(head.fields, plan.fields)) return undefined
  return parseRange(value)
}

/** Age, X-Cache and Cache-Status on an answer from the cache. */
export function decorate(visit: Visit, fields: Fields, told: { readonly manner: Manner; readonly plan: Plan | undefined }): Fields {
  const { manner, plan } = told
  const ageMs = plan === undefined ? 0 : ageOf(plan, visit.desk.engine.clock.now())
  if (plan !== undefined) fields.set('age', ageSeconds(ageMs))
  const ttl = plan === undefined ? {} : { ttlMs: plan.lifetimeMs - ageMs }
  const member = formatCacheStatus(visit.desk.cacheName, { ...manner.status, ...ttl })
  const before = fields.get('cache-status')
  fields.set('cache-status', before === undefined ? member : `${before}, ${member}`)
  fields.set('x-cache', manner.cache)
  return fields
}

/** How an answer came about, for metrics. */
export function outcomeOf(visit: Visit, manner: Manner): Outcome {
  const cached = manner.cache === 'HIT' || manner.cache === 'STALE' || manner.cache === 'REFRESH'
  return { cache: manner.cache, cached, stale: manner.stale === true, route: visit.routed.policy.name }
}

/** An answer of this door's own: 504 for only-if-cached, and the like. */
export function replyPlain(visit: Visit, status: number, manner: Manner): Reply {
  const fields = Fields.from({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  const body = Buffer.from(`${status} ${STATUS_CODES[status] ?? ''}\n`)
  fields.set('content-length', String(body.byteLength))
  const head = { status, statusText: STATUS_CODES[status] ?? '', fields: decorate(visit, fields, { manner, plan: undefined }) }
  return { head, body: visit.head.method === 'HEAD' ? undefined : body, outcome: outcomeOf(visit, manner) }
}

interface Made {
  readonly plan: Plan
  readonly status: number
  readonly fields: Fields
  readonly body: Uint8Array | undefined
}

function finish(visit: Visit, made: Made, manner: Manner): Reply {
  const statusText = made.status === made.plan.status ? made.plan.statusText : (STATUS_CODES[made.status] ?? '')
  const head: ResponseHead = { status: made.status, statusText, fields: decorate(visit, made.fields, { manner, plan: made.plan }) }
  return { head, body: made.body, outcome: outcomeOf(visit, manner) }
}

function replyRanges(visit: Visit, stored: Stored, manner: Manner): Reply {
  const { plan, body, part } = stored
  const specs = rangeOf(visit, plan) ?? []
  if (part !== undefined) {
    const slice = sliceOf(specs[0] as (typeof specs)[0], part, body.byteLength) as NonNullable<ReturnType<typeof sliceOf>>
    return single(visit, { stored, bytes: body.subarray(slice.from, slice.to + 1), range: slice.range, total: part.total }, manner)
  }
  const ranges = resolveRanges(specs, body.byteLength)
  if (ranges === undefined) return replyStored({ ...visit, head: { ...visit.head, fields: visit.head.fields.clone().delete('range') } }, stored, manner)
  if (ranges.length === 0) {
    // Nothing of the stored response goes with it: another cache must not take its freshness for the 416's.
    const fields = Fields.from({ 'content-range': `bytes */${body.byteLength}`, 'content-length': 0, 'cache-control': 'no-store', date: plan.fields.first('date') })
    return finish(visit, { plan, status: 416, fields, body: new Uint8Array() }, manner)
  }
  const [only, ...others] = ranges as [ByteRange, ...ByteRange[]]
  if (others.length === 0) return single(visit, { stored, bytes: body.subarray(only.first, only.last + 1), range: only, total: body.byteLength }, manner)
  const boundary = boundaryFor(body, stored.shareId ?? plan.fields.first('etag') ?? 'part')
  const content = multipartRanges(body, ranges, { contentType: plan.fields.first('content-type'), boundary })
  const fields = plan.fields.clone().set('content-type', `multipart/byteranges; boundary=${boundary}`).set('content-length', String(content.byteLength))
  return finish(visit, { plan, status: 206, fields, body: content }, manner)
}

interface Piece {
  readonly stored: Stored
  readonly bytes: Uint8Array
  readonly range: ByteRange
  readonly total: number
}

function single(visit: Visit, { stored, bytes, range, total }: Piece, manner: Manner): Reply {
  const fields = stored.plan.fields.clone()
  fields.set('content-range', formatContentRange(range, total)).set('content-length', String(bytes.byteLength))
  return finish(visit, { plan: stored.plan, status: 206, fields, body: bytes }, manner)
}

function trailersOf({ trailers }: Stored): Pick<Reply, 'trailers'> | undefined {
  return trailers === undefined ? undefined : { trailers: () => trailers }
}
