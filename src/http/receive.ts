/**
 * Receiving a request: which way it goes.
 *
 * Floor 4, room http. Unsafe methods are passed on and invalidate, reads go to the store, everything else is passed on.
 * Content that is no part of the key keeps a request out of the store (fat GET).
 */
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, Reply, RequestHead, ResponseHead } from '../model/exchange.ts'
import { requestControl } from '../rules/reuse.ts'
import { isSafeMethod } from '../rules/unsafe.ts'
import { keyed } from './keying.ts'
import { passOn } from './pass.ts'
import { query } from './query.ts'
import { readOrPass } from './read.ts'
import { observeAnswer } from './tally.ts'
import { tokenOf } from './token.ts'
import { handleUnsafe } from './unsafe.ts'
import type { Desk, DoorExchange, Foresight, Visit } from './visit.ts'

/** A request as admitted. */
export interface Request {
  readonly head: RequestHead
  readonly body: BodySource | undefined
}

/** Answers one request. @throws what the origin port throws; FC_FLIGHT_FULL; FC_LINK_BLIND; what the content's source throws */
export async function receive(desk: Desk, request: Request, exchange: DoorExchange): Promise<Reply> {
  const { clock } = desk.engine
  const askedAt = clock.now()
  const routed = desk.policies.match(request.head.method, request.head.target)
  const asked = requestControl(request.head.fields)
  const visit: Visit = { desk, ...request, exchange, routed, asked, tags: [], primary: undefined }
  const token = tokenOf(request.head, routed.policy)
  const isSure = token === undefined && askedAt < desk.engine.seesUntil && routed.policy.blind === undefined
  const current = isSure || (await isCurrent(visit, token)) ? visit : { ...visit, asked: { ...asked, noCache: true } }
  const foresight = routed.policy.prefetch === undefined || request.head.method !== 'GET' ? undefined : desk.foresight
  const reply = await (foresight === undefined ? answer(current) : answerForeseen(current, foresight))
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

/** As `answer`, and tells of it: what comes next is fetched beforehand. */
async function answerForeseen(visit: Visit, foresight: Foresight): Promise<Reply> {
  const { desk, exchange } = visit
  const { clock } = desk.engine
  const askedAt = clock.now()
  const { onInformational } = exchange
  const onEarly = (head: ResponseHead): void => {
    foresight.informed(visit, head)
    onInformational?.(head)
  }
  const hears = visit.routed.policy.prefetch?.hints === true
  try {
    const reply = await answer(hears ? { ...visit, exchange: { ...exchange, onInformational: onEarly } } : visit)
    const { primary, ...rest } = keyed(visit, 'GET')
    if (primary !== undefined) foresight.answered({ ...rest, primary }, reply, clock.now() - askedAt)
    return reply
  } catch (error) {
    if (!exchange.signal.aborted) foresight.failed(visit)
    throw error
  }
}

/** Hears what may have been missed, and what the request's token names. @returns whether what is stored may answer it */
async function isCurrent({ desk, head, routed }: Visit, token: string | undefined): Promise<boolean> {
  const { engine } = desk
  if (routed.policy.strict || !(isSafeMethod(head.method) || head.method === 'QUERY')) return true // nothing stored answers it
  if (engine.clock.now() >= engine.seesUntil) await engine.regain()
  if (engine.shared?.isBlind === true && routed.policy.blind !== undefined) {
    if (routed.policy.blind === 'fail') throw new ForecacheError('FC_LINK_BLIND')
    return false
  }
  return token === undefined || engine.catchUp(token, engine.settings.deadlines.token)
}
