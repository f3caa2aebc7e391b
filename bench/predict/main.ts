/**
 * Question   what does refreshing ahead spare clients, and what does it cost the origin?
 * Method     real traces replayed without limit of memory; learned on the first 30 %, judged on the rest; the classes that
 *            decide are the product's own. Gain: the share of the oracle's spared misses; cost: requests to the origin beyond
 *            those of a plain TTL (with stale windows: of stale-while-revalidate). Traces without times get a rate
 *            (--rate). Prefetching over a plain TTL: what a client asks for next, learned from what clients asked for after the same; a
 *            trace that tells no clients counts as one client
 * Left out   the time that loads take, the limit of memory, conditional requests that the origin answers with 304
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { columns, describeMachine, machine } from '../compare.ts'
import { compareAll, type Row } from './compare.ts'
import { measureHits } from './hit-cost.ts'
import { writePlots } from './plots.ts'
import { replayPrefetch } from './prefetch.ts'
import { type Subject, tracesOf, type TraceWish } from './traces.ts'

const HELP = `npm run bench -- predict                        every known trace
npm run bench -- predict --trace F [F …] [--rate N]   other ones; their formats are found out as by "trace"
  --ttl 5,30,60,300   seconds
  --extra 0.1,0.2     budgets of extra requests to the origin
  --rate N            requests a second of a trace that tells no times; default 2 and 10
  --learn 0.3         share of the trace that is learned on and not judged
  --made SEED         made traces besides: steady, by the hour, bursts, churn, polled, one key, many keys …
  --plots DIR         write the curves there as SVG, with a page that shows them; more budgets are replayed
  --hits              only what a hit costs more where it teaches prefetching
  --json              one JSON document instead of tables
Traces are looked for in FORECACHE_TRACES, default ../shared/data; .xz needs the program xz. Understood are combined access logs,
JSON lines, CSV (time,key[,client][,size], or columns by name), TSV, 32-bit keys, and keys by line.
`

const KNOWN = ['nasa_19950801.tsv.xz', 'web07.trace.xz', 'semicomplete_apache_logs.xz', 'adaptsize_request.trace.xz']
const RATES: readonly number[] = [2, 10]
/** Prefetching: its budget, and the chance from which on it is tried at all. */
const PREFETCH = { extra: 0.1, minChance: 0.45 }
/** What a trace may cost that holds nothing to learn. */
const RANDOM_EXTRA = 0.02
/** Budgets that curves are drawn through. */
const CURVE: readonly number[] = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3]

interface Options extends TraceWish {
  readonly ttls: readonly number[]
  readonly extras: readonly number[]
  readonly learn: number
  readonly plots: string | undefined
  readonly hits: boolean
  readonly json: boolean
}

