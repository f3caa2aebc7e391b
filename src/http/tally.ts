/**
 * What a visit counts: one call per way a request may go.
 *
 * Floor 4, room http. Every cacheable answer counts exactly one of hit, stale, reserve, miss; a way past the cache a pass.
 */
import type { Events } from '../model/event.ts'
import type { Reply } from '../model/exchange.ts'
import { seriesOf } from '../model/meter.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import type { StoreRefusal } from '../rules/storable.ts'
import type { Standing } from '../rules/reuse.ts'
import { timeReply } from './metered.ts'
import { routeOf, type Visit } from './visit.ts'

/** Something that is only counted, by the counter's name. */
export type Counted =
  | 'passes'
  | 'misses'
  | 'coalesced'
  | 'refused'
  | 'refreshes'
  | 'revalidations'
  | 'originRequests'
  | 'originFailures'

export function count(visit: Visit, what: Counted): void {
  visit.desk.engine.meter.count(COUNTER[what], routeOf(visit))
}

/** Bytes that a client was spared by a smaller representation of what came. */
export function countSaved(visit: Visit, bytes: number): void {
  if (bytes > 0 && visit.head.method !== 'HEAD') visit.desk.engine.meter.add(COUNTER.variantsSavedBytes, routeOf(visit), bytes)
}

/** A fresh answer. */
export function countHit(visit: Visit, key: string, ageMs: number): void {
  const { meter, events } = visit.desk.engine
  meter.count(COUNTER.hits, routeOf(visit))
  if (events.wants('lookup:hit')) events.emit('lookup:hit', { key, ageMs })
}

/** A stale answer, and why it was given. */
export function countStale(
  visit: Visit,
  key: string,
  told: { standing: Standing; reason: Events['lookup:stale']['reason'] },
): void {
  const { meter, events } = visit.desk.engine
  const { standing, reason } = told
  const route = routeOf(visit)
  meter.count(reason === 'revalidate' ? COUNTER.staleServes : COUNTER.reserveServes, route)
  meter.observe(HISTOGRAM.staleness, Math.max(0, standing.ageMs - standing.lifetimeMs) / 1000, seriesOf(route, true, true))
  if (events.wants('lookup:stale')) events.emit('lookup:stale', { key, ageMs: standing.ageMs, reason })
}

/** Nothing usable stood under the key. */
export function countMiss(visit: Visit, key: string): void {
  const { events } = visit.desk.engine
  count(visit, 'misses')
  if (events.wants('lookup:miss')) events.emit('lookup:miss', { key })
}

/** An answer that is given once and not kept. */
export function countUnkept(visit: Visit, key: string, refusal: StoreRefusal): void {
  const { meter, events } = visit.desk.engine
  meter.count(COUNTER.unkept, routeOf(visit))
  if (events.wants('keep:refuse')) events.emit('keep:refuse', { key, reason: refusal, tags: visit.tags })
}

/** A request to the origin that failed; a refresh behind an answer is told of by the engine. */
export function countFailure(visit: Visit, error: unknown, informs: boolean): void {
  const { events } = visit.desk.engine
  count(visit, 'originFailures')
  if (!informs || visit.primary === undefined || !events.wants('origin:fail')) return
  events.emit('origin:fail', { key: visit.primary, error, background: false })
}

/** From the request's arrival to its answer, and to the answer's end. @returns the reply to hand on */
export function observeAnswer(visit: Visit, askedAt: number, reply: Reply): Reply {
  const { meter, clock } = visit.desk.engine
  const { cached, stale } = reply.outcome
  const series = seriesOf(routeOf(visit), cached, stale)
  meter.observe(HISTOGRAM.hit, (clock.now() - askedAt) / 1000, series)
  return timeReply(reply, () => meter.observe(HISTOGRAM.request, (clock.now() - askedAt) / 1000, series))
}
