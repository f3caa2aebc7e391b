/**
 * `forecache bench URL`: a closed-loop load on one address, with percentiles and the shares of X-Cache.
 *
 * Floor 6, room cli.
 */
import { ForecacheError } from '../model/errors.ts'
import { type Io, renderTable, showMs, showShare } from './io.ts'
import type { Percentiles } from './latency.ts'
import { type LoadReport, runLoad } from './load.ts'

/** Options of the command, as checked. */
export interface BenchWish {
  readonly url: URL
  readonly clients: number
  readonly durationMs: number
  /** Loads the cache before anything is counted. */
  readonly warm: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly json: boolean
}

/** @returns the exit code: 1 when nothing was answered or anything failed */
export async function runBench(wish: BenchWish, io: Io): Promise<number> {
  const request = { path: `${wish.url.pathname}${wish.url.search}`, headers: wish.headers }
  const load = { origin: wish.url.origin, clients: wish.clients, next: () => request }
  if (wish.warm) await runLoad({ ...load, durationMs: Math.min(1000, wish.durationMs) })
  const report = await runLoad({ ...load, durationMs: wish.durationMs })
  io.out(wish.json ? JSON.stringify({ url: wish.url.href, clients: wish.clients, ...report }) : describe(report, wish))
  return report.requests === 0 || Object.keys(report.failures).length > 0 ? 1 : 0
}

function describe(report: LoadReport, wish: BenchWish): string {
  const rows = [
    ['X-Cache', 'answers', 'share', 'p50', 'p95', 'p99', 'max'],
    ...Object.entries(report.classes).map(([word, found]) => row(word, found, report.requests)),
    row('all', report.all, report.requests),
  ]
  const lines = [
    `${wish.url.href}: ${wish.clients} clients for ${report.seconds.toFixed(1)} s, closed loop`,
    `${report.perSecond.toFixed(0)} answers/s, ${(report.bytes / report.seconds / 1e6).toFixed(2)} MB/s`,
    '',
    renderTable(rows),
    '',
    `status: ${list(report.statuses)}`,
  ]
  if (Object.keys(report.failures).length > 0) lines.push(`without an answer: ${list(report.failures)}`)
  return lines.join('\n')
}

/** One row of a table of latencies. */
export function row(name: string, found: Percentiles, of: number): (string | number)[] {
  const share = of === 0 ? 0 : found.count / of
  return [name, found.count, showShare(share), showMs(found.p50), showMs(found.p95), showMs(found.p99), showMs(found.max)]
}

function list(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts)
  return entries.length === 0 ? 'none' : entries.map(([name, count]) => `${name} × ${count}`).join(', ')
}

/** `name: value` as given on the command line. @throws FC_CLI_USAGE */
export function parseHeaders(given: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const line of given) {
    const at = line.indexOf(':')
    if (at < 1) throw new ForecacheError('FC_CLI_USAGE', { reason: `--header: expected "name: value", given ${line}` })
    headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim()
  }
  return headers
}
