/**
 * What a soak must show, judged from its samples. Pure.
 */
import type { Endings } from './field.ts'
import type { OriginCounts } from './origin.ts'
import type { SoakPlan } from './plan.ts'
import type { Sample } from './watch.ts'

/** What a soak has seen. */
export interface Seen {
  readonly plan: SoakPlan
  /** Resident size of the idle gateway. */
  readonly baseBytes: number
  readonly idleFiles: number
  readonly samples: readonly Sample[]
  readonly endings: Endings
  readonly origin: OriginCounts
  /** Open files when every client had gone. */
  readonly filesAfter: number
  /** Bytes of bodies still being collected when every client had gone. */
  readonly fillsAfter: number
  readonly exitCode: number | null
}

/** One thing that must hold. */
export interface Check {
  readonly name: string
  readonly wanted: string
  readonly now: string
  readonly held: boolean
}

/** Of limit and base together. */
export const RSS_FACTOR = 1.25
/** The first fifth is warm-up. */
const WARM_SHARE = 0.2
/** Growth of the second half that counts as none, as a share of limit and base per minute; only told after two minutes. */
const MAX_SLOPE = 0.01
const SLOPE_FROM_SECONDS = 120
const MAX_LOOP_P99_MS = 250
/** Files that may stay open behind a soak: kept-alive connections to the origin and the api port. */
const SPARE_FILES = 8

const MIB = 1024 * 1024
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`

/** @returns every check */
export function judgeSoak(seen: Seen): Check[] {
  const { plan, baseBytes, samples, endings, origin } = seen
  const warm = samples.filter(({ at }) => at >= plan.seconds * WARM_SHARE)
  const bound = (plan.memoryBytes + baseBytes) * RSS_FACTOR
  const peak = Math.max(...warm.map(({ rssBytes }) => rssBytes))
  const loops = warm.map(({ loopP99Ms }) => loopP99Ms).sort((a, b) => a - b)
  const loop = loops[Math.floor(loops.length / 2)] ?? 0
  const broken = origin.reset + origin.truncated
  const ended = endings.answered + endings.failed + endings.cut + endings.left
  const checks: Check[] = [
    check('resident size', `at most ${mib(bound)}`, { now: mib(peak), held: peak > 0 && peak <= bound }),
    check('unanswered requests', '0', { now: String(endings.unanswered), held: endings.unanswered === 0 }),
    check('requests ended', String(endings.asked), { now: String(ended), held: ended === endings.asked }),
    check('answers cut off', `at most ${broken * 8}, the origin broke ${broken}`, {
      now: String(endings.cut),
      held: endings.cut <= broken * 8,
    }),
    check('files left open', `at most ${seen.idleFiles + SPARE_FILES}`, {
      now: String(seen.filesAfter),
      held: seen.filesAfter <= seen.idleFiles + SPARE_FILES,
    }),
    check('bodies left under way', '0 bytes', { now: `${seen.fillsAfter} bytes`, held: seen.fillsAfter === 0 }),
    check('event loop, p99 of a second, median', `at most ${MAX_LOOP_P99_MS} ms`, {
      now: `${loop.toFixed(1)} ms`,
      held: loop <= MAX_LOOP_P99_MS,
    }),
    check('exit code', '0', { now: String(seen.exitCode), held: seen.exitCode === 0 }),
  ]
  if (plan.seconds >= SLOPE_FROM_SECONDS) {
    const slope = slopeOf(samples.filter(({ at }) => at >= plan.seconds / 2)) * 60
    const most = (plan.memoryBytes + baseBytes) * MAX_SLOPE
    checks.push(check('growth in the second half', `at most ${mib(most)}/min`, { now: `${mib(slope)}/min`, held: slope <= most }))
  }
  return checks
}

/** Least squares, bytes per second. */
export function slopeOf(samples: readonly Pick<Sample, 'at' | 'rssBytes'>[]): number {
  const n = samples.length
  if (n < 2) return 0
  const meanAt = samples.reduce((sum, { at }) => sum + at, 0) / n
  const meanRss = samples.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / n
  let over = 0
  let under = 0
  for (const { at, rssBytes } of samples) {
    over += (at - meanAt) * (rssBytes - meanRss)
    under += (at - meanAt) ** 2
  }
  return under === 0 ? 0 : over / under
}

function check(name: string, wanted: string, { now, held }: { readonly now: string; readonly held: boolean }): Check {
  return { name, wanted, now, held }
}
