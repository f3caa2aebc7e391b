/**
 * Asking the origin, and handing its answer on.
 *
 * Floor 4, room http. Every request to the origin goes through here: counted, timed for the Age arithmetic, its answer
 * reduced to end-to-end fields and given a Date if it has none (RFC 9110 section 6.6.1).
 */
import type { BodySource, OriginAnswer, Reply, ResponseHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { COUNTER } from '../model/metric.ts'
import type { Arrival } from '../rules/age.ts'
import { formatHttpDate } from '../rules/dates.ts'
import { endToEnd } from '../rules/hop.ts'
import { askedFields } from './policy.ts'
import { decorate, type Manner, outcomeOf } from './respond.ts'
import { routeOf, type Visit } from './visit.ts'

/** One request to the origin. */
export interface Question {
  readonly fields: Fields
  readonly body: BodySource | undefined
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
}

/** @throws what the origin port throws */
export async function askOrigin(visit: Visit, question: Question): Promise<Heard> {
  const { clock, meter } = visit.desk.engine
  const requestedAt = clock.now()
  meter.count(COUNTER.originRequests, routeOf(visit))
  const { onInformational } = visit.exchange
  try {
    const fields = question.fields === visit.head.fields ? askedFields(visit.head, visit.routed.policy) : askedFields({ ...visit.head, fields: question.fields }, visit.routed.policy)
    const answer = await visit.exchange.origin.send({ ...visit.head, fields }, question.body, {
      signal: question.signal,
      ...(question.informs && onInformational !== undefined ? { onInformational } : {}),
    })
    const received = endToEnd(answer.head.fields)
    const receivedWallMs = clock.wall()
    if (!received.has('date')) received.set('date', formatHttpDate(receivedWallMs))
    const head = { status: answer.head.status, statusText: answer.head.statusText, fields: received }
    return { answer, head, arrival: { receivedWallMs, delayMs: clock.now() - requestedAt }, requestedAt }
  } catch (error) {
    if (!question.signal.aborted) tellFailure(visit, question, error)
    throw error
  }
}

function tellFailure(visit: Visit, question: Question, error: unknown): void {
  const { meter, events } = visit.desk.engine
  meter.count(COUNTER.originFailures, routeOf(visit))
  // A refresh behind an answer is told of by the engine.
  if (!question.informs || visit.primary === undefined || !events.wants('origin:fail')) return
  events.emit('origin:fail', { key: visit.primary, error, background: false })
}

/** The origin's answer as it is, for this client alone. */
export function replyHeard(visit: Visit, heard: Heard, manner: Manner): Reply {
  const fields = decorate(visit, heard.head.fields.clone(), { manner, plan: undefined })
  const head = { ...heard.head, fields }
  return { head, body: heard.answer.body, trailers: heard.answer.trailers, outcome: outcomeOf(visit, manner) }
}

/** Lets a body go that nobody will read. */
export function discard(body: BodySource): void {
  void body[Symbol.asyncIterator]().return?.().catch(() => {})
}

/** The Content-Length of an answer when it is one number. */
export function lengthOf(head: ResponseHead): number | undefined {
  const lines = head.fields.all('content-length')
  return lines.length === 1 && /^\d{1,15}$/.test(lines[0] as string) ? Number(lines[0]) : undefined
}
