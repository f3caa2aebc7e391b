/**
 * `npm run chaos`: real instances, real stores, real faults, and a checker that reads what clients saw.
 *
 * Exit code 0 when no promise was broken (or, of spoilt copies, one by each), else 1.
 */
import { measureFreeze, measureRestart } from './figures.ts'
import { parsePlan, type Plan, USAGE } from './plan.ts'
import { type Outcome, runScenario } from './run.ts'
import { SABOTAGES, spoilt } from './sabotage.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { type Skipped, type Summary, tableOf } from './table.ts'
import { traceOf } from './trace.ts'

const MAX_TRACES = 3

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const plan = parsePlan(args)
  if (plan === undefined) {
    process.stdout.write(
      `${USAGE}\nscenarios:\n${SCENARIOS.map(({ name, text }) => `  ${name.padEnd(30)} ${text}`).join('\n')}\n`,
    )
    return 0
  }
  // Whatever was started ends with this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  if (plan.figureSeconds > 0) return figures(plan)
  return plan.isSabotage ? sabotage(plan) : suite(plan)
}

async function suite(plan: Plan): Promise<number> {
  const outcomes: Summary[] = []
  const skipped: Skipped[] = []
  const queue = SCENARIOS.filter(({ name }) => plan.scenarios.length === 0 || plan.scenarios.includes(name))
  const lane = async (): Promise<void> => {
    for (let scenario = queue.shift(); scenario !== undefined; scenario = queue.shift()) {
      const { name } = scenario
      const why = scenario.skip?.()
      if (why !== undefined) skipped.push({ scenario: name, why, isFailed: false })
      else
        await runSeeds(scenario, plan, { onOutcome: (one) => outcomes.push(told(one, plan)), onFailure: failed(name, skipped) })
    }
  }
  await Promise.all(Array.from({ length: plan.lanes }, lane))
  process.stdout.write(`${tableOf(outcomes, skipped)}\n`)
  return outcomes.some(({ broken }) => broken > 0) || skipped.some(({ isFailed }) => isFailed) ? 1 : 0
}

interface Listeners {
  readonly onOutcome: (outcome: Outcome) => void
  readonly onFailure: (error: unknown) => void
}

/** A stand that could not be had, or not be kept, costs one seed; the others run on a new one, unless that does not stand either. */
async function runSeeds(scenario: Scenario, plan: Plan, { onOutcome, onFailure }: Listeners): Promise<void> {
  for (let seeds = plan.seeds; seeds.length > 0; ) {
    let done = 0
    const count = (outcome: Outcome): void => {
      done += 1
      onOutcome(outcome)
    }
    try {
      return await runScenario(scenario, { ...plan, seeds, onOutcome: count })
    } catch (error) {
      onFailure(error)
      if (done === 0) return
      seeds = seeds.slice(done + 1)
    }
  }
}

/** Each copy is run until it is noticed, over as many seeds as wanted. */
async function sabotage(plan: Plan): Promise<number> {
  let missed = 0
  for (const one of SABOTAGES) {
    const { folder, remove } = spoilt(plan.root, one)
    const seen: Outcome[] = []
    const isEnough = (): boolean => seen.some(({ breaches }) => breaches.length > 0)
    try {
      await runScenario(one.scenario, { ...plan, root: folder, isEnough, onOutcome: (outcome) => seen.push(outcome) })
    } finally {
      remove()
    }
    const found = seen.flatMap(({ breaches }) => breaches)
    const promises = [...new Set(found.map(({ promise }) => promise))].join(', ')
    if (found.length === 0) missed += 1
    process.stdout.write(
      `${found.length > 0 ? `noticed by ${promises}` : 'MISSED'}, ${seen.length} seeds: ${one.name}: ${one.text}\n`,
    )
  }
  return missed > 0 ? 1 : 0
}

async function figures({ root, figureSeconds }: Plan): Promise<number> {
  const restart = await measureRestart(root)
  process.stdout.write(`${JSON.stringify({ restart })}\n`)
  const freeze = await measureFreeze(root, figureSeconds)
  process.stdout.write(`${JSON.stringify({ freeze })}\n`)
  return freeze.staleAfter > 0 || freeze.failed > 0 ? 1 : 0
}

function failed(scenario: string, skipped: Skipped[]): (error: unknown) => void {
  return (error) => {
    process.stdout.write(`${scenario} could not be run: ${error instanceof Error ? error.stack : String(error)}\n`)
    skipped.push({
      scenario,
      why: error instanceof Error ? (error.message.split('\n')[0] as string) : String(error),
      isFailed: true,
    })
  }
}

/** @returns what is kept: what was seen is forgotten once it is judged, for a long suite is not to fill the memory */
function told(outcome: Outcome, { isQuiet }: Plan): Summary {
  const { breaches, scenario, seed, reads, cached, writes, followed, refused, slowestReadMs, healedMs, waitedMs } = outcome
  for (const breach of breaches.slice(0, MAX_TRACES)) process.stdout.write(`${traceOf(outcome, breach)}\n\n`)
  const verdict = breaches.length === 0 ? 'held  ' : `BROKEN ${breaches.length}`
  const text = `${reads} reads, ${cached} cached, ${refused} refused, slowest ${slowestReadMs.toFixed(0)} ms; ${writes} writes, ${followed} followed; healed in ${healedMs.toFixed(0)} ms; without a core for ${waitedMs.toFixed(0)} ms`
  if (!isQuiet || breaches.length > 0) process.stdout.write(`${verdict} ${scenario} seed ${seed}: ${text}\n`)
  return { scenario, seed, reads, cached, writes, followed, refused, slowestReadMs, healedMs, waitedMs, broken: breaches.length }
}
