/**
 * Validating what was found before it is served: alone, with others, or not now.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { askAlone, coalesce, type Wanted } from './coalesce.ts'
import { writeHeadThrough } from './head.ts'
import { passOn } from './pass.ts'
import { type Found, standIn } from './stand-in.ts'
import { countMiss } from './tally.ts'
import { validateStored } from './validate.ts'
import { hasPrecondition, isImpatient, type KeyedVisit } from './visit.ts'

/** Validates what was found; coalesced where one validation can serve several. @throws what the origin port throws */
export async function validateFound(visit: KeyedVisit, found: Found): Promise<Reply> {
  const { engine } = visit.desk
  if (visit.head.method === 'HEAD') return writeHeadThrough(visit, found)
  if (hasPrecondition(visit)) return passOn(visit, { forward: 'bypass', detail: 'precondition' })
  const rest = (): Reply | undefined =>
    engine.backoff.leftMs(found.key) > 0 && !isImpatient(visit) ? standIn(visit, found, true) : undefined
  const resting = rest()
  if (resting !== undefined) return resting
  countMiss(visit, found.key)
  // Who waited for a validation that failed does not ask a failing origin once more.
  const run: Wanted['run'] = async (errand) =>
    (errand.lead === undefined ? rest() : undefined) ?? validateStored(visit, errand, found)
  const wanted: Wanted = { forward: 'stale', run }
  // What must be validated for every request is never shared between them: queueing would only make them wait.
  const { plan } = found.stored
  if (plan.alwaysValidate || plan.lifetimeMs === 0 || isImpatient(visit)) return askAlone(visit, found.key, wanted)
  try {
    return await coalesce(visit, found.key, wanted)
  } catch (error) {
    const reply = visit.exchange.signal.aborted ? undefined : standIn(visit, found, true)
    if (reply === undefined) throw error
    return reply
  }
}
