/**
 * The results of a fault suite as a table.
 */
import type { Outcome } from './run.ts'

/** What is kept of a run. */
export interface Summary extends Omit<Outcome, 'history' | 'deeds' | 'breaches'> {
  readonly broken: number
}

/** A scenario that was not run. */
export interface Skipped {
  readonly scenario: string
  readonly why: string
  readonly isFailed: boolean
}

/** @returns Markdown */
export function tableOf(outcomes: readonly Summary[], skipped: readonly Skipped[]): string {
  const names = [...new Set(outcomes.map(({ scenario }) => scenario))]
  const rows = names.map((name) =>
    rowOf(
      name,
      outcomes.filter(({ scenario }) => scenario === name),
    ),
  )
  const head =
    '| scenario | seeds | reads | from cache | invalidations | followed by all | slowest read ms | healed ms, most | broken |'
  const total = rowOf(`${names.length} scenarios`, outcomes)
  const left = skipped.map(({ scenario, why, isFailed }) => `${isFailed ? 'could not be run' : 'left out'}: ${scenario}: ${why}`)
  return ['', head, '|---|---|---|---|---|---|---|---|---|', ...rows, total, '', ...left].join('\n')
}

function rowOf(name: string, of: readonly Summary[]): string {
  const sum = (pick: (one: Summary) => number): number => of.reduce((total, one) => total + pick(one), 0)
  const most = (pick: (one: Summary) => number): string => Math.max(0, ...of.map(pick)).toFixed(0)
  const reads = sum((one) => one.reads)
  const share = ((100 * sum((one) => one.cached)) / Math.max(1, reads)).toFixed(0)
  const cells = [
    ...[name, of.length, reads, `${share} %`, sum((one) => one.writes), sum((one) => one.followed)],
    ...[most((one) => one.slowestReadMs), most((one) => one.healedMs), sum(({ broken }) => broken)],
  ]
  return `| ${cells.join(' | ')} |`
}
