/**
 * Passing on: a request that has nothing to do with the store goes to the origin, its answer straight to the client.
 *
 * Floor 4, room http. Streamed both ways; when the client goes, so does the request to the origin.
 */
import type { Reply } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import type { Forward } from '../rules/cache-status.ts'
import { askOrigin, type Heard, replyHeard } from './ask.ts'
import { routeOf, type Visit } from './visit.ts'

/** Why a request is passed on. */
export interface PassReason {
  readonly forward: Forward
  readonly detail?: string
}

/** The origin's answer to exactly this request. */
export async function hearAsIs(visit: Visit): Promise<Heard> {
  return askOrigin(visit, { fields: visit.head.fields, body: visit.body, signal: visit.exchange.signal, informs: true })
}

/** Passes a request on. @throws what the origin port throws */
export async function passOn(visit: Visit, reason: PassReason): Promise<Reply> {
  visit.desk.engine.meter.count(COUNTER.passes, routeOf(visit))
  return replyPassed(visit, await hearAsIs(visit), reason)
}

/** The answer of a request that was passed on. */
export function replyPassed(visit: Visit, heard: Heard, reason: PassReason): Reply {
  const detail = reason.detail === undefined ? {} : { detail: reason.detail }
  return replyHeard(visit, heard, { cache: 'BYPASS', status: { forward: reason.forward, forwardStatus: heard.head.status, ...detail } })
}
