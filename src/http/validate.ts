/**
 * Validation of a stored response at the origin, and what stands in when the origin fails.
 *
 * Floor 4, room http. RFC 9111 section 4.3, RFC 5861 section 4. A 304 makes a new entry out of the stored one, through
 * the fence like every other; a 304 about something else is answered by fetching the whole.
 */
import { ForecacheError } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import { seriesOf } from '../model/meter.ts'
import { mayStandIn } from '../rules/reuse.ts'
import { isFreshenedBy, mergeFields, validationFields, validatorsOf } from '../rules/validate.ts'
import { askOrigin, discard, type Heard } from './ask.ts'
import { judgeResponse } from './judge.ts'
import { fitOf, replyStored } from './respond.ts'
import type { Selected } from './select.ts'
import { placeFor } from './search.ts'
import { markPass, placeStored } from './store.ts'
import { type Stored, standingOf } from './stored.ts'
import { type KeyedVisit, routeOf } from './visit.ts'
import { type Errand, fetchWhole, settleWhole } from './whole.ts'

/** A stored response that is to be validated. */
export type Found = Extract<Selected, { kind: 'stored' }>

/** Answers that count as the origin's failure (RFC 5861 section 4). */
const FAILURES: ReadonlySet<number> = new Set([500, 502, 503, 504])

/** Validates, or fetches anew; falls back on the stored response where that is allowed. @throws what the origin throws */
export async function validateStored(visit: KeyedVisit, errand: Errand, found: Found): Promise<Reply> {
  const { stored, key } = found
  const { backoff } = visit.desk.engine
  const validators = validatorsOf(stored.plan.fields)
  const signal = errand.abort.signal
  try {
    if (validators === undefined) return await fetchOrStandIn(visit, errand, found)
    const fields = validationFields(visit.head.fields, validators)
    const heard = await askOrigin(visit, { fields, body: visit.body, signal, informs: !errand.background })
    if (heard.head.status !== 304) return await settleOrStandIn(visit, errand, { heard, found })
    discard(heard.answer.body)
    backoff.succeeded(key)
    if (!isFreshenedBy(stored.plan.fields, heard.head.fields)) return await fetchWhole(visit, { ...errand, forward: 'stale' })
    return renew(visit, errand, { heard, stored })
  } catch (error) {
    if (!signal.aborted) backoff.failed(key)
    const reply = errand.background || signal.aborted ? undefined : standIn(visit, found, true)
    const told = unproven(found, error)
    errand.lead?.fail(told)
    if (reply === undefined) throw told
    return reply
  }
}

/** The stored response instead of a failing origin's answer; undefined when it may not be used so. */
export function standIn(visit: KeyedVisit, found: Found, unreached: boolean): Reply | undefined {
  const { desk, routed } = visit
  const now = desk.engine.clock.now()
  const standing = standingOf(found.stored.plan, now, found.softened)
  // Looked at again: it may have been invalidated while the origin was asked.
  const entry = desk.engine.memory.look(found.key)
  if (entry?.value !== found.stored || !mayStandIn(standing, unreached) || fitOf(visit, found.stored) === 'origin') return undefined
  const route = routeOf(visit)
  desk.engine.meter.count(COUNTER.reserveServes, route)
  desk.engine.meter.observe(HISTOGRAM.staleness, Math.max(0, standing.ageMs - standing.lifetimeMs) / 1000, seriesOf(route, true, true))
  if (desk.engine.events.wants('lookup:stale')) desk.engine.events.emit('lookup:stale', { key: found.key, ageMs: standing.ageMs, reason: 'error' })
  const detail = unreached ? 'origin-unreached' : 'origin-error'
  return replyStored(visit, found.stored, { cache: 'STALE', stale: true, status: { hit: true, detail: routed.policy.strict ? 'strict' : detail } })
}

/** RFC 9111 section 5.2.2.2: disconnected, a response that must be validated is answered with 504. */
function unproven({ stored }: Found, error: unknown): unknown {
  if (stored.plan.windows.onRequest || !(error instanceof ForecacheError) || error.status === 504) return error
  return new ForecacheError('FC_ORIGIN_UNPROVEN', { reason: error.message }, { cause: error })
}

async function fetchOrStandIn(visit: KeyedVisit, errand: Errand, found: Found): Promise<Reply> {
  const fields = validationFields(visit.head.fields, { etag: undefined, lastModified: undefined })
  const heard = await askOrigin(visit, { fields, body: visit.body, signal: errand.abort.signal, informs: !errand.background })
  return settleOrStandIn(visit, errand, { heard, found })
}

function settleOrStandIn(visit: KeyedVisit, errand: Errand, item: { heard: Heard; found: Found }): Promise<Reply> | Reply {
  const { heard, found } = item
  const { backoff } = visit.desk.engine
  if (!FAILURES.has(heard.head.status)) {
    backoff.succeeded(found.key)
    return settleWhole(visit, { ...errand, forward: 'stale' }, heard)
  }
  backoff.failed(found.key)
  const reply = errand.background ? undefined : standIn(visit, found, false)
  if (reply === undefined) return settleWhole(visit, { ...errand, forward: 'stale' }, heard)
  discard(heard.answer.body)
  errand.lead?.abandon()
  return reply
}

/** The entry that a 304 makes of a stored one. */
function renew(visit: KeyedVisit, errand: Errand, item: { heard: Heard; stored: Stored }): Reply {
  const { heard, stored } = item
  const { desk, routed } = visit
  desk.engine.meter.count(COUNTER.revalidations, routeOf(visit))
  const merged = mergeFields(stored.plan.fields, heard.head.fields)
  const age = heard.head.fields.first('age')
  if (age !== undefined) merged.set('age', age)
  const judgement = judgeResponse(
    {
      request: visit.head, asked: visit.asked, response: { status: stored.plan.status, statusText: stored.plan.statusText, fields: merged },
      arrival: heard.arrival, requestedAt: heard.requestedAt, tags: visit.tags, part: stored.part !== undefined,
    },
    desk.profile, routed,
  )
  const manner = { cache: 'REFRESH', status: { hit: true, forward: 'stale', forwardStatus: 304 } } as const
  if (!judgement.storable) {
    errand.lead?.abandon()
    const { refusal } = judgement
    if (refusal !== 'authorization' && refusal !== 'request-no-store') markPass(desk, errand.fill, routed.policy.passMs)
    const plan = { ...stored.plan, fields: merged.delete('age'), requestedAt: heard.requestedAt, offsetMs: 0 }
    return withCookies(replyStored(visit, stored.renewed(plan), manner), heard.head.fields)
  }
  const renewed = stored.renewed(judgement.plan)
  placeStored(desk, placeFor(visit, errand.fill, renewed.plan), renewed)
  errand.lead?.end()
  errand.lead?.answer({ plan: renewed.plan, filling: undefined, stored: Promise.resolve(renewed), length: renewed.body.byteLength }, renewed.plan.tags)
  const reply = replyStored(visit, renewed, manner)
  return desk.profile.store.cookiesStay ? withCookies(reply, heard.head.fields) : reply
}

/** Cookies that came with a 304 are for the client who asked, and for nobody else. */
function withCookies(reply: Reply, answer: Fields): Reply {
  reply.head.fields.delete('set-cookie')
  for (const line of answer.all('set-cookie')) reply.head.fields.append('set-cookie', line)
  return reply
}
