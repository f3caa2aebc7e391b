/**
 * Question   what does refreshing ahead spare clients, and what does it cost the origin?
 * Method     real traces replayed without limit of memory; learned on the first 30 %, judged on the rest; the classes that
 *            decide are the product's own. Gain: the share of the oracle's spared misses; cost: requests to the origin beyond
 *            those of a plain TTL (with stale windows: of stale-while-revalidate). Traces without times get a rate
 *            Prefetching over a plain TTL: what a client asks for next, learned from what clients asked for after the same; a
 *            trace that tells no clients counts as one client
 * Left out   the time that loads take, the limit of memory, conditional requests that the origin answers with 304
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { AHEAD_DEFAULTS } from '../../src/flow/ahead-options.ts'
import { createRandom } from '../../src/model/random.ts'
import { columns, describeMachine, machine } from '../compare.ts'
import { readTrace, type Trace } from '../trace/formats.ts'
import { Ahead } from './ahead.ts'
import { measureHits } from './hit-cost.ts'
import { LastTenth, Oracle, Plain, XFetch } from './policies.ts'
import { replayPrefetch } from './prefetch.ts'
import { type Policy, replay, type Tally, timed, type Timed } from './replay.ts'

const HELP = `npm run bench -- predict                     every known trace
npm run bench -- predict --file F [--rate N]   another one; its format is found out as by "trace"
  --ttl 5,30,60,300   seconds
  --extra 0.1,0.2     budgets of extra requests to the origin
  --rate N            requests a second of a trace that tells no times; default 2 and 10
  --learn 0.3         share of the trace that is learned on and not judged
  --hits              only what a hit costs more where it teaches prefetching
  --json              one JSON document instead of tables
Traces are looked for in FORECACHE_TRACES, default ../shared/data; .xz needs the program xz.
`

const KNOWN = ['nasa_19950801.tsv.xz', 'web07.trace.xz', 'semicomplete_apache_logs.xz', 'adaptsize_request.trace.xz']
const RATES: readonly number[] = [2, 10]
const RANDOM = { requests: 50_000, keys: 20_000 }
const MIN_CHANCE = AHEAD_DEFAULTS.minChance
const LOAD_MS = 200
/** Prefetching: its budget, and the chance from which on it is tried at all. */
const PREFETCH = { extra: 0.1, minChance: 0.45 }
/** The budget that stale windows are compared at. */
const STALE_EXTRA = 0.15

interface Options {
  readonly files: readonly string[]
  readonly ttls: readonly number[]
  readonly extras: readonly number[]
  readonly rates: readonly number[]
  readonly learn: number
  readonly hits: boolean
  readonly json: boolean
}

/** One policy on one trace with one TTL. */
interface Row {
  readonly trace: string
  readonly ttl: number
  readonly policy: string
  readonly missShare: number
  readonly staleShare: number
  /** Beyond the plain policy with the same windows. */
  readonly extra: number
  /** Share of the oracle's spared misses; undefined with stale windows. */
  readonly gain: number | undefined
  /** Stale answers against stale-while-revalidate alone. */
  readonly staleRatio: number | undefined
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
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: text,
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
  const files = values.file === undefined ? known : [values.file]
  if (files.length === 0) throw new Error('no trace found; name a directory by FORECACHE_TRACES, or one by --file')
  const rates = values.rate === undefined ? RATES : numbers(values.rate)
  const learn = Number(values.learn ?? 0.3)
  return {
    files,
    rates,
    learn,
    ttls: numbers(values.ttl ?? '5,30,60,300'),
    extras: numbers(values.extra ?? '0.1,0.2'),
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
  const rows = [...allOf(options)]
  const ahead: PrefetchRow[] = []
  for await (const row of prefetchOf(options)) ahead.push(row)
  const medians = options.extras.map((extra) => ({ extra, gain: median(gainsOf(rows, `ours +${extra * 100} %`)) }))
  const tenth = median(gainsOf(rows, 'last 10 %'))
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ machine: machine(), options, rows, medians, tenth, prefetch: ahead }, undefined, 2)}\n`,
    )
    return
  }
  const percent = (share: number | undefined, digits = 1): string =>
    share === undefined ? '' : `${(share * 100).toFixed(digits)}`
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
  process.stdout.write(`${describeMachine(machine())}\n\n${columns([heads, ...table])}\n`)
  for (const { extra, gain } of medians)
    process.stdout.write(`median gain at +${extra * 100} %: ${percent(gain, 0)} % of the oracle's\n`)
  process.stdout.write(`median gain of the last 10 %: ${percent(tenth, 0)} %\n\n`)
  const lines = ahead.map((one) => [
    one.trace,
    String(one.ttl),
    percent(one.removed),
    percent(one.extra),
    percent(one.precision),
    String(one.firsts),
  ])
  process.stdout.write(`${columns([['prefetch', 'TTL s', 'misses removed %', 'extra %', 'read %', 'first ever'], ...lines])}\n`)
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

