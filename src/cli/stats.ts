/**
 * `forecache stats`: how a running forecache and its instances do, on one screen.
 *
 * Floor 6, room cli. `--json` prints everything the administration says.
 */
import type { FullStats, Latencies, RouteStats } from '../ops/stats.ts'
import { type ApiPlace, callApi } from './api.ts'
import { describeInstances, fetchInstances } from './instances.ts'
import { type Io, renderTable, showBytes, showMs, showShare } from './io.ts'

/** Options of the command. */
export interface StatsWish extends ApiPlace {
  readonly json: boolean
}

/** @returns the exit code @throws FC_CLI_API */
export async function runStats(wish: StatsWish, io: Io): Promise<number> {
  const [stats, instances] = await Promise.all([callApi(wish, '/v1/stats') as Promise<FullStats>, fetchInstances(wish)])
  if (wish.json) io.out(JSON.stringify({ ...stats, ...instances }))
  else io.out([describeStats(stats), ...describeInstances(instances)].join('\n'))
  return 0
}

/** As text. */
export function describeStats(stats: FullStats): string {
  const { entries, bytes, maxBytes, rates, counts, latency, targets, routes } = stats
  const parts = [
    `${entries} entries, ${showBytes(bytes)} of ${showBytes(maxBytes)}`,
    `from cache ${showShare(rates.effectiveHit)}, stale ${showShare(rates.stale)}, round the cache ${showShare(rates.bypass)}`,
    `origin requests ${counts.originRequests}, spared by coalescing ${counts.coalesced}, refreshes ${counts.refreshes}, evictions ${counts.evictions}`,
    ...describeMemory(stats),
    ...describeRedisDoor(counts),
    '',
    renderTable([['answers', 'count', 'p50', 'p95', 'p99'], ...latencyRows(latency)]),
  ]
  const used = routes.filter(({ counts: own, latency: measured }) => own.hits || own.passes || Object.keys(measured).length > 0)
  if (used.length > 0) {
    const head = ['route', 'hits', 'stale', 'misses', 'passes', 'origin', 'from cache', 'p50 cached', 'p50 uncached']
    parts.push('', renderTable([head, ...used.map(routeRow)]))
  }
  const held = targets.map(({ name, wanted, now, held: isHeld }) => [
    name,
    wanted,
    Number(now.toPrecision(4)),
    isHeld ? 'held' : 'MISSED',
  ])
  parts.push('', renderTable([['target', 'wanted', 'now', ''], ...held]))
  return parts.join('\n')
}

/** A line where anybody has come to the Redis door. */
function describeRedisDoor(counts: FullStats['counts']): string[] {
  const { respConnections, respHits, respMisses, respPassed, respReads, respWrites } = counts
  if (!respConnections) return []
  const reads = respHits + respMisses + respPassed
  return [
    `redis door: ${respHits} of ${reads} reads from memory (${showShare(reads === 0 ? 0 : respHits / reads)}), ${respReads} never kept, ${respWrites} writes, ${respConnections} connections so far`,
  ]
}

function describeMemory({ memory }: FullStats): string[] {
  if (memory === undefined) return []
  const { effectiveBytes, limitBytes, rssBytes, baseBytes, mood, ledger } = memory
  const beside = Object.values(ledger).reduce((sum, bytes) => sum + bytes, 0)
  const room = `memory ${mood}: ${showBytes(effectiveBytes)} of ${showBytes(limitBytes)} for entries, ${showBytes(beside)} beside them`
  return [rssBytes === 0 ? room : `${room}, resident ${showBytes(rssBytes)} (${showBytes(baseBytes)} at the start)`]
}

function latencyRows(latency: Latencies): (string | number)[][] {
  return Object.entries(latency).map(([name, { count, p50Ms, p95Ms, p99Ms }]) => [
    name,
    count,
    showMs(p50Ms),
    showMs(p95Ms),
    showMs(p99Ms),
  ])
}

function routeRow({ route, rates, counts, latency }: RouteStats): (string | number)[] {
  const stale = (counts.staleServes ?? 0) + (counts.reserveServes ?? 0)
  return [
    route,
    counts.hits ?? 0,
    stale,
    counts.misses ?? 0,
    counts.passes ?? 0,
    counts.originRequests ?? 0,
    showShare(rates.effectiveHit),
    showMs(latency.cached?.p50Ms ?? Number.NaN),
    showMs(latency.uncached?.p50Ms ?? Number.NaN),
  ]
}
