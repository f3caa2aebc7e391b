/**
 * Reading: GET, HEAD and QUERY, from lookup to answer.
 *
 * Floor 4, room http. lookup → {deliver | deliver and refresh behind | validate | complete | fetch | pass}.
 */
import type { Reply } from '../model/exchange.ts'
import { fetchMissing } from './fetch.ts'
import { replyPlain } from './manner.ts'
import { passOn } from './pass.ts'
import { refreshBehind } from './refresh.ts'
import { validateFound } from './revalidate.ts'
import { lookUp } from './search.ts'
import { pullStored, secondFor } from './second.ts'
import { deliver, weigh } from './serve.ts'
import { countMiss } from './tally.ts'
import type { KeyedVisit, Visit } from './visit.ts'

/** Reads from the store, where the route, the request and its key allow it. @throws what the origin port throws; FC_FLIGHT_FULL */
export function readOrPass(visit: Visit): Reply | Promise<Reply> {
  const { asked, routed } = visit
  if (routed.policy.strict) return passOn(visit, { forward: 'bypass', detail: 'strict' })
  if (!isKeyed(visit)) return passOn(visit, { forward: 'bypass', detail: 'no-key' })
  if (asked.noStore && !asked.onlyIfCached) return passOn(visit, { forward: 'request', detail: 'request-no-store' })
  return read(visit)
}

function isKeyed(visit: Visit): visit is KeyedVisit {
  return visit.primary !== undefined
}

function read(given: KeyedVisit, isPulled = false): Reply | Promise<Reply> {
  const { visit, selected } = lookUp(given)
  const weighed = selected.kind === 'stored' ? weigh(visit, selected) : undefined
  if (selected.kind === 'stored' && weighed !== undefined && weighed.use !== 'validate') {
    if (weighed.use === 'behind') refreshBehind(visit, selected)
    return deliver(visit, selected, weighed)
  }
  const second = isPulled ? undefined : secondFor(visit, selected)
  if (second !== undefined) return pullStored(visit, second).then(() => read(given, true))
  if (visit.asked.onlyIfCached) {
    countMiss(visit, selected.key)
    return replyPlain(visit, 504, { cache: 'MISS', status: { detail: 'only-if-cached' } })
  }
  if (selected.kind === 'stored' && weighed !== undefined) return validateFound(visit, selected)
  return fetchMissing(visit, selected)
}