async function* prefetchOf({ files, rates, ttls, learn }: Options): AsyncGenerator<PrefetchRow> {
  for (const { name, requests, clients, names } of tracesOf(files, rates)) {
    for (const ttl of ttls) {
      const { plain, misses, prefetched, read, firsts } = await replayPrefetch(
        requests,
        { clients, names },
        { ...PREFETCH, ttlMs: ttl * 1000, learn },
      )
      const removed = 1 - misses / plain
      yield {
        trace: name,
        ttl,
        removed,
        extra: (misses + prefetched) / plain - 1,
        precision: prefetched === 0 ? 0 : read / prefetched,
        firsts,
      }
    }
  }
}

function* allOf({ files, rates, ttls, extras, learn }: Options): Generator<Row> {
  for (const { name, requests } of tracesOf(files, rates)) {
    for (const ttl of ttls) {
      yield* compare(name, requests, { ttl, extras, learn, staleMs: 0 })
      yield* compare(name, requests, { ttl, extras: [STALE_EXTRA], learn, staleMs: ttl * 1000 })
    }
  }
}

function* tracesOf(
  files: readonly string[],
  rates: readonly number[],
): Generator<{ name: string; requests: Timed } & Pick<Trace, 'clients' | 'names'>> {
  for (const file of files) {
    const trace = readTrace(file)
    const name = (file.split('/').at(-1) ?? file).split(/[._]/)[0] as string
    if (trace.atMs !== undefined) yield { name, clients: trace.clients, names: trace.names, requests: timed(trace, 1) }
    else
      for (const rate of rates)
        yield { name: `${name} ${rate}/s`, clients: trace.clients, names: trace.names, requests: timed(trace, rate) }
  }
  for (const rate of rates)
    yield { name: `random ${rate}/s`, clients: undefined, names: [], requests: timed(randomTrace(), rate) }
}

/** Every key as likely as any other: there is nothing to learn. */
function randomTrace(): Trace {
  const random = createRandom(1)
  const ids = Int32Array.from({ length: RANDOM.requests }, () => Math.floor(random() * RANDOM.keys))
  return {
    ids,
    distinct: RANDOM.keys,
    sizes: undefined,
    atMs: undefined,
    clients: undefined,
    names: [],
    format: 'text',
    skipped: 0,
  }
}

interface Comparison {
  readonly ttl: number
  readonly staleMs: number
  readonly extras: readonly number[]
  readonly learn: number
}

function* compare(trace: string, requests: Timed, { ttl, staleMs, extras, learn }: Comparison): Generator<Row> {
  const wish = { distinct: requests.distinct, ttlMs: ttl * 1000, staleMs }
  const on = (policy: Policy): Tally => replay(requests, policy, learn)
  const plain = on(new Plain(wish))
  const oracle = staleMs === 0 ? on(new Oracle(wish, requests)) : undefined
  const row = (policy: string, tally: Tally): Row => ({
    trace,
    ttl,
    policy,
    missShare: tally.misses / tally.requests,
    staleShare: tally.stale / tally.requests,
    extra: tally.origin / plain.origin - 1,
    gain: oracle === undefined ? undefined : (plain.misses - tally.misses) / (plain.misses - oracle.misses),
    staleRatio: staleMs === 0 || plain.stale === 0 ? undefined : tally.stale / plain.stale,
  })
  const base = new Plain(wish)
  yield row(base.name, plain)
  const others: Policy[] = [new LastTenth(wish), new XFetch(wish, { random: createRandom(1), loadMs: LOAD_MS })]
  for (const extra of extras) others.push(new Ahead(wish, { extra, minChance: MIN_CHANCE }))
  for (const policy of others) yield row(staleMs > 0 ? `${policy.name}, swr` : policy.name, on(policy))
  if (oracle !== undefined) yield row('oracle', oracle)
}

/** Of real traces, where there is anything to gain. */
function gainsOf(rows: readonly Row[], policy: string): number[] {
  const own = rows.filter((row) => row.policy === policy && !row.trace.startsWith('random'))
  return own.flatMap(({ gain }) => (gain === undefined || Number.isNaN(gain) ? [] : [gain]))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return sorted.length % 2 === 1 ? (sorted[Math.floor(half)] as number) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
}
