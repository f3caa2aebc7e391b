/**
 * Asking the origin, and handing its answer on.
 *
 * Floor 4, room http. Every request to the origin goes through here: counted, timed for the Age arithmetic, its answer
 * reduced to end-to-end fields and given a Date if it has none (RFC 9110 section 6.6.1).
 */
import type { OriginAnswer, Reply, ResponseHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import type { Arrival } from '../rules/age.ts'
import { formatHttpDate } from '../rules/dates.ts'
import { endToEnd } from '../rules/hop.ts'
import { answerForClient, clientFields } from './forwarded.ts'
import { finish, type Manner } from './manner.ts'
import { discard } from './outgoing.ts'
import { askedHead } from './policy.ts'
import { count, countFailure } from './tally.ts'
import { routeOf, type Visit } from './visit.ts'

/** One request to the origin: the visit's, with these fields. */
export interface Question {
  readonly fields: Fields
  readonly signal: AbortSignal
  /** Whether 1xx answers go to this visit's client. */
  readonly informs: boolean
}

/** The origin's answer and when it came. */
export interface Heard {
  readonly answer: OriginAnswer
  /** End-to-end fields. */
  readonly head: ResponseHead
  readonly arrival: Arrival
  /** `clock.now()` when the request was sent. */
  readonly requestedAt: number
  /** Accept-Encoding as the origin was asked; undefined: it was not named. */
  readonly accept: string | undefined
}

/** @throws what the origin port throws */
export async function askOrigin(visit: Visit, question: Question): Promise<Heard> {
  const { clock } = visit.desk.engine
  const { origin, onInformational } = visit.exchange
  const { signal, informs } = question
  const requestedAt = clock.now()
  count(visit, 'originRequests')
  const { pulse } = visit.desk.engine
  pulse.began(requestedAt)
  try {
    const asked = askedHead({ ...visit.head, fields: question.fields }, visit.routed.policy)
    const options = informs && onInformational !== undefined ? { signal, onInformational } : { signal }
    const answer = await origin.send(asked, visit.body, options)
    const tookMs = clock.now() - requestedAt
    pulse.ended(clock.now(), routeOf(visit), { tookMs, failed: answer.head.status >= 500 })
    const received = endToEnd(answer.head.fields)
    const receivedWallMs = clock.wall()
    if (!received.has('date')) received.set('date', formatHttpDate(receivedWallMs))
    const head = { status: answer.head.status, statusText: answer.head.statusText, fields: received }
    return {
      answer,
      head,
      arrival: { receivedWallMs, delayMs: clock.now() - requestedAt },
      requestedAt,
      accept: question.fields.get('accept-encoding'),
    }
  } catch (error) {
    pulse.ended(clock.now(), routeOf(visit), { tookMs: undefined, failed: !signal.aborted })
    if (!signal.aborted) countFailure(visit, error, informs)
    throw error
  }
}

/** The origin's answer to exactly this request, given up when its client goes. */
export function hearAsIs(visit: Visit): Promise<Heard> {
  return hearClient(visit, visit.exchange.signal)
}

/** The origin's answer to the request with its client's own conditions and ranges. */
export async function hearClient(visit: Visit, signal: AbortSignal): Promise<Heard> {
  const heard = await askOrigin(visit, { fields: clientFields(visit), signal, informs: true })
  return { ...heard, head: answerForClient(visit, heard.head) }
}

/** The origin's answer as it is, for this client alone. */
export function replyHeard(visit: Visit, heard: Heard, manner: Manner): Reply {
  const { head, answer } = heard
  const made = {
    status: head.status,
    statusText: head.statusText,
    fields: head.fields.clone(),
    body: answer.body,
    plan: undefined,
  }
  const reply = finish(visit, made, manner)
  if (reply.body === undefined) discard(answer.body)
  return { ...reply, trailers: answer.trailers }
}

/** Lets an answer go whose body nobody will read. */
export function dismiss({ body }: { readonly body: OriginAnswer['body'] }): void {
  discard(body)
}

/** The Content-Length of an answer when it is one number. */
export function lengthOf(head: ResponseHead): number | undefined {
  const lines = head.fields.all('content-length')
  return lines.length === 1 && /^\d{1,15}$/.test(lines[0] as string) ? Number(lines[0]) : undefined
}
