/**
 * HEAD: answered from what GET stored, else written through; its answer renews or removes what is stored.
 *
 * Floor 4, room http. RFC 9110 section 9.3.2, RFC 9111 section 4.3.5.
 */
import type { Reply } from '../model/exchange.ts'
import { judgeHead } from '../rules/validate.ts'
import { hearAsIs, type Heard, replyHeard } from './ask.ts'
import { judgeRenewal, standsOn } from './renew.ts'
import { putStored } from './put.ts'
import type { Selected } from './select.ts'
import type { Found } from './stand-in.ts'
import { countMiss } from './tally.ts'
import { beginFill, type KeyedVisit } from './visit.ts'

/** Sends a HEAD on. @throws what the origin port throws */
export async function writeHeadThrough(visit: KeyedVisit, selected: Selected): Promise<Reply> {
  countMiss(visit, selected.key)
  const fill = beginFill(visit, selected.key)
  const heard = await hearAsIs(visit)
  const news = selected.kind === 'stored' && heard.head.status === 200 ? newsOf(visit, selected, heard) : 'none'
  if (news === 'other') visit.desk.engine.invalidate({ keys: [selected.key], source: 'gateway:HEAD' })
  if (news === 'same') {
    const { stored } = selected as Found
    const judgement = judgeRenewal(visit, { heard, stored })
    if (judgement.storable && standsOn(stored, judgement.plan)) putStored(visit, fill, stored.renewed(judgement.plan))
  }
  const forward = selected.kind === 'stored' ? 'stale' : 'uri-miss'
  return replyHeard(visit, heard, { cache: 'MISS', status: { forward, forwardStatus: heard.head.status } })
}

/** What a 200 to HEAD says about the stored response: that it is current, that it is not, or nothing. */
function newsOf(visit: KeyedVisit, { stored }: Found, heard: Heard): 'same' | 'other' | 'none' {
  if (stored.part !== undefined || stored.plan.status !== 200) return 'none'
  // Another coding was selected for this client: its tag and length say nothing of the one that stands.
  const coding = 'content-encoding'
  if (heard.head.fields.get(coding) !== stored.plan.fields.get(coding)) return 'none'
  const verdict = judgeHead(stored.plan.fields, heard.head.fields)
  if (verdict !== 'unknown') return verdict
  return visit.desk.profile.headFreshensUnproven ? 'same' : 'none'
}
