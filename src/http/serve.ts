/**
 * Serving from the store.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { decideUse, type Standing, type Use } from '../rules/reuse.ts'
import { auditServed } from './audit.ts'
import type { Manner } from './manner.ts'
import { type Fit, fitOf, replyFit } from './respond.ts'
import { select } from './select.ts'
import type { Found } from './stand-in.ts'
import { standingOf } from './stored.ts'
import { countHit, countStale } from './tally.ts'
import type { KeyedVisit } from './visit.ts'

/** A fresh answer from the store. */
export const HIT: Manner = { cache: 'HIT', status: { hit: true } }
const STALE: Manner = { cache: 'STALE', stale: true, status: { hit: true } }
const COLLAPSED: Manner = { cache: 'HIT', status: { hit: true, collapsed: true } }

/** What a stored response can do for a visit. */
export interface Weighed {
  readonly use: Use
  readonly fit: Fit
  readonly standing: Standing
}

/** @returns undefined where it cannot answer it at all */
export function weigh(visit: KeyedVisit, { stored, softened }: Found): Weighed | undefined {
  const fit = fitOf(visit, stored)
  if (fit === undefined) return undefined
  const standing = standingOf(stored.plan, visit.desk.engine.clock.now(), softened)
  return { use: decideUse(standing, visit.asked), fit, standing }
}

/** How a stored response may be used for a visit; undefined: it cannot answer it at all. */
export function useOf(visit: KeyedVisit, found: Found): Use | undefined {
  return weigh(visit, found)?.use
}

/** An answer from a stored response, fresh or stale. */
export function deliver(visit: KeyedVisit, found: Found, { use, fit, standing }: Weighed): Reply {
  const { audit } = visit.desk.engine
  const stale = use !== 'serve'
  if (audit !== undefined && audit.isDue()) auditServed(visit, { ...found, stale, ageMs: standing.ageMs })
  if (stale) countStale(visit, found.key, { standing, reason: 'revalidate' })
  else countHit(visit, found.key, standing.ageMs)
  return replyFit(visit, fit, stale ? STALE : HIT)
}

/** What stands for the visit by now and is fresh; undefined: nothing. For who waited for another's answer in vain. */
export function serveStored(visit: KeyedVisit): Reply | undefined {
  const selected = select(visit)
  const weighed = selected.kind === 'stored' ? weigh(visit, selected) : undefined
  return weighed?.use === 'serve' ? replyFit(visit, weighed.fit, COLLAPSED) : undefined
}
