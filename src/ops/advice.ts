/**
 * `GET /v1/advice`: what an instance would have changed, from its own counters.
 *
 * Floor 4, room ops. The same findings as `forecache analyze` as far as counters tell them: who asked for what is in a log alone.
 * Nothing is counted for it but refusals and sizes of answers that are loaded; a hit costs nothing more. Before workers
 * it is of all of them together; sizes of those that are there.
 */
import { z } from 'zod'
import type { StatsSource } from '../flow/stats.ts'
import { type Endpoint, type EndpointText, jsonReply } from '../model/endpoint.ts'
import type { EventHub } from '../model/event.ts'
import { type Finding, FINDING_KINDS, type FindingKind } from '../model/finding.ts'
import type { Meter, RouteId } from '../model/meter.ts'
import { changesEveryTime, readChanges } from './route-changes.ts'

/** One route, since the start. Shares from 0 to 1. */
export interface RouteAdvice {
  readonly route: string
  /** Requests that a cache may answer, and those that went past it. */
  readonly requests: number
  readonly hitRatio: number
  readonly stale: number
  readonly passed: number
  /** Answers for each load. */
  readonly reuse: number
  /** Loads that were not kept. */
  readonly unkept: number
  /** Readings that found what stood already, of those that were compared with it; null: there was none. */
  readonly unchanged: number | null
  /** Mean time between two changes of one key, ms, as nearly as counters tell; null: none was seen. */
  readonly changeEveryMs: number | null
  /** Loads that were kept out of the second level or out of the cache, because the route is of no use there. */
  readonly demoted: number
  readonly refreshesAhead: number
}

/** The answer of `/v1/advice`. */
export interface Advice {
  readonly routes: readonly RouteAdvice[]
  readonly findings: readonly Finding[]
}

const MIB = 1024 * 1024
const MIN_REQUESTS = 100
const MIN_REUSE = 0.04
const MAX_STALE = 0.05
const MIN_PASSED = 0.5
const MIN_REFRESHES = 50
/** Answers of a load, under which it is no use, with so many loads to tell. */
const MIN_LOAD_REUSE = 0.05
const MIN_LOADS = 64
const FLAT_FACTOR = 10

const share = z.number().min(0).max(1)
const ADVICE = z.strictObject({
  routes: z.array(
    z.strictObject({
      route: z.string(),
      requests: z.int(),
      hitRatio: share,
      stale: share,
      passed: share,
      reuse: z.number().min(0),
      unkept: share,
      unchanged: share.nullable(),
      changeEveryMs: z.int().min(0).nullable(),
      demoted: z.int(),
      refreshesAhead: z.int(),
    }),
  ),
  findings: z.array(
    z.strictObject({
      kind: z.enum(Object.keys(FINDING_KINDS) as [FindingKind, ...FindingKind[]]),
      route: z.string().optional(),
      text: z.string(),
      evidence: z.record(z.string(), z.union([z.number(), z.string()])),
      advice: z.string(),
    }),
  ),
})

const ADVICE_TEXT: EndpointText = {
  id: 'getAdvice',
  summary: 'What this instance would have changed, from its own counters',
  answers: { 200: { description: 'By route, and what was found.', content: { 'application/json': ADVICE } } },
}

/** What was stored and is larger than it should be. */
export interface LargeCounts {
  readonly count: number
  readonly maxBytes: number
  /** Key of the largest. */
  readonly key: string
}

/** Of several processes together. */
export function sumLarge(all: readonly LargeCounts[]): LargeCounts {
  const largest = all.reduce((most, one) => (one.maxBytes > most.maxBytes ? one : most), { count: 0, maxBytes: 0, key: '' })
  return { ...largest, count: all.reduce((sum, { count }) => sum + count, 0) }
}

/** Sizes of what was stored in this process. */
export class LargeAnswers {
  count = 0
  maxBytes = 0
  key = ''
  readonly #stop: () => void

  constructor(events: EventHub) {
    this.#stop = events.on('keep:store', ({ key, bytes }) => {
      if (bytes <= MIB) return
      this.count += 1
      if (bytes <= this.maxBytes) return
      this.maxBytes = bytes
      this.key = key
    })
  }

  counts(): LargeCounts {
    return { count: this.count, maxBytes: this.maxBytes, key: this.key }
  }

  close(): void {
    this.#stop()
  }
}

/** @param source asked at each request */
export function createAdviceEndpoint(
  source: () => StatsSource | Promise<StatsSource>,
  large: () => LargeCounts | Promise<LargeCounts>,
): Endpoint {
  return {
    method: 'GET',
    path: '/v1/advice',
    about: ADVICE_TEXT,
    handle: async () => {
      const [stats, sizes] = await Promise.all([source(), large()])
      return jsonReply(200, readAdvice(stats.meter, sizes))
    },
  }
}

/** Costs a pass over the routes. */
export function readAdvice(meter: Meter, large: LargeCounts): Advice {
  const routes = meter.routes.map((_, id) => routeAdvice(meter, id)).filter(({ requests, passed }) => requests > 0 || passed > 0)
  const known = routes.filter(({ requests }) => requests >= MIN_REQUESTS)
  const found = known.flatMap((one) => [...findIn(one), ...findUseless(one, meter)])
  return { routes, findings: [...found, ...findFlat(known), ...findLarge(large)] }
}

