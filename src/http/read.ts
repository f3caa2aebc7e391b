/**
 * Reading: GET, HEAD and QUERY, from lookup to answer.
 *
 * Floor 4, room http. lookup → {deliver | deliver and refresh behind | validate | complete | fetch | pass}.
 */
import type { Reply } from '../model/exchange.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import { seriesOf } from '../model/meter.ts'
import { decideUse, type Use } from '../rules/reuse.ts'
import { askAlone, coalesce, type Run } from './coalesce.ts'
import { writeHeadThrough } from './head.ts'
import { completePart, fetchRange, isCompletable } from './part.ts'
import { passOn } from './pass.ts'
import { refreshBehind } from './refresh.ts'
import { fitOf, type Manner, replyPlain, replyStored } from './respond.ts'
import { findBySearch } from './search.ts'
import { select, type Selected } from './select.ts'
import { standingOf } from './stored.ts'
import { type Found, standIn, validateStored } from './validate.ts'
import { type KeyedVisit, routeOf } from './visit.ts'
import { fetchWhole } from './whole.ts'

/** Answers a request that may be answered from the store. @throws what the origin port throws; FC_FLIGHT_FULL */
export function read(given: KeyedVisit): Reply | Promise<Reply> {
  let visit = given
  let selected = select(visit)
  if (selected.kind === 'absent') {
    const relaxed = findBySearch(visit)
    if (relaxed !== undefined) {
      visit = relaxed
      selected = select(visit)
    }
  }
  if (selected.kind === 'stored') {
    const fit = fitOf(visit, selected.stored)
    const standing = standingOf(selected.stored.plan, visit.desk.engine.clock.now(), selected.softened)
    const use = decideUse(standing, visit.asked)
    if (fit !== 'origin' && use !== 'validate') return deliver(visit, selected, use)
    if (visit.asked.onlyIfCached) return replyNothing(visit)
    return fit === 'origin' ? goOn(visit, selected, use) : validate(visit, selected)
  }
  if (visit.asked.onlyIfCached) return replyNothing(visit)
  return goOn(visit, selected, 'validate')
}

function deliver(visit: KeyedVisit, found: Found, use: Exclude<Use, 'validate'>): Reply {
  const { engine } = visit.desk
  const { plan } = found.stored
  const route = routeOf(visit)
  const standing = standingOf(plan, engine.clock.now(), found.softened)
  if (use === 'serve') {
    engine.meter.count(COUNTER.hits, route)
    if (engine.events.wants('lookup:hit')) engine.events.emit('lookup:hit', { key: found.key, ageMs: standing.ageMs })
    return replyStored(visit, found.stored, HIT)
  }
  engine.meter.count(COUNTER.staleServes, route)
  engine.meter.observe(HISTOGRAM.staleness, Math.max(0, standing.ageMs - standing.lifetimeMs) / 1000, seriesOf(route, true, true))
  if (engine.events.wants('lookup:stale')) engine.events.emit('lookup:stale', { key: found.key, ageMs: standing.ageMs, reason: 'revalidate' })
  if (use === 'behind') refreshBehind(visit, found)
  return replyStored(visit, found.stored, STALE)
}

const HIT: Manner = { cache: 'HIT', status: { hit: true } }
const STALE: Manner = { cache: 'STALE', stale: true, status: { hit: true } }

/** Validates; coalesced where one validation can serve several. */
function validate(visit: KeyedVisit, found: Found): Promise<Reply> {
  const { engine } = visit.desk
  if (visit.head.method === 'HEAD') return writeHeadThrough(visit, found)
  const rest = engine.backoff.leftMs(found.key) > 0 && !visit.asked.noCache ? standIn(visit, found, true) : undefined
  if (rest !== undefined) return Promise.resolve(rest)
  engine.meter.count(COUNTER.misses, routeOf(visit))
  const told = { forward: 'stale', run: (errand: Parameters<typeof validateStored>[1]) => validateStored(visit, errand, found) } as const
  // What must be validated for every request is never shared between them: queueing would only make them wait.
  const { plan } = found.stored
  if (plan.alwaysValidate || plan.lifetimeMs === 0 || visit.asked.noCache || visit.asked.maxAge === 0) return askAlone(visit, found.key, told)
  return coalesce(visit, found.key, told).catch((error: unknown) => {
    const reply = visit.exchange.signal.aborted ? undefined : standIn(visit, found, true)
    if (reply === undefined) throw error
    return reply
  })
}

/** Nothing stored can answer this request. */
function goOn(visit: KeyedVisit, selected: Selected, use: Use): Promise<Reply> {
  const { head, desk } = visit
  if (head.method === 'HEAD') return writeHeadThrough(visit, selected)
  if (head.fields.has('if-match') || head.fields.has('if-unmodified-since')) return passOn(visit, { forward: 'bypass', detail: 'precondition' })
  desk.engine.meter.count(selected.kind === 'pass' ? COUNTER.passes : COUNTER.misses, routeOf(visit))
  if (desk.engine.events.wants('lookup:miss')) desk.engine.events.emit('lookup:miss', { key: selected.key })
  const forward = selected.kind === 'stored' ? 'partial' : selected.kind === 'absent' && selected.varied ? 'vary-miss' : 'uri-miss'
  // A request that no shared answer can serve does not wait for one.
  const alone = selected.kind === 'pass' || visit.asked.noCache || visit.asked.maxAge === 0
  const run = runFor(visit, selected, use)
  if (alone || (head.fields.has('range') && !desk.engine.flights.has(selected.key))) return askAlone(visit, selected.key, { forward, run })
  return coalesce(visit, selected.key, { forward, run })
}

function runFor(visit: KeyedVisit, selected: Selected, use: Use): Run {
  if (visit.head.fields.has('range')) return (errand) => fetchRange(visit, errand, selected)
  if (selected.kind === 'stored' && use !== 'validate' && isCompletable(visit, selected.stored)) {
    return (errand) => completePart(visit, errand, selected.stored)
  }
  return (errand) => fetchWhole(visit, errand)
}

function replyNothing(visit: KeyedVisit): Reply {
  visit.desk.engine.meter.count(COUNTER.misses, routeOf(visit))
  return replyPlain(visit, 504, { cache: 'MISS', status: { detail: 'only-if-cached' } })
}
