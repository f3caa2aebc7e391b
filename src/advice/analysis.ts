/**
 * From what an intake gathered to the report: keys, changes, windows, memory, and what follows.
 *
 * Floor 4, room advice. Costs about two seconds for a million requests.
 */
import { measureChange } from './change.ts'
import { compareAhead, compareDeclared } from './compare-ahead.ts'
import { curveSample, freshCurve, memoryCurve, replayUnbounded, staleCurve, workingSetBytes } from './curves.ts'
import { findAll } from './find.ts'
import { inferDimensions } from './infer.ts'
import { recommend, withAhead } from './recommend.ts'
import { replay, sumServed, type Served, type Windows } from './replay.ts'
import type { Recommendation, Report, RouteReport } from './report.ts'
import type { RouteBook } from './route-book.ts'
import { writeConfig } from './write-config.ts'
import { chooseRequests, createTrace, type Keyed, keyRows, type Trace } from './trace.ts'

/** What is known of the log as a whole. */
export interface LogFacts {
  readonly source: string
  readonly skippedLines: number
  /** For the configuration. */
  readonly origin: string
}

/** One window for all, to compare with. */
const FLAT_MS = 60_000
const MIB = 1024 * 1024
const MIN_MEMORY = 64 * MIB
/** Of the best hit ratio: more memory buys less than the rest. */
const ENOUGH = 0.99
/** Room for what a log does not show. */
const MARGIN = 1.25
const MAX_CURVES = 50

/** A route on its way to its report. */
interface Draft extends Keyed {
  readonly book: RouteBook
  readonly part: Omit<RouteReport, 'expected' | 'share'>
}

/** @param books of an intake that took something, most asked for first */
export function analyze(books: readonly RouteBook[], facts: LogFacts): Report {
  const drafts = books.map((book, index) => draftOf(book, index < MAX_CURVES))
  const trace = createTrace(drafts)
  const windows = drafts.map(({ part }) => windowsOf(part.recommendation))
  const curve = memoryCurve(trace, windows)
  const recommendedBytes = enoughMemory(curve)
  const served = replay(trace, { maxBytes: recommendedBytes / trace.scale, windows })
  const requests = books.reduce((sum, book) => sum + book.requests, 0)
  const routes = drafts.map(({ part }, index) => finish(part, { requests, served: served[index] as Served }))
  const all = sumServed(served)
  const flat = chosen(trace, windows)
  const expected = {
    ...sharesOf(all),
    rawHitRatio:
      routes.reduce((sum, one) => sum + one.rawHitRatio * one.reads, 0) /
      Math.max(
        1,
        routes.reduce((sum, one) => sum + one.reads, 0),
      ),
    flatHitRatio:
      flat === undefined ? 0 : replayUnbounded(flat, { freshMs: FLAT_MS, staleMs: 0 }).fresh / Math.max(1, all.requests),
    flatMs: FLAT_MS,
  }
  const memory = { workingSetBytes: workingSetBytes(trace) * trace.scale, recommendedBytes, curve }
  const { source, skippedLines, origin } = facts
  const [first, last] = [Math.min(...books.map(({ firstMs }) => firstMs)), Math.max(...books.map(({ lastMs }) => lastMs))]
  const times = { from: new Date(first).toISOString(), to: new Date(last).toISOString() }
  const findings = findAll(routes, books)
  return {
    source,
    requests,
    skippedLines,
    ...times,
    routes,
    memory,
    expected,
    findings,
    config: writeConfig({ routes, memory, origin, source }),
  }
}

function draftOf(book: RouteBook, hasCurves: boolean): Draft {
  const { table } = book
  const dimensions = inferDimensions(table)
  const keys = keyRows(table, dimensions)
  const trace = createTrace([{ table, keys }])
  const change = measureChange(table, keys)
  const reads = table.seen
  const reuse = reads === 0 ? 0 : 1 - trace.distinct / Math.max(1, trace.ids.length)
  const plain = recommend({ dimensions, change, reuse, reads, meanBytes: book.bytes / Math.max(1, book.sized) })
  const small = curveSample(trace)
  const isSimulated = plain.isCached && hasCurves
  const ahead = isSimulated ? compareAhead(small, plain) : undefined
  const declared = isSimulated ? compareDeclared(small, book) : undefined
  const recommendation = ahead === undefined ? plain : withAhead(plain, ahead)
  const raw = createTrace([{ table, keys: table.raw }])
  const rawServed = replayUnbounded(raw, { freshMs: plain.freshMs, staleMs: 0 })
  const part = {
    ...countsOf(book),
    targets: Math.round(raw.distinct * raw.scale),
    keys: Math.round(trace.distinct * trace.scale),
    ...{ reads, reuse, dimensions, change, recommendation },
    rawHitRatio: rawServed.requests === 0 || !plain.isCached ? 0 : rawServed.fresh / rawServed.requests,
    freshCurve: hasCurves ? freshCurve(small) : [],
    staleCurve: hasCurves && plain.isCached ? staleCurve(small, plain.freshMs) : [],
    ...(ahead !== undefined && { ahead }),
    ...(declared !== undefined && { declared }),
  }
  return { book, table, keys, part }
}

function countsOf(
  book: RouteBook,
): Pick<RouteReport, 'pattern' | 'requests' | 'writes' | 'failures' | 'signal' | 'bytes' | 'hours'> {
  const { table, requests, writes, failures, digested, sized, bytes, maxBytes, large } = book
  const hours = Array.from({ length: 24 }, (_, hour) => {
    let sum = 0
    for (let day = 0; day < 7; day += 1) sum += book.hours[day * 24 + hour] as number
    return sum / Math.max(1, requests)
  })
  return {
    ...{ pattern: table.pattern, requests, writes, failures, hours },
    signal: digested > 0 ? 'digest' : sized > 0 ? 'size' : 'none',
    bytes: { mean: sized === 0 ? 0 : Math.round(bytes / sized), max: maxBytes, largeShare: sized === 0 ? 0 : large / sized },
  }
}

function finish(part: Draft['part'], { requests, served }: { requests: number; served: Served }): RouteReport {
  return { ...part, share: part.requests / Math.max(1, requests), expected: sharesOf(served) }
}

function sharesOf({ requests, fresh, stale }: Served): { hitRatio: number; fresh: number; stale: number } {
  const all = Math.max(1, requests)
  return { hitRatio: (fresh + stale) / all, fresh: fresh / all, stale: stale / all }
}

function windowsOf({ isCached, freshMs, staleMs }: Recommendation): Windows {
  return isCached ? { freshMs, staleMs } : { freshMs: 0, staleMs: 0 }
}

function chosen(trace: Trace, windows: readonly Windows[]): Trace | undefined {
  const found = chooseRequests(trace, (i) => (windows[trace.routes[i] as number] as Windows).freshMs > 0)
  return found.ids.length === 0 ? undefined : found
}

/** The least that gives nearly all, rounded up to a power of two of MiB. */
function enoughMemory(curve: Report['memory']['curve']): number {
  const best = curve.reduce((most, { hitRatio }) => Math.max(most, hitRatio), 0)
  const enough = curve.find(({ hitRatio }) => hitRatio >= best * ENOUGH)?.bytes ?? 0
  let bytes = MIN_MEMORY
  while (bytes < enough * MARGIN) bytes *= 2
  return bytes
}
