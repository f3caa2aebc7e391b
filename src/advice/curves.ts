/**
 * Hit ratios as curves: against memory, against the fresh window, against the stale window.
 *
 * Floor 4, room advice. Against memory by spatial sampling (Waldspurger et al., SHARDS, FAST 2015): a share of the keys in that
 * share of the memory, corrected for the requests that the sample has too many or too few of.
 */
import { OVERHEAD_BYTES, replay, sumServed, type Windows } from './replay.ts'
import { chooseRequests, sampleTrace, type Trace } from './trace.ts'

/** Hit ratio at one size of memory. */
export interface MemoryPoint {
  readonly bytes: number
  readonly hitRatio: number
}

/** Hit ratio at one fresh window. */
export interface WindowPoint {
  readonly freshMs: number
  readonly hitRatio: number
}

/** Shares at one stale window. */
export interface StalePoint {
  readonly staleMs: number
  readonly fresh: number
  readonly stale: number
}

const SECOND = 1000
/** Windows of the curve. */
export const FRESH_STEPS: readonly number[] = [1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400].map((s) => s * SECOND)
const STALE_STEPS: readonly number[] = [0, 0.5, 1, 2, 5, 10]
const MEMORY_STEPS: readonly number[] = [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1]

const SAMPLE_REQUESTS = 250_000
const SAMPLE_KEYS = 10_000

/** What all keys would take, bytes. */
export function workingSetBytes(trace: Trace): number {
  const largest = new Int32Array(trace.distinct)
  for (let i = 0; i < trace.ids.length; i += 1) {
    const id = trace.ids[i] as number
    if ((trace.bytes[i] as number) > (largest[id] as number)) largest[id] = trace.bytes[i] as number
  }
  let sum = 0
  for (const bytes of largest) sum += bytes + OVERHEAD_BYTES
  return sum
}

/** Windows of 0 are left out: those routes are not cached, and their keys take no memory. */
export function memoryCurve(whole: Trace, windows: readonly Windows[]): MemoryPoint[] {
  const trace = chooseRequests(whole, (i) => (windows[whole.routes[i] as number] as Windows).freshMs > 0)
  if (trace.ids.length === 0) return []
  const share = shareOf(trace)
  const sample = sampleTrace(trace, share)
  const expected = trace.ids.length * share
  const workingSet = workingSetBytes(trace)
  return MEMORY_STEPS.map((step) => {
    const { fresh, stale } = sumServed(replay(sample, { maxBytes: workingSet * step * share, windows }))
    const hits = fresh + stale + (expected - sample.ids.length)
    return { bytes: Math.round(workingSet * step * trace.scale), hitRatio: Math.min(1, Math.max(0, hits / expected)) }
  })
}

/** Memory without a limit. @param trace of one route */
export function freshCurve(trace: Trace): WindowPoint[] {
  return FRESH_STEPS.map((freshMs) => {
    const { requests, fresh } = replayUnbounded(trace, { freshMs, staleMs: 0 })
    return { freshMs, hitRatio: requests === 0 ? 0 : fresh / requests }
  })
}

/** Memory without a limit. @param trace of one route */
export function staleCurve(trace: Trace, freshMs: number): StalePoint[] {
  return STALE_STEPS.map((step) => {
    const staleMs = freshMs * step
    const { requests, fresh, stale } = replayUnbounded(trace, { freshMs, staleMs })
    return { staleMs, fresh: fresh / Math.max(1, requests), stale: stale / Math.max(1, requests) }
  })
}

/** What every one of the trace's keys got. */
export function replayUnbounded(trace: Trace, { freshMs, staleMs }: Windows): { requests: number; fresh: number; stale: number } {
  const endMs = new Float64Array(trace.distinct).fill(Number.NEGATIVE_INFINITY)
  let [fresh, stale] = [0, 0]
  for (let i = 0; i < trace.ids.length; i += 1) {
    const id = trace.ids[i] as number
    const now = trace.atMs[i] as number
    const end = endMs[id] as number
    if (now < end) {
      fresh += 1
      continue
    }
    if (now < end + staleMs) stale += 1
    endMs[id] = now + freshMs
  }
  return { requests: trace.ids.length, fresh, stale }
}

/** A sample of one route's keys, small enough for curves. */
export function curveSample(trace: Trace): Trace {
  return sampleTrace(trace, shareOf(trace))
}

function shareOf(trace: Trace): number {
  if (trace.ids.length === 0) return 1
  return Math.min(1, Math.max(SAMPLE_REQUESTS / trace.ids.length, SAMPLE_KEYS / trace.distinct))
}
