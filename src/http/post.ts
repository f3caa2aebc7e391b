/**
 * A POST whose answer is what GET would give (RFC 9110 section 9.3.3).
 *
 * Floor 4, room http. For profiles that want it; the POST itself has invalidated what stood before.
 */
import type { Fill } from '../flow/fill.ts'
import type { Position } from '../model/entry.ts'
import type { BodySource } from '../model/exchange.ts'
import { sameOriginTarget } from '../rules/unsafe.ts'
import type { Heard } from './ask.ts'
import { judgeHeard } from './judge.ts'
import { openFilling } from './collect.ts'
import { putWhole } from './put.ts'
import type { Plan } from './stored.ts'
import type { KeyedVisit, Visit } from './visit.ts'

/**
 * What the answer would be stored as for GET: it must be explicitly fresh, its Content-Location must name the target, and
 * nothing of it may have been invalidated since the POST was sent.
 *
 * @param asOf the log's horizon when the POST was sent
 */
export function planForGet(visit: Visit, heard: Heard, asOf: Position): Plan | undefined {
  const { desk, head, primary } = visit
  const location = heard.head.fields.first('content-location')
  if (!desk.profile.postAnswersGet || head.method !== 'POST' || heard.head.status !== 200) return undefined
  if (primary === undefined || location === undefined) return undefined
  if (sameOriginTarget(head, location) !== sameOriginTarget(head, head.target)) return undefined
  const judgement = judgeHeard(visit, heard)
  if (!judgement.storable || judgement.plan.lifetimeMs === 0) return undefined
  return desk.engine.fence.admits({ key: primary, asOf, namespace: 0, tags: judgement.plan.tags }) ? judgement.plan : undefined
}

/** What is to be stored for GET, as of which position. */
export interface ForGet {
  readonly plan: Plan
  readonly fill: Fill
}

/** Opens the reading that the answer is; called when the POST's own invalidation stands in the log, and nothing later. */
export function beginForGet({ desk, primary, tags }: KeyedVisit, heard: Heard, plan: Plan): ForGet {
  return { plan, fill: { ...desk.engine.begin(primary, { tags }), startedAt: heard.requestedAt } }
}

/** Stores the answer for GET while it streams. */
export function storeForGet(visit: KeyedVisit, heard: Heard, { plan, fill }: ForGet): BodySource {
  const filling = openFilling(visit, heard, true)
  void filling.done.then((body) => {
    if (body !== undefined) putWhole(visit, fill, { plan, content: { body, trailers: heard.answer.trailers() } })
  })
  return filling.read()
}