/** @returns 0; 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args)
    if (options === undefined) process.stdout.write(HELP)
    else if (options.hits) await showHits(options.json)
    else await show(options)
    return 0
  } catch (error) {
    process.stderr.write(`predict: ${(error as Error).message}\n`)
    return 2
  }
}

function parseOptions(args: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      file: text,
      trace: { ...text, multiple: true },
      made: text,
      plots: text,
      ttl: text,
      extra: text,
      rate: text,
      learn: text,
      hits: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return undefined
  const known = KNOWN.map((name) => join(resolve(process.env.FORECACHE_TRACES ?? '../shared/data'), name)).filter(existsSync)
  const named = [...(values.trace ?? []), ...(values.file === undefined ? [] : [values.file]), ...positionals]
  const files = named.length > 0 ? named : known
  if (files.length === 0 && values.made === undefined)
    throw new Error('no trace found; name a directory by FORECACHE_TRACES, or files by --trace')
  const learn = Number(values.learn ?? 0.3)
  if (!(learn >= 0 && learn < 1)) throw new Error(`--learn ${values.learn}: expected a share from 0 to below 1`)
  const made = values.made === undefined ? undefined : Number(values.made)
  if (made !== undefined && !Number.isInteger(made)) throw new Error(`--made ${values.made}: expected a whole number`)
  const extras = numbers(values.extra ?? '0.1,0.2')
  return {
    files,
    learn,
    made,
    rates: values.rate === undefined ? RATES : numbers(values.rate),
    ttls: numbers(values.ttl ?? '5,30,60,300'),
    extras: values.plots === undefined ? extras : [...new Set([...CURVE, ...extras])].sort((a, b) => a - b),
    plots: values.plots,
    hits: values.hits ?? false,
    json: values.json ?? false,
  }
}

function numbers(text: string): number[] {
  const read = text.split(',').map(Number)
  if (read.some((one) => !(one > 0))) throw new Error(`${text}: expected numbers above 0, separated by commas`)
  return read
}

async function showHits(json: boolean): Promise<void> {
  const costs = await measureHits()
  if (json) return void process.stdout.write(`${JSON.stringify({ machine: machine(), costs }, undefined, 2)}\n`)
  const lines = costs.map(({ way, offNs, onNs }) => [way, offNs.toFixed(0), onNs.toFixed(0), (onNs - offNs).toFixed(0)])
  process.stdout.write(`${describeMachine(machine())}\n\n`)
  process.stdout.write(`${columns([['a hit, client after client', 'without ns', 'with ns', 'more ns'], ...lines])}\n`)
}

async function show(options: Options): Promise<void> {
  const rows: Row[] = []
  const ahead: PrefetchRow[] = []
  for (const subject of tracesOf(options)) {
    rows.push(...compareAll(subject, options))
    for await (const row of prefetchOf(subject, options)) ahead.push(row)
  }
  const page = options.plots === undefined ? undefined : writePlots(options.plots, rows, ahead)
  const medians = options.extras.map((extra) => ({ extra, gain: median(gainsOf(rows, `ours +${extra * 100} %`)) }))
  const tenth = median(gainsOf(rows, 'last 10 %'))
  const over = rows.filter(isOver).map(({ trace, ttl, policy }) => `${trace}, ${ttl} s, ${policy}`)
  if (options.json) {
    const result = { machine: machine(), options, rows, medians, tenth, over, prefetch: ahead, page }
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
    return
  }
  process.stdout.write(`${describeMachine(machine())}\n\n${tableOf(rows)}\n`)
  for (const { extra, gain } of medians)
    process.stdout.write(`median gain at +${extra * 100} %: ${percent(gain, 0)} % of the oracle's\n`)
  process.stdout.write(`median gain of the last 10 %: ${percent(tenth, 0)} %\n`)
  process.stdout.write(`budgets not kept: ${over.length === 0 ? 'none' : over.join('; ')}\n\n`)
  const lines = ahead.map((one) => [
    one.trace,
    String(one.ttl),
    percent(one.removed),
    percent(one.extra),
    percent(one.precision),
    String(one.firsts),
  ])
  process.stdout.write(`${columns([['prefetch', 'TTL s', 'misses removed %', 'extra %', 'read %', 'first ever'], ...lines])}\n`)
  if (page !== undefined) process.stdout.write(`curves in ${page}\n`)
}

function percent(share: number | undefined, digits = 1): string {
  return share === undefined || Number.isNaN(share) ? '' : (share * 100).toFixed(digits)
}

/** Beyond its budget; of traces that hold nothing to learn beyond 2 %. */
function isOver({ policy, extra, isRandom }: Row): boolean {
  const budget = /^ours \+([\d.]+) %/.exec(policy)?.[1]
  return budget !== undefined && extra > (isRandom ? RANDOM_EXTRA : Number(budget) / 100) + 1e-9
}

function tableOf(rows: readonly Row[]): string {
  const table = rows.map((row) => [
    row.trace,
    String(row.ttl),
    row.policy,
    percent(row.missShare),
    percent(row.staleShare),
    row.extra === 0 ? '' : percent(row.extra),
    percent(row.gain, 0),
    row.staleRatio === undefined ? '' : row.staleRatio.toFixed(2),
  ])
  const heads = ['trace', 'TTL s', 'policy', 'miss %', 'stale %', 'extra %', 'of oracle %', 'stale / swr']
  return columns([heads, ...table])
}

/** Prefetching on one trace with one TTL. */
interface PrefetchRow {
  readonly trace: string
  readonly ttl: number
  readonly removed: number
  readonly extra: number
  /** Of what was prefetched, how much was read. */
  readonly precision: number
  /** Keys that were there at their first request ever. */
  readonly firsts: number
}

async function* prefetchOf({ name, requests, clients, names }: Subject, { ttls, learn }: Options): AsyncGenerator<PrefetchRow> {
  for (const ttl of ttls) {
    const { plain, misses, prefetched, read, firsts } = await replayPrefetch(
      requests,
      { clients, names },
      { ...PREFETCH, ttlMs: ttl * 1000, learn },
    )
    yield {
      trace: name,
      ttl,
      removed: 1 - misses / plain,
      extra: (misses + prefetched) / plain - 1,
      precision: prefetched === 0 ? 0 : read / prefetched,
      firsts,
    }
  }
}

/** Of real traces, where there is anything to gain. */
function gainsOf(rows: readonly Row[], policy: string): number[] {
  const own = rows.filter((row) => row.policy === policy && !row.isRandom)
  return own.flatMap(({ gain }) => (gain === undefined || Number.isNaN(gain) ? [] : [gain]))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return sorted.length % 2 === 1 ? (sorted[Math.floor(half)] as number) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
}
