/**
 * Question   how many requests of real traces does each eviction policy answer, and how near is that to the optimum?
 * Method     every miss is stored, capacity in entries, unit weights; the default policy runs inside the real in-memory
 *            tier (`peek`, `put`), the others alone behind the same interface; OPT is Belady's clairvoyant
 * Left out   expiry, bytes (unless --bytes), invalidation
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../../src/shelf/policies.ts'
import { columns, describeMachine, machine } from '../compare.ts'
import { FORMATS, parseFormat, readTrace, type Trace } from './formats.ts'
import { KNOWN, type KnownRow, TOLERANCE } from './known.ts'
import { simulateBytes, simulateMemory, simulateOptimum, simulatePolicy } from './simulate.ts'

const HELP = `npm run bench -- trace                    every known trace and policy beside the published figures
npm run bench -- trace --file F --capacity N[,N…] [--format ${FORMATS.join('|')}] [--policy P[,P…]]
  --capacity   entries; or a share of the distinct keys such as 1% or 10%
  --policy     ${POLICY_NAMES.join(', ')}; default all
  --bytes      capacity is bytes, entries weigh what the trace says (needs a format with sizes)
  --all        keep requests of access logs that no cache would answer (not GET, not 200 or 304)
  --json       one JSON document instead of tables
Traces are looked for in FORECACHE_TRACES, default ../shared/data; .xz needs the program xz.
`

interface Options {
  readonly file: string | undefined
  readonly format: string
  readonly capacity: string | undefined
  readonly policy: string | undefined
  readonly bytes: boolean
  readonly all: boolean
  readonly json: boolean
}

/** Hit ratio in %. */
interface Ratio {
  readonly policy: string
  readonly hitRatio: number
}

