/**
 * Ranges of stored responses: one piece, several, none that fits (RFC 9110 sections 14 and 15.3.7).
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { boundaryFor, multipartRanges } from '../rules/multipart.ts'
import { formatContentRange, sliceOf } from '../rules/partial.ts'
import { type ByteRange, parseRange, type RangeSpec, resolveRanges } from '../rules/range.ts'
import { finish, type Manner } from './manner.ts'
import { mayCut } from './represent.ts'
import type { Plan, Stored } from './stored.ts'
import type { Visit } from './visit.ts'

/** What a request asks of a response in ranges; undefined: it gets the whole. */
export function rangeOf(visit: Visit, plan: Plan): RangeSpec[] | undefined {
  const { head } = visit
  const value = head.method === 'GET' && (plan.status === 200 || plan.status === 206) ? head.fields.get('range') : undefined
  if (value === undefined || !mayCut(head, plan)) return undefined
  return parseRange(value)
}

/** Whether a stored part holds all that is asked of it. */
export function holdsRanges(stored: Stored, specs: readonly RangeSpec[] | undefined): boolean {
  if (stored.part === undefined) return true
  const only = specs?.length === 1 ? specs[0] : undefined
  return only !== undefined && sliceOf(only, stored.part, stored.body.byteLength) !== undefined
}

/** 206 or 416; undefined when the whole is the better answer. Of a part only what `holdsRanges`. */
export function replyRanges(visit: Visit, stored: Stored, manner: Manner): Reply | undefined {
  const { plan, body, part } = stored
  const specs = rangeOf(visit, plan)
  if (specs === undefined) return undefined
  if (part !== undefined) {
    const slice = sliceOf(specs[0] as RangeSpec, part, body.byteLength)
    return (
      slice &&
      single(visit, { stored, bytes: body.subarray(slice.from, slice.to + 1), range: slice.range, total: part.total }, manner)
    )
  }
  const ranges = resolveRanges(specs, body.byteLength)
  if (ranges === undefined) return undefined
  const [first, ...others] = ranges
  if (first === undefined) return unsatisfiable(visit, stored, manner)
  if (others.length === 0)
    return single(
      visit,
      { stored, bytes: body.subarray(first.first, first.last + 1), range: first, total: body.byteLength },
      manner,
    )
  return several(visit, { stored, ranges }, manner)
}

/** Nothing of the stored response goes with it: another cache must not take its freshness for the 416's. */
function unsatisfiable(visit: Visit, { plan, body }: Stored, manner: Manner): Reply {
  const fields = Fields.from({
    'content-range': `bytes */${body.byteLength}`,
    'content-length': 0,
    'cache-control': 'no-store',
    date: plan.fields.first('date'),
  })
  return finish(visit, { plan, status: 416, fields, body: new Uint8Array() }, manner)
}

function several(visit: Visit, item: { stored: Stored; ranges: readonly ByteRange[] }, manner: Manner): Reply {
  const { plan, body, shareId } = item.stored
  const boundary = boundaryFor(body, shareId ?? plan.fields.first('etag') ?? 'part')
  const content = multipartRanges(body, item.ranges, { contentType: plan.fields.first('content-type'), boundary })
  const fields = plan.fields.clone().set('content-type', `multipart/byteranges; boundary=${boundary}`)
  return finish(
    visit,
    { plan, status: 206, fields: fields.set('content-length', String(content.byteLength)), body: content },
    manner,
  )
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
