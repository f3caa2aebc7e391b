/**
 * Fetching what the store does not have, alone or with others.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import type { Forward } from '../rules/cache-status.ts'
import { askAlone, coalesce } from './coalesce.ts'
import { writeHeadThrough } from './head.ts'
import { passOn } from './pass.ts'
import { runFor } from './run.ts'
import type { Selected } from './select.ts'
import { count, countMiss } from './tally.ts'
import { hasPrecondition, isImpatient, type KeyedVisit } from './visit.ts'

/** Fetches for a visit. @throws what the origin port throws; FC_FLIGHT_FULL */
export function fetchMissing(visit: KeyedVisit, selected: Selected): Promise<Reply> {
  const { head, desk } = visit
  if (head.method === 'HEAD') return writeHeadThrough(visit, selected)
  if (hasPrecondition(visit)) return passOn(visit, { forward: 'bypass', detail: 'precondition' })
  if (selected.kind === 'pass') count(visit, 'passes')
  else countMiss(visit, selected.key)
  const wanted = { forward: forwardOf(selected), run: runFor(visit, selected) }
  // A request that no shared answer can serve does not wait for one.
  const rangeAlone = head.fields.has('range') && !desk.engine.flights.has(selected.key)
  if (selected.kind === 'pass' || isImpatient(visit) || rangeAlone) return askAlone(visit, selected.key, wanted)
  return coalesce(visit, selected.key, wanted)
}

function forwardOf(selected: Selected): Forward {
  if (selected.kind === 'stored') return selected.stored.part === undefined ? 'vary-miss' : 'partial'
  return selected.kind === 'absent' && selected.varied ? 'vary-miss' : 'uri-miss'
}
