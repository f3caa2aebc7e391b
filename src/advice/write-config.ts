/**
 * A configuration of what was found, ready for `forecache check` and `forecache serve`.
 *
 * Floor 4, room advice. Parameters that do not matter are dropped by name; those never seen count, so that a parameter that
 * comes later is never ignored. Routes whose patterns the configuration cannot say are left to the default.
 */
import { Document, type Pair, type Scalar, type YAMLMap } from 'yaml'
import type { Report, RouteReport } from './report.ts'

/** What a configuration is written from. */
export interface ConfigParts extends Pick<Report, 'routes' | 'memory' | 'source'> {
  readonly origin: string
}

const MIB = 1024 * 1024
/** Beyond stale, while the origin fails. */
const ON_ERROR = 10
/** Routes with fewer requests stay with the default. */
const MIN_REQUESTS = 20
const MAX_ROUTES = 100
const MAX_NAME = 64

/** @returns YAML */
export function writeConfig({ routes, memory, origin, source }: ConfigParts): string {
  const named = routes.filter(({ pattern, requests }) => requests >= MIN_REQUESTS && isPattern(pattern)).slice(0, MAX_ROUTES)
  const names = new Set<string>()
  const document = new Document({
    listen: '127.0.0.1:8080',
    origin: { url: origin },
    memory: { maxBytes: `${Math.round(memory.recommendedBytes / MIB)}MiB` },
    routes: named.map((route) => policyOf(route, names)),
  })
  document.commentBefore = ` Written by forecache analyze from ${source.replace(/[\r\n]+/g, ' ')}.\n Budgets say how old an answer may be: look at each before you use it.`
  const list = document.get('routes') as { items: YAMLMap<Scalar, unknown>[] }
  for (const [index, item] of list.items.entries()) annotate(item, named[index] as RouteReport)
  return document.toString({ lineWidth: 0 })
}

function policyOf(route: RouteReport, names: Set<string>): object {
  const { pattern, recommendation } = route
  const base = { name: nameOf(pattern, names), match: { path: pattern } }
  const { isCached, freshMs, staleMs, drop, keepsTracking, headers, cookies, refreshAhead } = recommendation
  if (!isCached) return { ...base, strict: true }
  const query = { ...(drop.length > 0 && { drop }), ...(keepsTracking && { tracking: false }) }
  const key = {
    ...(Object.keys(query).length > 0 && { query }),
    ...(headers.length > 0 && { headers }),
    ...(cookies.length > 0 && { cookies }),
  }
  return {
    ...base,
    budget: { fresh: spell(freshMs), stale: spell(freshMs + staleMs), onError: spell((freshMs + staleMs) * ON_ERROR) },
    ...(Object.keys(key).length > 0 && { key }),
    ...(refreshAhead && { refreshAhead: true }),
  }
}

function annotate(item: YAMLMap<Scalar, unknown>, { requests, expected, recommendation, reuse }: RouteReport): void {
  const gain = recommendation.isCached
    ? `${(expected.hitRatio * 100).toFixed(1)} % from the cache`
    : `${(reuse * 100).toFixed(1)} % asked for again`
  const first = item.items[0] as Pair<Scalar, unknown>
  first.key.commentBefore = ` ${requests} requests, ${gain}; ${recommendation.why.join('; ')}`
}

/** What a route policy can match: clean segments, no wildcards or colons of their own. */
function isPattern(pattern: string): boolean {
  return (
    pattern.startsWith('/') &&
    !pattern.includes('//') &&
    /^(?:\/(?::id\d*|[A-Za-z0-9._~!$&'(),=@%+-]*))+$/.test(pattern) &&
    !/%(?:2f|5c|2e|25)/i.test(pattern)
  )
}

function nameOf(pattern: string, names: Set<string>): string {
  const base =
    pattern
      .slice(1)
      .replace(/[^\w.:/-]+/g, '-')
      .slice(0, MAX_NAME - 4) || 'root'
  let name = base
  for (let more = 2; names.has(name) || name === 'default'; more += 1) name = `${base}-${more}`
  names.add(name)
  return name
}

function spell(ms: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ]
  const [unit, size] = units.find(([, of]) => ms >= of && ms % of === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
