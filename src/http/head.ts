/**
 * HEAD: answered from what GET stored, else written through; its answer renews or removes what is stored.
 *
 * Floor 4, room http. RFC 9110 section 9.3.2, RFC 9111 section 4.3.5.
 */
import type { Reply } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import type { Forward } from '../rules/cache-status.ts'
import { judgeHead, mergeFields } from '../rules/validate.ts'
import { type Heard, replyHeard } from './ask.ts'
import { judgeResponse } from './judge.ts'
import { hearAsIs } from './pass.ts'
import { placeFor } from './search.ts'
import type { Selected } from './select.ts'
import { placeStored } from './store.ts'
import { beginFill, type KeyedVisit, routeOf } from './visit.ts'
import type { Fill } from '../flow/fill.ts'

/** Sends a HEAD on. @throws what the origin port throws */
export async function writeHeadThrough(visit: KeyedVisit, selected: Selected): Promise<Reply> {
  visit.desk.engine.meter.count(COUNTER.misses, routeOf(visit))
  const fill = beginFill(visit, selected.key)
  const heard = await hearAsIs(visit)
  if (selected.kind === 'stored' && heard.head.status === 200) learn(visit, { fill, selected, heard })
  const forward: Forward = selected.kind === 'stored' ? 'stale' : 'uri-miss'
  return replyHeard(visit, heard, { cache: 'MISS', status: { forward, forwardStatus: heard.head.status } })
}

function learn(visit: KeyedVisit, item: { fill: Fill; selected: Extract<Selected, { kind: 'stored' }>; heard: Heard }): void {
  const { fill, selected, heard } = item
  const { desk, routed } = visit
  const { stored, key } = selected
  if (stored.part !== undefined || stored.plan.status !== 200) return
  const verdict = judgeHead(stored.plan.fields, heard.head.fields)
  if (verdict === 'other') {
    desk.engine.invalidate({ keys: [key], source: 'gateway:HEAD' })
    return
  }
  if (verdict === 'unknown' && !desk.profile.headFreshensUnproven) return
  const judgement = judgeResponse(
    {
      request: visit.head, asked: visit.asked,
      response: { status: 200, statusText: stored.plan.statusText, fields: withAge(mergeFields(stored.plan.fields, heard.head.fields), heard) },
      arrival: heard.arrival, requestedAt: heard.requestedAt, tags: visit.tags,
    },
    desk.profile, routed,
  )
  if (judgement.storable) placeStored(desk, placeFor(visit, fill, judgement.plan), stored.renewed(judgement.plan))
}

function withAge(fields: Heard['head']['fields'], heard: Heard): Heard['head']['fields'] {
  const age = heard.head.fields.first('age')
  return age === undefined ? fields : fields.set('age', age)
}
