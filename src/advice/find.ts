/**
 * Names what is wrong in a log, each with its evidence.
 *
 * Floor 4, room advice. What a log does not tell is not guessed at: without Cache-Control in it, nothing is said of flat
 * lifetimes; without the number of a request in its connection, nothing of connections.
 */
import type { Change } from './change.ts'
import { sparedShare } from './compare-ahead.ts'
import { CLIENT } from './infer.ts'
import type { Finding } from '../model/finding.ts'
import { MIN_GAIN, MIN_REUSE, personalOf } from './recommend.ts'
import type { RouteReport } from './report.ts'
import { MAX_TEXTS, type RouteBook } from './route-book.ts'
import { spellDuration } from './spell.ts'

/** Hit ratio that normalization has to give. */
const MIN_NORMALIZED = 0.02
/** Between the slowest and the fastest changes that have one lifetime. */
const FLAT_FACTOR = 10
const MIN_READS = 50
const MIN_LARGE = 0.01
const MIN_FIRSTS = 0.9
/** Stale answers at each end of a window, of all. */
const MIN_STALE = 0.05
/** Changes seen for each pair of answers that was compared. */
const EVERY_TIME = 0.9

/** @param books of the routes, in the same order */
export function findAll(routes: readonly RouteReport[], books: readonly RouteBook[]): Finding[] {
  const each = routes.flatMap((route, index) => {
    const book = books[index] as RouteBook
    return [...ofKeys(route, book), ...ofWorth(route, book), ...ofStale(route), ...ofTransport(route, book)]
  })
  return [...ofLifetimes(routes, books), ...each]
}

function ofKeys(route: RouteReport, book: RouteBook): Finding[] {
  const { pattern, dimensions, targets, keys, expected, rawHitRatio, recommendation } = route
  const found: Finding[] = []
  const drop = dimensions
    .filter(({ name, verdict }) => name.startsWith('?') && verdict === 'irrelevant')
    .map(({ name }) => name.slice(1))
  const gain = expected.fresh - rawHitRatio
  if (recommendation.isCached && keys < targets && gain > MIN_NORMALIZED) {
    found.push({
      kind: 'no-normalization',
      route: pattern,
      text: `${targets} different targets are ${keys} answers: ${drop.join(', ') || 'the order of parameters'} count for nothing`,
      evidence: { targets, keys, fresh: round(expected.fresh), freshAsSent: round(rawHitRatio) },
      advice: 'leave these parameters out of the key: key.query.drop',
    })
  }
  const personal = personalOf(dimensions)
  for (const one of dimensions) {
    const { name, verdict, evidence } = one
    if (verdict !== 'deciding' || !name.startsWith('header:') || personal.includes(one)) continue
    const field = name.slice('header:'.length)
    if (isVaried(book, field)) continue
    found.push({
      kind: 'missing-vary',
      route: pattern,
      text: `${field} decides the answer${book.varies.size > 0 ? ', and no Vary names it' : ''}`,
      evidence: { pairs: evidence.pairs, differing: evidence.differing, repeatsDiffering: evidence.repeatsDiffering },
      advice: `have the origin send Vary: ${field}, and make it part of the key: key.headers`,
    })
  }
  return found
}

function isVaried({ varies }: RouteBook, field: string): boolean {
  const named = [...varies.keys()].flatMap((vary) => vary.toLowerCase().split(/[\s,]+/))
  return named.includes(field) || named.includes('*')
}

/** Whether every answer says that no shared cache may keep it; more texts than are remembered may say anything. */
function isKeptOut({ cacheControls }: RouteBook): boolean {
  if (cacheControls.size === 0 || cacheControls.size >= MAX_TEXTS) return false
  return [...cacheControls.keys()].every((text) => /(?:^|[\s,])(?:private|no-store)(?:$|[\s,])/i.test(text))
}