/** @returns 0 when every figure is reached (or none is known), 1 when not, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args)
    if (options === undefined) return usage(process.stdout, 0)
    if (options.file === undefined) return runKnown(options.json)
    return runFile(options, options.file)
  } catch (error) {
    process.stderr.write(`trace: ${(error as Error).message}\n`)
    return 2
  }
}

function usage(out: NodeJS.WritableStream, code: number): number {
  out.write(HELP)
  return code
}

function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: { type: 'string' },
      format: { type: 'string', default: 'auto' },
      capacity: { type: 'string' },
      policy: { type: 'string' },
      bytes: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return { ...values, file: values.file, capacity: values.capacity, policy: values.policy }
}

function runFile(options: Options, file: string): number {
  const found = [file, join(directory(), file)].find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${file}: no such file, neither here nor in ${directory()}`)
  const trace = readTrace(found, parseFormat(options.format), options.all)
  const policies = options.policy === undefined ? POLICY_NAMES : options.policy.split(',').map(parsePolicy)
  const results = (options.capacity ?? '1%,10%').split(',').map((given) => {
    const capacity = parseCapacity(given, trace)
    return { capacity, ratios: options.bytes ? byBytes(trace, policies, capacity) : byEntries(trace, policies, capacity) }
  })
  const { format, distinct, skipped } = trace
  const requests = trace.ids.length
  if (options.json)
    print({ file: found, format, requests, distinct, skippedLines: skipped, unit: options.bytes ? 'bytes' : 'entries', results })
  else {
    process.stdout.write(
      `${describeMachine(machine())}\ntrace     ${found}: ${format}, ${requests} requests, ${distinct} distinct, ${skipped} lines skipped\n\n`,
    )
    const names = results[0]?.ratios.map((ratio) => ratio.policy) ?? []
    const rows = results.map((result) => [`@ ${result.capacity}`, ...result.ratios.map((ratio) => ratio.hitRatio.toFixed(2))])
    process.stdout.write(`${columns([['hit ratio, %', ...names], ...rows])}\n`)
  }
  return 0
}

function byEntries(trace: Trace, policies: readonly PolicyName[], capacity: number): Ratio[] {
  const share = (hits: number): number => (100 * hits) / trace.ids.length
  const ratios = policies.map((policy) => ({
    policy,
    hitRatio: share(
      policy === POLICY_NAMES[0] ? simulateMemory(trace, policy, capacity) : simulatePolicy(trace, policy, capacity),
    ),
  }))
  return [...ratios, { policy: 'optimum', hitRatio: share(simulateOptimum(trace, capacity)) }]
}

function byBytes(trace: Trace, policies: readonly PolicyName[], capacity: number): Ratio[] {
  return policies.flatMap((policy) => {
    const { hits, hitBytes, bytes } = simulateBytes(trace, policy, capacity)
    return [
      { policy, hitRatio: (100 * hits) / trace.ids.length },
      { policy: `${policy} (bytes)`, hitRatio: (100 * hitBytes) / bytes },
    ]
  })
}

function runKnown(json: boolean): number {
  const traces = new Map<string, Trace>()
  const rows = KNOWN.filter((known) => existsSync(join(directory(), known.file)))
  if (rows.length === 0) {
    process.stderr.write(`trace: no known trace in ${directory()}; set FORECACHE_TRACES or give --file\n`)
    return 1
  }
  const results = rows.map((known) => {
    const trace = traces.get(known.file) ?? readTrace(join(directory(), known.file))
    traces.set(known.file, trace)
    const ratios = byEntries(trace, POLICY_NAMES, known.capacity)
    return { known, ratios, misses: missed(known, ratios) }
  })
  const reached = results.every((result) => result.misses.length === 0)
  if (json) print({ machine: machine(), reached, results })
  else {
    process.stdout.write(
      `${describeMachine(machine())}\nmethod    capacity in entries, unit weights; (published figure); the default runs inside the in-memory tier\n\n`,
    )
    const head = [
      'trace @ capacity',
      'lru',
      '',
      'sieve',
      '',
      's3-fifo-published',
      '',
      'w-tinylfu',
      'w-tinylfu-20',
      's3-fifo (default)',
      '',
      'optimum',
      '',
    ]
    process.stdout.write(`${columns([head, ...results.map(({ known, ratios }) => line(known, ratios))])}\n\n`)
    for (const { known, misses } of results)
      for (const miss of misses) process.stdout.write(`NOT REACHED ${known.trace} @ ${known.capacity}: ${miss}\n`)
    process.stdout.write(
      reached ? 'all figures reached: published modes within 0.1 point, default at least best found - 0.5\n' : '',
    )
  }
  return reached ? 0 : 1
}

function line(known: KnownRow, ratios: readonly Ratio[]): string[] {
  const of = (policy: string): string => ratioOf(ratios, policy).toFixed(2)
  return [
    `${known.trace} @ ${known.capacity}`,
    of('lru'),
    `(${known.lru})`,
    of('sieve'),
    `(${known.sieve})`,
    of('s3-fifo-published'),
    `(${known.s3Fifo})`,
    of('w-tinylfu'),
    of('w-tinylfu-20'),
    of('s3-fifo'),
    `(best ${known.best})`,
    of('optimum'),
    `(${known.optimum})`,
  ]
}

function missed(known: KnownRow, ratios: readonly Ratio[]): string[] {
  const published: readonly (readonly [string, number])[] = [
    ['lru', known.lru],
    ['sieve', known.sieve],
    ['s3-fifo-published', known.s3Fifo],
    ['optimum', known.optimum],
  ]
  const misses = published
    .filter(([policy, figure]) => Math.abs(ratioOf(ratios, policy) - figure) > TOLERANCE.published)
    .map(([policy, figure]) => `${policy} ${ratioOf(ratios, policy).toFixed(2)}, published ${figure}`)
  const own = ratioOf(ratios, 's3-fifo')
  return own >= known.best - TOLERANCE.best ? misses : [...misses, `default ${own.toFixed(2)}, best found ${known.best}`]
}

function ratioOf(ratios: readonly Ratio[], policy: string): number {
  return ratios.find((ratio) => ratio.policy === policy)?.hitRatio ?? Number.NaN
}

function parsePolicy(given: string): PolicyName {
  if (isPolicyName(given)) return given
  throw new Error(`--policy ${given}: known: ${POLICY_NAMES.join(', ')}`)
}

function parseCapacity(given: string, trace: Trace): number {
  const share = given.endsWith('%')
  const number = Number(share ? given.slice(0, -1) : given)
  const capacity = Math.floor(share ? (trace.distinct * number) / 100 : number)
  if (!Number.isSafeInteger(capacity) || !(number > 0))
    throw new Error(`--capacity ${given}: expected a whole number above 0, or a share such as 10%`)
  return Math.max(1, capacity)
}

function directory(): string {
  return resolve(process.env['FORECACHE_TRACES'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data'))
}

function print(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
}
