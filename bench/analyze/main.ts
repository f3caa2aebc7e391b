/**
 * Question   does `forecache analyze` find the truth, and what does it cost on a long log?
 * Method     logs made from seeds, whose truth is known: 2 to 8 routes with up to a dozen of parameters, fields and cookies, some
 *            rare, constant, unique or going along with another; spelled otherwise, in any order, with errors, writes and
 *            revalidations between. Every other log tells no digests and its times to the second. Each parameter is set
 *            against the truth, where the log shows enough for anybody who knew what answers are made of (a thousand
 *            answers that came again, two hundred of them with another value); a wrong verdict counts always.
 *            The expected hit ratio is set against the cache itself, replaying the log with the configuration written.
 *            Cost: the command in a process of its own over a file; the most resident memory is the kernel's figure,
 *            and contains what made the log
 * Left out   logs of real sites, whose truth nobody knows
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { analyze } from '../../src/advice/analysis.ts'
import { Intake } from '../../src/advice/intake.ts'
import { atMost, columns, describeMachine, type Goal, machine } from '../compare.ts'
import { describeGoals } from '../load/report.ts'
import { judgeParameters, type Mistake, replayReally } from './judge.ts'
import { makeLog } from './made-log.ts'

const HELP = `npm run bench -- analyze [options]
  --seeds 30        logs that are made and judged
  --first 1         seed of the first
  --lines 60000     requests of each
  --no-real         do not replay them through the cache
  --big 1000000     lines of the long log, in the combined format; 0: none
  --form combined   of the long log: combined, json, or bare (requests without their lines)
  --json            one JSON document instead of tables
`
const MAX_POINTS = 2
const MAX_SECONDS = 60
const MAX_GIB = 1
const GIB = 1024 ** 3

/** One log. */
interface Row {
  readonly seed: number
  readonly routes: number
  readonly judged: number
  /** Parameters that nobody could have told. */
  readonly left: number
  readonly mistakes: readonly Mistake[]
  readonly expected: number
  /** Of the cache itself; undefined: not replayed. */
  readonly real: number | undefined
}

/** The long log. */
interface Cost {
  readonly lines: number
  readonly bytes: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** How often progress was told. */
  readonly told: number
  readonly peakBytes: number
}

/** @returns 0 when every limit is kept, 1 when not, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  const number = (value: string): { type: 'string'; default: string } => ({ type: 'string', default: value })
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      seeds: number('30'),
      first: number('1'),
      lines: number('60000'),
      big: number('1000000'),
      form: number('combined'),
      real: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [seeds, first, lines, big] = [values.seeds, values.first, values.lines, values.big].map(Number) as Counts
  if (values.help || ![seeds, first, lines, big].every((value) => Number.isInteger(value) && value >= 0)) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 2
  }
  const rows: Row[] = []
  for (let seed = first; seed < first + seeds; seed += 1) rows.push(await judge(seed, lines, values.real))
  const cost = big > 0 ? await measure(big, first, values.form) : undefined
  const goals = goalsOf(rows, cost)
  const at = machine()
  const text = [describeMachine(at), '', table(rows), ...mistakes(rows), '', ...describe(cost), describeGoals(goals), ''].join(
    '\n',
  )
  process.stdout.write(values.json ? `${JSON.stringify({ machine: at, lines, rows, cost, goals }, undefined, 2)}\n` : text)
  return goals.every((goal) => goal.isMet) ? 0 : 1
}

type Counts = [seeds: number, first: number, lines: number, big: number]

async function judge(seed: number, lines: number, isReal: boolean): Promise<Row> {
  const log = makeLog({ seed, lines, isRich: seed % 2 === 0 })
  const intake = new Intake()
  for (const access of log.requests()) intake.take(access)
  const report = analyze(intake.end(), { source: `seed ${seed}`, skippedLines: 0, origin: 'http://127.0.0.1:3000' })
  const real = isReal ? await replayReally(report, log.requests(), report.memory.recommendedBytes) : undefined
  return { seed, routes: log.routes.length, ...judgeParameters(report, log), expected: report.expected.hitRatio, real }
}

async function measure(lines: number, seed: number, form: string): Promise<Cost> {
  const script = join(import.meta.dirname, 'child.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, String(lines), String(seed), form])
  return JSON.parse(stdout) as Cost
}

const pointsOf = ({ expected, real }: Row): number => (real === undefined ? 0 : Math.abs(real - expected) * 100)

function goalsOf(rows: readonly Row[], cost: Cost | undefined): Goal[] {
  const wrong = rows.reduce((sum, { mistakes: of }) => sum + of.length, 0)
  const goals = [atMost('parameters judged wrong', wrong, 0)]
  if (rows.some(({ real }) => real !== undefined))
    goals.push(atMost('hit ratio, points beside the cache, at most', Math.max(...rows.map(pointsOf)), MAX_POINTS))
  if (cost === undefined) return goals
  const millions = cost.lines / 1e6
  return [
    ...goals,
    atMost('seconds for a million lines', cost.seconds / Math.max(1, millions), MAX_SECONDS),
    atMost('most memory, GiB', cost.peakBytes / GIB, MAX_GIB),
  ]
}

function table(rows: readonly Row[]): string {
  const percent = (share: number | undefined): string => (share === undefined ? '' : (share * 100).toFixed(2))
  const shown = rows.map((row) => [
    ...[row.seed, row.routes, row.judged, row.mistakes.length, row.left],
    ...[percent(row.expected), percent(row.real)],
  ])
  const heads = ['seed', 'routes', 'parameters', 'wrong', 'not to be told', 'expected hits %', 'real %']
  return columns([heads, ...shown])
}

function mistakes(rows: readonly Row[]): string[] {
  return rows.flatMap(({ seed, mistakes: of }) =>
    of.map(({ route, name, truth, found, evidence }) => `seed ${seed} ${route} ${name}: ${truth}, found ${found} ${evidence}`),
  )
}

function describe(cost: Cost | undefined): string[] {
  if (cost === undefined) return []
  const { lines, bytes, seconds, cpuSeconds, told, peakBytes } = cost
  return [
    `${lines.toLocaleString('en')} lines, ${(bytes / 1e6).toFixed(0)} MB: ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor), ${(peakBytes / GIB).toFixed(2)} GiB, progress told ${told} times`,
    '',
  ]
}
