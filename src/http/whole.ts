/**
 * Fetching the whole representation: a miss, a refused validation, a completion that did not fit.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { unconditional } from '../rules/validate.ts'
import { replyAlone } from './alone.ts'
import { askOrigin, type Heard } from './ask.ts'
import { bodyRefusal } from './collect.ts'
import type { Errand } from './errand.ts'
import { judgeHeard } from './judge.ts'
import { tellVary } from './selection.ts'
import { replyShared } from './share.ts'
import type { KeyedVisit } from './visit.ts'

/** Asks for the whole representation and answers with it. @throws what the origin port throws */
export async function fetchWhole(visit: KeyedVisit, errand: Errand): Promise<Reply> {
  const fields = unconditional(visit.head.fields)
  const heard = await askOrigin(visit, { fields, signal: errand.abort.signal, informs: !errand.background })
  return settleWhole(visit, errand, heard)
}

/** Takes an answer that is not a 304 to our own conditions: shares and stores it, or passes it on alone. */
export async function settleWhole(visit: KeyedVisit, errand: Errand, heard: Heard): Promise<Reply> {
  const judgement = judgeHeard(visit, heard)
  const refusal = judgement.storable ? bodyRefusal(visit, heard) : judgement.refusal
  if (refusal !== undefined) return replyAlone(visit, errand, { heard, refusal })
  const { plan } = judgement as Extract<typeof judgement, { storable: true }>
  tellVary(heard.head.fields, plan) // the first answer says what the later ones say
  return replyShared(visit, errand, { heard, plan })
}
