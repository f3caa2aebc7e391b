/**
 * What is asked of the origin when the store has nothing usable: a range, the rest of a part, the whole.
 *
 * Floor 4, room http.
 */
import { completePart } from './complete.ts'
import type { Run } from './errand.ts'
import { fetchRange } from './part.ts'
import { isCompletable } from './piece.ts'
import type { Selected } from './select.ts'
import type { KeyedVisit } from './visit.ts'
import { fetchWhole } from './whole.ts'

export function runFor(visit: KeyedVisit, selected: Selected): Run {
  if (visit.head.fields.has('range')) return (errand) => fetchRange(visit, errand, selected)
  if (selected.kind === 'stored' && isCompletable(visit, selected.stored))
    return (errand) => completePart(visit, errand, selected.stored)
  return (errand) => fetchWhole(visit, errand)
}