function ofWorth(route: RouteReport, book: RouteBook): Finding[] {
  const { pattern, dimensions, reads, reuse, bytes, change } = route
  const found: Finding[] = []
  const personal = personalOf(dimensions)
  const isOpen = !isKeptOut(book)
  if (personal.length > 0 && isOpen) {
    const names = personal
      .map(({ name }) => (name === CLIENT ? 'who asks, or something else that the log does not show' : name))
      .join(', ')
    found.push({
      kind: 'per-user',
      route: pattern,
      text: `the answer is decided by ${names}`,
      evidence: {
        reads,
        reuse: round(reuse),
        differing: personal[0]?.evidence.differing ?? 0,
        pairs: personal[0]?.evidence.pairs ?? 0,
      },
      advice: 'keep it out of a shared cache: strict: true, and Cache-Control: private at the origin',
    })
  }
  if (reads >= MIN_READS && reuse < MIN_REUSE && isOpen) {
    found.push({
      kind: 'low-reuse',
      route: pattern,
      text: `${(reuse * 100).toFixed(1)} % of ${reads} reads repeat an earlier one`,
      evidence: { reads, reuse: round(reuse), keys: route.keys },
      advice: 'do not cache it; it would push out what is read again',
    })
  }
  if (change.pairs >= MIN_READS && change.changed > change.pairs * EVERY_TIME) {
    found.push({
      kind: 'changes-every-time',
      route: pattern,
      text: `${change.changed} of ${change.pairs} answers differ from the one before`,
      evidence: { pairs: change.pairs, changed: change.changed, everyMs: change.everyMs },
      advice: 'shorten the window to what may be wrong, or do not cache it',
    })
  }
  if (bytes.largeShare > MIN_LARGE) {
    found.push({
      kind: 'large-payloads',
      route: pattern,
      text: `${(bytes.largeShare * 100).toFixed(0)} % of the answers are larger than 1 MiB, ${bytes.max} bytes at most`,
      evidence: { mean: bytes.mean, max: bytes.max, largeShare: round(bytes.largeShare) },
      advice: 'page or trim them; bodies above limits.body stream through and are not stored',
    })
  }
  return found
}

function ofStale({ pattern, declared }: RouteReport): Finding[] {
  if (declared === undefined) return []
  const { cacheControl, without, with: ahead } = declared
  const { requests, stale } = without
  const share = stale / Math.max(1, requests)
  if (share < MIN_STALE || sparedShare(declared) < MIN_GAIN) return []
  const after = ahead.stale / Math.max(1, requests)
  return [
    {
      kind: 'stale-without-prediction',
      route: pattern,
      text: `stale-while-revalidate alone serves ${(share * 100).toFixed(1)} % of the answers stale; with refreshes ahead ${(after * 100).toFixed(1)} %`,
      evidence: {
        cacheControl,
        stale: round(share),
        staleAhead: round(after),
        extraRequests: ahead.origin - without.origin,
      },
      advice: 'refresh what is read again before it ends: refreshAhead: true',
    },
  ]
}

function ofTransport({ pattern }: RouteReport, { placed, firsts }: RouteBook): Finding[] {
  if (placed < MIN_READS || firsts < placed * MIN_FIRSTS) return []
  return [
    {
      kind: 'connection-per-request',
      route: pattern,
      text: `${firsts} of ${placed} requests were the first of their connection`,
      evidence: { requests: placed, firsts },
      advice: 'let clients keep connections open; a handshake costs more than a hit',
    },
  ]
}

/** One max-age for routes whose answers change at different speeds. */
function ofLifetimes(routes: readonly RouteReport[], books: readonly RouteBook[]): Finding[] {
  const byAge = new Map<string, RouteReport[]>()
  for (const [index, route] of routes.entries()) {
    if (!route.recommendation.isCached || route.change.pairs < MIN_READS) continue
    for (const text of (books[index] as RouteBook).cacheControls.keys()) {
      const age = /(?:s-maxage|max-age)\s*=\s*(\d+)/i.exec(text)?.[1]
      if (age !== undefined) byAge.set(age, [...(byAge.get(age) ?? []).filter((one) => one !== route), route])
    }
  }
  return [...byAge].flatMap(([age, all]) => {
    const sorted = all.toSorted((a, b) => a.change.everyMs - b.change.everyMs)
    const [fastest, slowest] = [sorted.find(({ change }) => change.changed > 0), sorted.at(-1)]
    if (fastest === undefined || slowest === undefined) return []
    if (slowest.change.everyMs < fastest.change.everyMs * FLAT_FACTOR) return []
    return [
      {
        kind: 'flat-ttl' as const,
        text: `${sorted.length} routes have a lifetime of ${age} s; ${fastest.pattern} changes every ${spellDuration(fastest.change.everyMs)}, ${slowest.pattern} ${spellSlow(slowest.change)}`,
        evidence: {
          lifetimeSeconds: Number(age),
          fastest: fastest.pattern,
          fastestMs: fastest.change.everyMs,
          slowest: slowest.pattern,
          slowestMs: slowest.change.everyMs,
        },
        advice: 'give each route a budget by how often it changes',
      },
    ]
  })
}

function spellSlow({ changed, everyMs }: Change): string {
  return changed === 0 ? `at most every ${spellDuration(everyMs)}` : `every ${spellDuration(everyMs)}`
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
