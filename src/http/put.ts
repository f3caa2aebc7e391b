/**
 * Putting what a visit brought where later requests find it.
 *
 * Floor 4, room http. A response; a mark that the key's answers cannot be shared.
 */
import type { Fill } from '../flow/fill.ts'
import type { Kept } from '../flow/keep.ts'
import type { StoreRefusal } from '../rules/storable.ts'
import { makeVariants } from './recode.ts'
import { placeFor } from './search.ts'
import { type Content, markPass, placeStored, sealStored } from './store.ts'
import type { Plan, Stored } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** Refusals that say something about one request, nothing about the key. */
const OF_REQUEST: ReadonlySet<StoreRefusal> = new Set(['request-no-store', 'authorization', 'refused'])

/** Stores a response under the exact URL, or wider, where it says so; its other codings are made behind. */
export function putStored(visit: KeyedVisit, fill: Fill, stored: Stored): Kept {
  const place = placeFor(visit, fill, stored.plan)
  const kept = placeStored(visit.desk, place, stored)
  if (kept === 'kept') makeVariants(visit.desk, place, stored)
  return kept
}

/** Stores a planned response with its content. @returns it, stored or not */
export function putWhole(visit: KeyedVisit, fill: Fill, item: { readonly plan: Plan; readonly content: Content }): Stored {
  const stored = sealStored(visit.desk, item.plan, item.content)
  putStored(visit, fill, stored)
  return stored
}

/**
 * Marks a key whose answer was refused, so that nobody queues for it; what stood there goes. A refusal that is about the
 * request marks only where nothing stands.
 */
export function putRefusal(visit: KeyedVisit, fill: Fill, refusal: StoreRefusal): void {
  const { engine } = visit.desk
  if (OF_REQUEST.has(refusal) && engine.lookup(fill.key).state !== 'absent') return
  markPass(visit.desk, fill, visit.routed.policy.passMs)
}
