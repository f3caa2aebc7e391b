/**
 * What the fault suite is asked to do.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { scenarioOf } from './scenarios.ts'

/** See the module's header. */
export interface Plan {
  readonly seeds: readonly number[]
  /** None: all. */
  readonly scenarios: readonly string[]
  /** Scenarios at once. */
  readonly lanes: number
  readonly root: string
  readonly slack: number
  readonly isQuiet: boolean
  /** Spoilt copies are run instead, and must be noticed. */
  readonly isSabotage: boolean
  /** Figures are taken instead; the store stands still for so many seconds. 0: none. */
  readonly figureSeconds: number
}

export const USAGE = `npm run chaos -- [options] [scenario …]
  --seeds N       seeds of each scenario, default 20
  --seed N        the first of them, default 1
  --lanes N       scenarios at once, each with its own processes; default 2
  --slack N       deadlines are N times as long, for a machine that is busy with other things; default 1
  --root DIR      checkout whose instances are run, default this one
  --quiet         tell nothing of runs that held
  --sabotage      runs copies in which one rule of the protocol is taken out: each must be noticed
  --figures N     measures instead: a store that stands still for N seconds, and the restart of an instance`

/** @returns undefined when help was asked for @throws on options that are wrong */
export function parsePlan(args: readonly string[]): Plan | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      lanes: { type: 'string', default: '2' },
      slack: { type: 'string', default: '1' },
      root: { type: 'string', default: resolve(import.meta.dirname, '../..') },
      quiet: { type: 'boolean', default: false },
      sabotage: { type: 'boolean', default: false },
      figures: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const first = whole('seed', values.seed, 0)
  return {
    seeds: Array.from({ length: whole('seeds', values.seeds, 1) }, (_, i) => first + i),
    scenarios: positionals.map((name) => scenarioOf(name).name),
    lanes: whole('lanes', values.lanes, 1),
    root: resolve(values.root),
    slack: whole('slack', values.slack, 1),
    isQuiet: values.quiet,
    isSabotage: values.sabotage,
    figureSeconds: whole('figures', values.figures, 0),
  }
}

function whole(name: string, given: string, least: number): number {
  const value = Number(given)
  if (Number.isInteger(value) && value >= least) return value
  throw new Error(`--${name}: expected a whole number of at least ${least}, given ${given}`)
}
