/**
 * How an answer came about, told in its fields: Age, X-Cache, Cache-Status (RFC 9211).
 *
 * Floor 4, room http.
 */
import { STATUS_CODES } from 'node:http'
import type { Outcome, Reply } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { ageSeconds } from '../rules/age.ts'
import { type CacheStatus, formatCacheStatus } from '../rules/cache-status.ts'
import { type Condition, evaluateConditions, isConditional, notModifiedFields } from '../rules/conditional.ts'
import { ageOf, type Plan } from './stored.ts'
import type { Visit } from './visit.ts'

/** How an answer came about. */
export interface Manner {
  readonly cache: Outcome['cache']
  readonly status: Omit<CacheStatus, 'ttlMs'>
  readonly stale?: boolean
}

/** An answer about to be sent. */
export interface Made {
  readonly status: number
  readonly statusText?: string
  /** Changed in place. */
  readonly fields: Fields
  readonly body: Reply['body']
  /** The stored or shared response it is made of; undefined: it comes from the origin just now. */
  readonly plan: Plan | undefined
}

/** Puts an answer together. */
export function finish(visit: Visit, made: Made, manner: Manner): Reply {
  const { plan, fields, status } = made
  const ageMs = plan === undefined ? 0 : ageOf(plan, visit.desk.engine.clock.now())
  if (plan !== undefined) fields.set('age', ageSeconds(ageMs))
  const member = formatCacheStatus(
    visit.desk.cacheName,
    plan === undefined ? manner.status : { ...manner.status, ttlMs: plan.lifetimeMs - ageMs },
  )
  const before = fields.get('cache-status')
  fields.set('cache-status', before === undefined ? member : `${before}, ${member}`)
  fields.set('x-cache', manner.cache)
  const head = { status, statusText: made.statusText ?? STATUS_CODES[status] ?? '', fields }
  return { head, body: visit.head.method === 'HEAD' ? undefined : made.body, outcome: outcomeOf(visit, manner) }
}

/** What a client's own conditions say of a response. */
export function conditionOf(visit: Visit, response: { readonly status: number; readonly fields: Fields }): Condition {
  const { fields } = visit.head
  return isConditional(fields) ? evaluateConditions(fields, response, visit.desk.engine.clock.wall()) : 'full'
}

/** 304 made of a response's fields. */
export function replyNotModified(
  visit: Visit,
  made: { readonly fields: Fields; readonly plan: Plan | undefined },
  manner: Manner,
): Reply {
  return finish(visit, { status: 304, fields: notModifiedFields(made.fields), body: undefined, plan: made.plan }, manner)
}

/** An answer of this door's own, such as 504 for only-if-cached. */
export function replyPlain(visit: Visit, status: number, manner: Manner): Reply {
  const body = Buffer.from(`${status} ${STATUS_CODES[status] ?? ''}\n`)
  const fields = Fields.from({
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'content-length': body.byteLength,
  })
  return finish(visit, { status, fields, body, plan: undefined }, manner)
}

function outcomeOf(visit: Visit, manner: Manner): Outcome {
  const cached = manner.cache === 'HIT' || manner.cache === 'STALE' || manner.cache === 'REFRESH'
  const { stored, collapsed } = manner.status
  const load = stored === true ? 'kept' : collapsed === true && !cached ? 'joined' : undefined
  return { cache: manner.cache, cached, stale: manner.stale === true, route: visit.routed.policy.name, load }
}
