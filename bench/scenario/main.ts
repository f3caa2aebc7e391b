/**
 * Question   what does caching whole responses bring over caching rows in Redis, and over nothing?
 * Method     the demo shop on PGlite, each variant a process of its own with the same rows; the same seeded requests from
 *            closed-loop clients; rounds interleaved, so that all see the same machine; figures are medians of rounds,
 *            ratios medians of the rounds' ratios; CPU is user and system time of every process of the variant
 * Left out   writes and invalidation, a network between the processes, several instances, a real Postgres (PGlite is one
 *            connection, so slow statements queue); the load generator shares the machine
 */
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { renderTable, showMs, showShare } from '../../src/cli/io.ts'
import { createPlan, type Plan } from './plan.ts'
import { measureRounds, summarize, type VariantSummary } from './rounds.ts'

const HELP = `npm run bench -- scenario [--rounds 5] [--seconds 3] [--clients 16] [--json]
needs redis-server in PATH; takes about (rounds × 5 variants × seconds) + 40 s`

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      clients: { type: 'string', default: '16' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const wish = { rounds: Number(values.rounds), seconds: Number(values.seconds), clients: Number(values.clients) }
  if (!Object.values(wish).every((value) => value > 0)) {
    console.error(HELP)
    return 2
  }
  const plan = await createPlan()
  try {
    const summaries = summarize(await measureRounds(plan.variants, wish))
    const machine = describeMachine(plan)
    console.log(
      values.json ? JSON.stringify({ machine, ...wish, variants: summaries }) : describe(summaries, { machine, ...wish }),
    )
    return 0
  } finally {
    await plan.stop()
  }
}

interface Circumstances {
  readonly machine: Readonly<Record<string, string>>
  readonly rounds: number
  readonly seconds: number
  readonly clients: number
}

function describeMachine(plan: Plan): Record<string, string> {
  const [cpu] = cpus()
  return {
    cpu: `${cpus().length} × ${cpu?.model ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `${process.platform} ${release()}`,
    node: process.version,
    redis: plan.redisVersion,
    ...plan.versions,
  }
}

function describe(summaries: readonly VariantSummary[], { machine, rounds, seconds, clients }: Circumstances): string {
  const head = ['variant', 'req/s', 'p50', 'p95', 'p99', 'CPU/request', 'from cache', 'p50 ÷ uncached', 'p95 ÷ uncached']
  const all = summaries.map((one) => [
    one.name,
    one.perSecond.toFixed(0),
    showMs(one.p50),
    showMs(one.p95),
    showMs(one.p99),
    one.cpuMicros === null ? '–' : `${one.cpuMicros.toFixed(0)} µs`,
    one.cachedShare === null ? '–' : showShare(one.cachedShare),
    ...ratios(one),
  ])
  const dashboard = summaries.map((one) => [
    one.name,
    showMs(one.dashboard.p50),
    showMs(one.dashboard.p95),
    showMs(one.dashboard.p99),
  ])
  return [
    `${rounds} rounds × ${seconds} s, ${clients} clients, closed loop; medians of rounds`,
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    '',
    'All requests (products, quotes, lists, dashboards, profiles)',
    '',
    renderTable([head, ...all]),
    '',
    'GET /api/v1/dashboard alone',
    '',
    renderTable([['variant', 'p50', 'p95', 'p99'], ...dashboard]),
    '',
    headerOf(fileURLToPath(import.meta.url)),
  ].join('\n')
}

function ratios({ p50Ratio, p95Ratio }: VariantSummary): string[] {
  return [p50Ratio, p95Ratio].map((ratio) => `${ratio.toFixed(ratio < 0.1 ? 3 : 2)} ×`)
}

function headerOf(file: string): string {
  return [
    `method and what is left out: the header of ${file.split('/').slice(-3).join('/')}`,
    'no writes, no network in between, one instance, PGlite instead of a Postgres server, generator on the same machine',
  ].join('\n')
}
