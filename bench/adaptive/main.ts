/**
 * Question   what do adaptive windows buy against one window for all: requests to the origin, and answers that had changed?
 * Method     real traces say who asks when; changes are synthetic, a Poisson process for each key with a rate from a mixture,
 *            the same for all policies. For each bound the flat window is looked for that serves as many changed answers, and
 *            the one that asks the origin as often. Learned on the first 30 %, judged on the rest. One route for all keys
 * Left out   the limit of memory, the time that loads take, and whether rates in your API are like these: they are made up
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ADAPTIVE, type AdaptiveSettings } from '../../src/flow/adaptive-options.ts'
import { columns, describeMachine, machine } from '../compare.ts'
import { timed, type Timed } from '../predict/replay.ts'
import { readTrace } from '../trace/formats.ts'
import { type Mixture, MIXTURES, versionsOf } from './changes.ts'
import { Chosen, Flat, type Outcome, replayTold, replayWindows } from './windows.ts'

const HELP = `npm run bench -- adaptive                     known traces under synthetic changes
npm run bench -- adaptive --file F [--rate N] another trace; its format is found out as by "trace"
  --bound 0.05,0.1,0.2  maxStaleChance
  --fresh 60            promised fresh window, seconds
  --stale 3600          end of the stale window, seconds
  --min 1               shortest window, seconds
  --rate N              requests a second of a trace that tells no times; default 10
  --learn 0.3           share of the trace that is learned on and not judged
  --seed 1              of the changes
  --json                one JSON document instead of a table
Traces are looked for in FORECACHE_TRACES, default ../shared/data; .xz needs the program xz.
`

const KNOWN = ['nasa_19950801.tsv.xz', 'web07.trace.xz', 'semicomplete_apache_logs.xz']
/** Halvings of the range in which the flat window is looked for. */
const ROUNDS = 14
const MIN_FLAT_MS = 100
const MAX_FLAT_MS = 8 * 3_600_000

interface Options {
  readonly files: readonly string[]
  readonly bounds: readonly number[]
  readonly freshMs: number
  readonly staleMs: number
  readonly minMs: number
  readonly rate: number
  readonly learn: number
  readonly seed: number
  readonly json: boolean
}

interface Row {
  readonly trace: string
  readonly changes: string
  readonly policy: string
  /** Share of the answers that had changed since they were read. */
  readonly changed: number
  /** The same of those that came from memory: what the bound is about. */
  readonly changedHits: number
  readonly loads: number
  /** A flat window that serves as many changed answers, and what it asks the origin for. */
  readonly flatMs?: number
  readonly flatLoads?: number
  /** Changed answers of the flat window that asks the origin as often. */
  readonly flatChanged?: number
}

/** @returns 0; 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args)
    if (options === undefined) process.stdout.write(HELP)
    else show(options)
    return 0
  } catch (error) {
    process.stderr.write(`adaptive: ${(error as Error).message}\n`)
    return 2
  }
}

function parseOptions(args: readonly string[]): Options | undefined {
  const names = ['file', 'bound', 'fresh', 'stale', 'min', 'rate', 'learn', 'seed'] as const
  const flags = { json: { type: 'boolean' }, help: { type: 'boolean' } } as const
  const texts = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  const { values } = parseArgs({ args: [...args], options: { ...texts, ...flags } }) as {
    values: Record<string, string | boolean>
  }
  if (values.help === true) return undefined
  const number = (name: (typeof names)[number], otherwise: number): number => Number(values[name] ?? otherwise)
  const known = KNOWN.map((name) => join(resolve(process.env.FORECACHE_TRACES ?? '../shared/data'), name)).filter(existsSync)
  const files = values.file === undefined ? known : [String(values.file)]
  if (files.length === 0) throw new Error('no trace found; name a directory by FORECACHE_TRACES, or one by --file')
  return {
    files,
    bounds: String(values.bound ?? '0.05,0.1,0.2')
      .split(',')
      .map(Number),
    freshMs: number('fresh', 60) * 1000,
    staleMs: number('stale', 3600) * 1000,
    minMs: number('min', 1) * 1000,
    rate: number('rate', 10),
    learn: number('learn', 0.3),
    seed: number('seed', 1),
    json: values.json === true,
  }
}

function show(options: Options): void {
  const rows = options.files.flatMap((file) => rowsOf(file, options))
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ machine: machine(), options, rows }, undefined, 2)}\n`)
    return
  }
  const heads = [
    'trace',
    'changes every',
    'policy',
    'changed %',
    'of hits %',
    'loads',
    'flat s',
    'its loads',
    'loads saved %',
    'changed, flat %',
  ]
  const lines = rows.map((row) => [
    row.trace,
    row.changes,
    row.policy,
    percent(row.changed),
    percent(row.changedHits),
    String(row.loads),
    row.flatMs === undefined ? '' : (row.flatMs / 1000).toPrecision(3),
    row.flatLoads === undefined ? '' : String(row.flatLoads),
    row.flatLoads === undefined ? '' : percent(1 - row.loads / row.flatLoads),
    row.flatChanged === undefined ? '' : percent(row.flatChanged),
  ])
  process.stdout.write(
    `${describeMachine(machine())}\nchanges are synthetic, seed ${options.seed}\n\n${columns([heads, ...lines])}\n`,
  )
}

function rowsOf(file: string, options: Options): Row[] {
  const requests = timed(readTrace(file), options.rate)
  const trace = (file.split('/').at(-1) ?? file).split(/[._]/)[0] as string
  return MIXTURES.flatMap((mixture) => compare(requests, mixture, options).map((row) => ({ ...row, trace })))
}

function compare(requests: Timed, mixture: Mixture, options: Options): Omit<Row, 'trace'>[] {
  const how = { versions: versionsOf(requests, mixture, options.seed), from: options.learn }
  const flat = (ms: number): Outcome => replayWindows(requests, new Flat(ms), how)
  const plain = (policy: string, { loads, changed, requests: of }: Outcome) => {
    return { changes: mixture.name, policy, changed: changed / of, changedHits: changed / (of - loads), loads }
  }
  const rows: Omit<Row, 'trace'>[] = [plain(`flat ${options.freshMs / 1000} s`, flat(options.freshMs))]
  for (const bound of options.bounds) {
    const chosen = new Chosen(requests.distinct, settingsOf(bound, options.minMs), options)
    const ours = replayWindows(requests, chosen, how)
    const flatMs = search((ms) => flat(ms).changed < ours.changed)
    const asOften = flat(search((ms) => flat(ms).loads > ours.loads))
    const flatChanged = asOften.changed / asOften.requests
    rows.push({ ...plain(`bound ${bound}`, ours), flatMs, flatLoads: flat(flatMs).loads, flatChanged })
  }
  return [...rows, plain('told of changes', replayTold(requests, how))]
}

function settingsOf(maxStaleChance: number, min: number): AdaptiveSettings {
  const settings = ADAPTIVE.parse({ maxStaleChance, min })
  if (settings === undefined) throw new Error('adaptive windows are off')
  return settings
}

/** The longest window for which `isShort` still holds. */
function search(isShort: (ms: number) => boolean): number {
  let [low, high] = [Math.log(MIN_FLAT_MS), Math.log(MAX_FLAT_MS)]
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (low + high) / 2
    if (isShort(Math.exp(middle))) low = middle
    else high = middle
  }
  return Math.exp(low)
}

function percent(share: number): string {
  return (share * 100).toFixed(1)
}
