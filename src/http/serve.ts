/**
 * Serving from the store.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { decideUse, type Use } from '../rules/reuse.ts'
import { auditServed } from './audit.ts'
import type { Manner } from './manner.ts'
import { canAnswer, replyStored } from './respond.ts'
import { select } from './select.ts'
import type { Found } from './stand-in.ts'
import { standingOf } from './stored.ts'
import { countHit, countStale } from './tally.ts'
import type { KeyedVisit } from './visit.ts'

/** A fresh answer from the store. */
export const HIT: Manner = { cache: 'HIT', status: { hit: true } }
const STALE: Manner = { cache: 'STALE', stale: true, status: { hit: true } }
const COLLAPSED: Manner = { cache: 'HIT', status: { hit: true, collapsed: true } }

/** How a stored response may be used for a visit; undefined: it cannot answer it at all. */
export function useOf(visit: KeyedVisit, found: Found): Use | undefined {
  if (!canAnswer(visit, found.stored)) return undefined
  return decideUse(standingOf(found.stored.plan, visit.desk.engine.clock.now(), found.softened), visit.asked)
}

/** An answer from a stored response, fresh or stale. */
export function deliver(visit: KeyedVisit, found: Found, stale: boolean): Reply {
  const { clock, audit } = visit.desk.engine
  const standing = standingOf(found.stored.plan, clock.now(), found.softened)
  if (audit !== undefined && audit.isDue()) auditServed(visit, { ...found, stale, ageMs: standing.ageMs })
  if (stale) countStale(visit, found.key, { standing, reason: 'revalidate' })
  else countHit(visit, found.key, standing.ageMs)
  return replyStored(visit, found.stored, stale ? STALE : HIT)
}

/** What stands for the visit by now and is fresh; undefined: nothing. For who waited for another's answer in vain. */
export function serveStored(visit: KeyedVisit): Reply | undefined {
  const selected = select(visit)
  if (selected.kind !== 'stored' || useOf(visit, selected) !== 'serve') return undefined
  return replyStored(visit, selected.stored, COLLAPSED)
}
