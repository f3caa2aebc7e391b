/**
 * Exploring: many schedules by seed against one system; of the first that breaks a promise, the shortest form and its trace.
 *
 * Floor 1, room sim. Needs no real time, socket or file: a seed says everything, on every machine.
 */
import type { PromiseName, Violation } from './promises.ts'
import { type Run, runSchedule } from './run.ts'
import { describeStep, drawSchedule, type Plan, type Schedule } from './schedule.ts'
import { shrinkSchedule } from './shrink.ts'
import { parseTrial, type Trial, type TrialOptions } from './trial-options.ts'

/** A schedule that breaks a promise. */
export interface Failure {
  /** Seed that it was drawn from. */
  readonly seed: number
  /** As short as it could be made: hand it to `replay`. */
  readonly schedule: Schedule
  /** Steps before it was made short. */
  readonly drawnSteps: number
  /** What the short form breaks. */
  readonly violations: readonly Violation[]
  /** Everything that happens in it, a line each. */
  readonly trace: string
}

/** What exploring has come to. */
export interface Exploration {
  readonly schedules: number
  /** Schedules that broke a promise. */
  readonly failed: number
  /** The same of a thousand. */
  readonly perMille: number
  /** Schedules that broke each of them. */
  readonly broken: Readonly<Partial<Record<PromiseName | 'own', number>>>
  /** What was done in all of them. A trial that reads little from caches says little. */
  readonly counts: { readonly reads: number; readonly cached: number; readonly writes: number; readonly loads: number }
  /** The first that failed. */
  readonly failure: Failure | undefined
  /** All of it in words. */
  readonly text: string
}

/**
 * Runs schedules of consecutive seeds.
 *
 * @throws (rejects) FC_OPTION_* for a bad option; what `start` throws
 */
export async function explore(options: TrialOptions): Promise<Exploration> {
  const trial = parseTrial(options)
  const plan = planOf(trial)
  const broken: Partial<Record<PromiseName | 'own', number>> = {}
  const counts = { reads: 0, cached: 0, writes: 0, loads: 0 }
  let [schedules, failed] = [0, 0]
  let first: Schedule | undefined
  while (schedules < trial.schedules && !(trial.stopAtFirst && failed > 0)) {
    const schedule = drawSchedule(trial.seed + schedules, plan)
    const { violations, world } = await runSchedule(trial, schedule)
    schedules += 1
    counts.reads += world.history.reads.length
    counts.cached += world.history.reads.filter(({ isCached }) => isCached).length
    counts.writes += world.history.writes.length
    counts.loads += world.origin.loads
    if (violations.length === 0) continue
    failed += 1
    first ??= schedule
    for (const name of new Set(violations.map(({ promise }) => promise))) broken[name] = (broken[name] ?? 0) + 1
  }
  const failure = first === undefined ? undefined : await explain(trial, first)
  const found = { schedules, failed, perMille: (failed / schedules) * 1000, broken, counts, failure }
  return { ...found, text: describe(trial, found) }
}

/**
 * Runs one schedule with its trace.
 *
 * @param what a seed, or a schedule as a failure has it
 * @throws (rejects) FC_OPTION_* for a bad option; what `start` throws
 */
export async function replay(options: TrialOptions, what: number | Schedule): Promise<Run & { readonly trace: string }> {
  const trial = parseTrial(options)
  const schedule = typeof what === 'number' ? drawSchedule(what, planOf(trial)) : what
  const run = await runSchedule(trial, schedule, true)
  return { ...run, trace: traceOf(run) }
}

function planOf({ gap, longest, ...trial }: Trial): Plan {
  return { ...trial, gapMs: gap, longestMs: longest }
}

async function explain(trial: Trial, drawn: Schedule): Promise<Failure> {
  const promise = (await runSchedule(trial, drawn)).violations[0]?.promise // that one, or it would become another failure
  const schedule = await shrinkSchedule(drawn, async (candidate) => {
    const { violations } = await runSchedule(trial, candidate)
    return violations.some((violation) => violation.promise === promise)
  })
  const run = await runSchedule(trial, schedule, true)
  return { seed: drawn.seed, schedule, drawnSteps: drawn.steps.length, violations: run.violations, trace: traceOf(run) }
}

function traceOf({ world, violations }: Run): string {
  return [...world.lines, ...violations.map(({ promise, text }) => `${promise} is broken: ${text}`)].join('\n')
}

function describe({ seed }: Trial, { schedules, failed, perMille, broken, counts, failure }: Omit<Exploration, 'text'>): string {
  const { reads, cached, writes, loads } = counts
  const what = `${reads} reads (${cached} cached), ${writes} writes, ${loads} loads`
  const head = `${schedules} schedules, seeds ${seed} to ${seed + schedules - 1}: ${failed} failed (${perMille.toFixed(1)} of 1000); ${what}`
  if (failure === undefined) return head
  const names = Object.entries(broken).map(([name, times]) => `${name} in ${times}`)
  const steps = failure.schedule.steps.map((step) => `  after ${step.afterMs} ms: ${describeStep(step)}`)
  const short = `seed ${failure.seed}, ${failure.drawnSteps} steps made ${steps.length}:`
  return [head, `broken: ${names.join(', ')}`, short, ...steps, '', failure.trace].join('\n')
}
