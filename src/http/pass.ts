/**
 * Passing on: a request that has nothing to do with the store goes to the origin, its answer straight to the client.
 *
 * Floor 4, room http. Streamed both ways; when the client goes, so does the request to the origin.
 */
import type { Reply } from '../model/exchange.ts'
import type { Forward } from '../rules/cache-status.ts'
import { hearAsIs, type Heard, replyHeard } from './ask.ts'
import { count } from './tally.ts'
import type { Visit } from './visit.ts'

/** Why a request is passed on. */
export interface PassReason {
  readonly forward: Forward
  readonly detail?: string
}

/** Passes a request on. @throws what the origin port throws */
export async function passOn(visit: Visit, reason: PassReason): Promise<Reply> {
  count(visit, 'passes')
  return replyPassed(visit, await hearAsIs(visit), reason)
}

/** The answer of a request that was passed on. */
export function replyPassed(visit: Visit, heard: Heard, reason: PassReason): Reply {
  return replyHeard(visit, heard, { cache: 'BYPASS', status: { ...reason, forwardStatus: heard.head.status } })
}
