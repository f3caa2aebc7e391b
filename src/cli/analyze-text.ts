/**
 * A report as text.
 *
 * Floor 6, room cli.
 */
import type { Finding } from '../model/finding.ts'
import type { Dimension } from '../advice/infer.ts'
import type { Report, RouteReport } from '../advice/report.ts'
import { spellDuration } from '../advice/spell.ts'
import { renderTable, showBytes, showShare } from './io.ts'

const MAX_ROUTES = 30

/** @param withConfig whether the configuration is printed too */
export function describeReport(report: Report, withConfig: boolean): string {
  const { source, requests, skippedLines, from, to, routes, memory, expected, findings, config } = report
  const shown = routes.slice(0, MAX_ROUTES)
  const parts = [
    `${source}: ${requests} requests from ${from} to ${to}${skippedLines > 0 ? `, ${skippedLines} lines not read` : ''}`,
    `from the cache ${showShare(expected.hitRatio)} (fresh ${showShare(expected.fresh)}, stale ${showShare(expected.stale)}) with ${showBytes(memory.recommendedBytes)} of memory; all keys take ${showBytes(memory.workingSetBytes)}`,
    `fresh with targets as they were sent ${showShare(expected.rawHitRatio)}; with ${expected.flatMs / 1000} s for all routes ${showShare(expected.flatHitRatio)}`,
    '',
    renderTable([['route', 'requests', 'keys', 'reuse', 'changes', 'bytes', 'fresh', 'from cache'], ...shown.map(routeRow)]),
    ...(routes.length > shown.length ? [`and ${routes.length - shown.length} more; --json has them all`] : []),
    '',
    ...shown.flatMap(describeRoute),
    '',
    renderTable([
      ['memory', 'from cache'],
      ...memory.curve.map(({ bytes, hitRatio }) => [showBytes(bytes), showShare(hitRatio)]),
    ]),
    '',
    ...(findings.length === 0 ? ['nothing found that is wrong'] : findings.flatMap(describeFinding)),
  ]
  return [...parts, ...(withConfig ? ['', config.trimEnd()] : [])].join('\n')
}

/** As two lines. */
export function describeFinding({ kind, route, text, advice }: Finding): string[] {
  return [`${kind}${route === undefined ? '' : ` ${route}`}: ${text}`, `  ${advice}`]
}

function routeRow({ pattern, requests, keys, reuse, change, bytes, recommendation, expected }: RouteReport): (string | number)[] {
  const fresh = recommendation.isCached ? spellDuration(recommendation.freshMs) : 'not cached'
  const changes = change.pairs === 0 ? '?' : `${change.changed === 0 ? '> ' : ''}${spellDuration(change.everyMs)}`
  return [pattern, requests, keys, showShare(reuse), changes, showBytes(bytes.mean), fresh, showShare(expected.hitRatio)]
}

function describeRoute({ pattern, dimensions, recommendation }: RouteReport): string[] {
  if (dimensions.length === 0) return []
  const named = (verdict: string): string =>
    dimensions
      .filter((one) => one.verdict === verdict)
      .map(describeDimension)
      .join(', ') || '–'
  return [
    `${pattern}: ${recommendation.why.join('; ')}`,
    `  decide: ${named('deciding')}`,
    `  do not: ${named('irrelevant')}`,
    `  unclear: ${named('unclear')}`,
  ]
}

function describeDimension({ name, confidence, evidence }: Dimension): string {
  return `${name} (${evidence.differing}/${evidence.pairs}${confidence > 0 ? `, ${(Math.min(0.9999, confidence) * 100).toFixed(1)} %` : ''})`
}
