/**
 * A stored response instead of a failing origin's answer (RFC 5861 section 4, RFC 9111 section 4.2.4).
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'
import { ForecacheError } from '../model/errors.ts'
import { mayStandIn } from '../rules/reuse.ts'
import { fitOf, replyFit } from './respond.ts'
import type { Selected } from './select.ts'
import { standingOf } from './stored.ts'
import { countStale } from './tally.ts'
import type { KeyedVisit } from './visit.ts'

/** A stored response that a request selects. */
export type Found = Extract<Selected, { kind: 'stored' }>

/** Answers that count as the origin's failure (RFC 5861 section 4). */
const FAILURES: ReadonlySet<number> = new Set([500, 502, 503, 504])

/** Whether a status is a failure of the origin's that something stored may stand in for. */
export function isFailure(status: number): boolean {
  return FAILURES.has(status)
}

/** @param unreached no answer came at all @returns undefined when the stored response may not be used so */
export function standIn(visit: KeyedVisit, found: Found, unreached: boolean): Reply | undefined {
  const { engine } = visit.desk
  const standing = standingOf(found.stored.plan, engine.clock.now(), found.softened)
  // Looked at again: it may have been invalidated while the origin was asked.
  if (engine.memory.look(found.key)?.value !== found.stored) return undefined
  const fit = mayStandIn(standing, unreached) ? fitOf(visit, found.stored) : undefined
  if (fit === undefined) return undefined
  countStale(visit, found.key, { standing, reason: 'error' })
  const detail = unreached ? 'origin-unreached' : 'origin-error'
  return replyFit(visit, fit, { cache: 'STALE', stale: true, status: { hit: true, detail } })
}

/** RFC 9111 section 5.2.2.2: cut off from the origin, a response that must be validated is answered with 504. */
export function unproven({ stored }: Found, error: unknown): unknown {
  if (stored.plan.windows.onRequest || !(error instanceof ForecacheError) || error.status === 504) return error
  return new ForecacheError('FC_ORIGIN_UNPROVEN', { reason: error.message }, { cause: error })
}