function routeAdvice(meter: Meter, id: RouteId): RouteAdvice {
  const n = meter.totals(id)
  const rates = meter.rates(id)
  const answers = n.hits + n.staleServes + n.reserveServes
  const requests = answers + n.misses + n.passes
  const changes = readChanges(n)
  return {
    route: meter.routes[id] as string,
    requests,
    hitRatio: rates.effectiveHit,
    stale: rates.stale,
    passed: rates.bypass,
    reuse: round(answers / Math.max(1, n.originRequests)),
    unkept: round(Math.min(1, n.unkept / Math.max(1, n.originRequests))),
    unchanged: changes.compared === 0 ? null : round(1 - changes.changed / changes.compared),
    changeEveryMs: changes.everyMs,
    demoted: n.demotedL2 + n.demotedCache,
    refreshesAhead: n.aheadRefreshes,
  }
}

function findIn(one: RouteAdvice): Finding[] {
  const { route, requests, hitRatio, stale, passed, unkept, demoted, refreshesAhead } = one
  const found: Finding[] = []
  if (hitRatio < MIN_REUSE && passed < MIN_PASSED && unkept < MIN_PASSED) {
    found.push({
      kind: 'low-reuse',
      route,
      text: `${percent(hitRatio)} of ${requests} requests were answered from the cache`,
      evidence: { requests, hitRatio: round(hitRatio), reuse: one.reuse },
      advice: 'see with `forecache analyze` which parameters do not matter; if all do, do not cache it: strict: true',
    })
  }
  if ((passed >= MIN_PASSED || unkept >= MIN_PASSED) && demoted === 0) {
    found.push({
      kind: 'per-user',
      route,
      text: `${percent(Math.max(passed, unkept))} of ${requests} requests were passed on or not kept: their answers may not be shared`,
      evidence: { requests, passed: round(passed), unkept },
      advice: 'strict: true spares the look-up; `forecache explain` says for a URL what forbids it',
    })
  }
  if (stale > MAX_STALE && refreshesAhead === 0) {
    found.push({
      kind: 'stale-without-prediction',
      route,
      text: `${percent(stale)} of the answers were stale, and nothing is refreshed before its end`,
      evidence: { requests, stale: round(stale), refreshesAhead },
      advice: 'refreshAhead: true',
    })
  }
  return found
}

/** What a cache cannot help: it changes at each refresh, or nobody reads it before it is loaded again. */
function findUseless({ route, reuse, demoted, passed, unkept }: RouteAdvice, meter: Meter): Finding[] {
  const counts = meter.totals(meter.routes.indexOf(route))
  const changes = readChanges(counts)
  const outcome = demoted === 0 ? '' : `; ${demoted} loads were kept out`
  const found: Finding[] = []
  if (changesEveryTime(changes)) {
    const { compared, changed } = changes
    const worth = reuse < 1 ? 'fewer than one answer' : `${reuse} answers`
    found.push({
      kind: 'changes-every-time',
      route,
      text: `${changed} of ${compared} readings brought something else than stood, with ${worth} for each load${outcome}`,
      evidence: { compared, changed, changeEveryMs: changes.everyMs ?? 0, reuse, demoted },
      advice:
        reuse < 1
          ? 'do not cache it, or adaptive: {demote: cache}, which takes it out for as long as that is so'
          : 'shorten the window to what may be wrong: adaptive: true does so inside the budget',
    })
  }
  const isKept = passed < MIN_PASSED && unkept < MIN_PASSED
  if ((isKept || demoted > 0) && reuse < MIN_LOAD_REUSE && counts.originRequests >= MIN_LOADS) {
    found.push({
      kind: 'never-reused',
      route,
      text: `${counts.originRequests} loads were read ${reuse} times each${outcome}`,
      evidence: { loads: counts.originRequests, reuse, demoted },
      advice: 'adaptive: {demote: cache} takes it out of the cache, {demote: l2} out of the second level',
    })
  }
  return found
}

/** Some routes are refreshed in vain, others hardly ever: one window for both. */
function findFlat(routes: readonly RouteAdvice[]): Finding[] {
  const told = routes.flatMap(({ route, unchanged, requests }) =>
    unchanged === null || requests < MIN_REFRESHES ? [] : [{ route, unchanged }],
  )
  const sorted = told.toSorted((a, b) => b.unchanged - a.unchanged)
  const [calm, restless] = [sorted[0], sorted.at(-1)]
  if (calm === undefined || restless === undefined || 1 - restless.unchanged < (1 - calm.unchanged + 0.01) * FLAT_FACTOR)
    return []
  return [
    {
      kind: 'flat-ttl',
      text: `refreshes of ${calm.route} find it unchanged in ${percent(calm.unchanged)}, those of ${restless.route} in ${percent(restless.unchanged)}`,
      evidence: {
        calm: calm.route,
        calmUnchanged: calm.unchanged,
        restless: restless.route,
        restlessUnchanged: restless.unchanged,
      },
      advice: 'give each route a budget by how often it changes',
    },
  ]
}

function findLarge({ count, maxBytes, key }: LargeCounts): Finding[] {
  if (count === 0) return []
  return [
    {
      kind: 'large-payloads',
      text: `${count} answers of more than 1 MiB were stored, ${maxBytes} bytes at most`,
      evidence: { count, maxBytes, key },
      advice: 'page or trim them; bodies above limits.body stream through and are not stored',
    },
  ]
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
