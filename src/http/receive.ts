/**
 * Receiving a request: which way it goes.
 *
 * Floor 4, room http. Unsafe methods are passed on and invalidate, reads go to the store, everything else is passed on.
 * Content that is no part of the key keeps a request out of the store (fat GET).
 */
import type { BodySource, Reply, RequestHead } from '../model/exchange.ts'
import { requestControl } from '../rules/reuse.ts'
import { isSafeMethod } from '../rules/unsafe.ts'
import { keyed } from './keying.ts'
import { passOn } from './pass.ts'
import { query } from './query.ts'
import { readOrPass } from './read.ts'
import { observeAnswer } from './tally.ts'
import { handleUnsafe } from './unsafe.ts'
import type { Desk, DoorExchange, Visit } from './visit.ts'

/** A request as admitted. */
export interface Request {
  readonly head: RequestHead
  readonly body: BodySource | undefined
}

/** Answers one request. @throws what the origin port throws; FC_FLIGHT_FULL; what the content's source throws */
export async function receive(desk: Desk, request: Request, exchange: DoorExchange): Promise<Reply> {
  const { clock } = desk.engine
  const askedAt = clock.now()
  const routed = desk.policies.match(request.head.method, request.head.target)
  const asked = requestControl(request.head.fields)
  const visit: Visit = { desk, ...request, exchange, routed, asked, tags: [], primary: undefined }
  const reply = await answer(isTokenUnknown(visit) ? { ...visit, asked: { ...asked, noCache: true } } : visit)
  return observeAnswer(visit, askedAt, reply)
}

function answer(visit: Visit): Reply | Promise<Reply> {
  const { head, body } = visit
  if (!isSafeMethod(head.method)) return handleUnsafe(head.method === 'POST' ? keyed(visit, 'GET') : visit)
  if (head.method === 'QUERY') return query(visit)
  if (head.method !== 'GET' && head.method !== 'HEAD') return passOn(visit, { forward: 'method' })
  if (body !== undefined) return passOn(visit, { forward: 'bypass', detail: 'request-content' })
  return readOrPass(keyed(visit, head.method))
}

/** Whether the request bears a version token, on a route that reads them, that this log cannot vouch for. */
function isTokenUnknown({ desk, head, routed }: Visit): boolean {
  const token = routed.policy.readYourWrites ? head.fields.get('forecache-token') : undefined
  return token !== undefined && !desk.engine.hasReached(token)
}
