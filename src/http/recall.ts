/**
 * Recalling: a fresh stored response for a GET or HEAD, at once and without asking anybody.
 *
 * Floor 4, room http. What a lane asks before anything else. The decisions are those of `read`: the same lookup, the same
 * conditions, the same use. Whatever is not plainly `serve` is not answered here and costs the caller one lookup.
 */
import type { Reply } from '../model/exchange.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import { auditServed } from './audit.ts'
import type { Known } from './known.ts'
import { representPlain } from './represent.ts'
import { replyStored } from './respond.ts'
import { select } from './select.ts'
import { deliver, HIT, useOf, weigh } from './serve.ts'
import { ageOf, Stored } from './stored.ts'
import { countSaved } from './tally.ts'
import { routeOf } from './visit.ts'

/** The fresh representation that answers a plain request whole; undefined: look closer. About 100 ns. */
export function recall(known: Known): Stored | undefined {
  const { visit } = known
  const value = visit.desk.engine.memory.current(visit.primary)
  if (value instanceof Stored) {
    known.key = visit.primary
    return value.part === undefined ? choose(known, value) : undefined
  }
  const selected = select(visit)
  if (selected.kind !== 'stored' || selected.stored.part !== undefined || useOf(visit, selected) !== 'serve') return undefined
  known.key = selected.key
  return choose(known, selected.stored)
}

function choose(known: Known, stored: Stored): Stored | undefined {
  known.savedBytes = 0
  if (stored.isAlone) return stored
  const chosen = representPlain(stored, known.accept)
  if (chosen !== undefined) known.savedBytes = stored.body.byteLength - chosen.body.byteLength
  return chosen
}

/** The answer made of it; the fields that change while it stands are Age and Cache-Status. */
export function recalledReply({ visit }: Known, stored: Stored): Reply {
  return replyStored(visit, stored, HIT)
}

/** The answer to a request with conditions, a range or directives, counted; undefined: it is not for recalling. */
export function recallParticular({ visit }: Known): Reply | undefined {
  const selected = select(visit)
  const weighed = selected.kind === 'stored' ? weigh(visit, selected) : undefined
  return selected.kind === 'stored' && weighed?.use === 'serve' ? deliver(visit, selected, weighed) : undefined
}

/** Counts a recalled response as `deliver` does. */
export function countRecalled({ visit, key, savedBytes }: Known, stored: Stored, now: number): void {
  const { meter, events, audit } = visit.desk.engine
  meter.count(COUNTER.hits, routeOf(visit))
  if (audit !== undefined && audit.isDue()) auditServed(visit, { key, stored, stale: false, ageMs: ageOf(stored.plan, now) })
  // A plan is far from what a hit touches anyway: it is not looked at for nobody.
  if (events.wants('lookup:hit')) events.emit('lookup:hit', { key, ageMs: ageOf(stored.plan, now) })
  if (savedBytes !== 0) countSaved(visit, savedBytes)
}

/** From the request's arrival to its answer handed over, ms. */
export function timeRecalled({ visit, series }: Known, ms: number): void {
  const { meter } = visit.desk.engine
  meter.observe(HISTOGRAM.hit, ms / 1000, series)
  meter.observe(HISTOGRAM.request, ms / 1000, series)
}
