/**
 * Question   what does warming spare clients, and what does it cost the origin?
 * Method     traces replayed on the product's own library in virtual time, with and without; learned on the first 30 %, judged on
 *            the rest. Plain: quiet times and hours. Bump: everything is invalidated every two hours. Beside real traces weeks that
 *            are made up, with a rhythm that is known
 * Left out   the limit of memory, an origin that is not idle: a trace of one service does not tell; the time of the day of real traces
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '../../src/model/random.ts'
import { columns, describeMachine, machine } from '../compare.ts'
import { type Timed, timed } from '../predict/replay.ts'
import { readTrace } from '../trace/formats.ts'
import { MADE_START, makeWeeks } from './made.ts'
import { live, type Lived } from './replay.ts'

const HELP = `npm run bench -- warm                  traces that tell times, and made-up weeks
npm run bench -- warm --file F [--rate N]   another one
  --ttl 300,3600,21600   seconds
  --rate N               requests a second of a trace that tells no times; default 2
  --days 28              length of the made-up weeks
  --learn 0.3            share of the trace that is learned on and not judged
  --json                 one JSON document instead of a table
Traces are looked for in FORECACHE_TRACES, default ../shared/data; .xz needs the program xz.
`

const KNOWN = ['nasa_19950801.tsv.xz', 'web07.trace.xz']
const BUMP_EVERY_MS = 2 * 3_600_000

interface Options {
  readonly traces: readonly { readonly name: string; readonly requests: Timed }[]
  readonly ttls: readonly number[]
  readonly learn: number
  readonly json: boolean
}

interface Row {
  readonly trace: string
  readonly ttl: number
  readonly bump: boolean
  readonly without: Lived
  readonly with: Lived
}

/** @returns 0; 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args)
    if (options === undefined) process.stdout.write(HELP)
    else await show(options)
    return 0
  } catch (error) {
    process.stderr.write(`warm: ${(error as Error).message}\n`)
    return 2
  }
}

function parseOptions(args: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const
  const flags = {
    file: text,
    ttl: text,
    rate: text,
    days: text,
    learn: text,
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const
  const { values } = parseArgs({ args: [...args], options: flags })
  if (values.help === true) return undefined
  const known = KNOWN.map((name) => join(resolve(process.env.FORECACHE_TRACES ?? '../shared/data'), name)).filter(existsSync)
  const files = values.file === undefined ? known : [values.file]
  const [rate, days, learn] = [Number(values.rate ?? 2), Number(values.days ?? 28), Number(values.learn ?? 0.3)]
  const ttls = (values.ttl ?? '300,3600,21600').split(',').map(Number)
  if (![rate, days, ...ttls].every((one) => one > 0) || !(learn >= 0 && learn < 1))
    throw new Error('expected numbers above 0, learn below 1')
  const traces = files.map((file) => ({
    name: (file.split('/').at(-1) ?? file).split(/[._]/)[0] as string,
    requests: timed(readTrace(file), rate),
  }))
  if (values.file === undefined) traces.push({ name: `made ${days} d`, requests: makeWeeks(days, createRandom(1)) })
  return { traces, ttls, learn, json: values.json ?? false }
}

async function show({ traces, ttls, learn, json }: Options): Promise<void> {
  const rows: Row[] = []
  for (const { name, requests } of traces) {
    for (const ttl of ttls) {
      for (const bump of [false, true]) {
        const course = { ttlMs: ttl * 1000, learn, bumpEveryMs: bump ? BUMP_EVERY_MS : 0, startMs: MADE_START }
        const without = await live(requests, { ...course, warming: false })
        rows.push({ trace: name, ttl, bump, without, with: await live(requests, { ...course, warming: { timeZone: 'UTC' } }) })
      }
    }
  }
  if (json) process.stdout.write(`${JSON.stringify({ machine: machine(), learn, rows }, undefined, 2)}\n`)
  else process.stdout.write(`${describeMachine(machine())}\n\n${columns([HEADS, ...rows.map(shown)])}\n`)
}

const HEADS = [
  'trace',
  'TTL s',
  'bumps',
  'waits %',
  'spared %',
  'first minute',
  'spared %',
  'origin %',
  'bump',
  'hour',
  'quiet',
  'read %',
]

function shown({ trace, ttl, bump, without, with: warm }: Row): string[] {
  const percent = (part: number, whole: number): string => (whole === 0 ? '' : ((part / whole) * 100).toFixed(1))
  const { warmed, read, wasted } = warm
  return [
    ...[trace, String(ttl), bump ? 'every 2 h' : ''],
    percent(without.waited, without.requests),
    percent(without.waited - warm.waited, without.waited),
    percent(without.waitedFirst, without.requestsFirst),
    percent(without.waitedFirst - warm.waitedFirst, without.waitedFirst),
    percent(warm.origin - without.origin, without.origin),
    ...[String(warmed.bump), String(warmed.rhythm), String(warmed.quiet)],
    percent(read, read + wasted),
  ]
}
