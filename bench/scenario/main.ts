/**
 * Question   what does caching whole responses bring over caching rows in Redis, and over nothing?
 * Method     the demo shop on PGlite, each variant a process of its own with the same rows and the same seeded requests;
 *            rounds interleaved, so that all see the same machine. Latency at one rate of arrivals for all (open loop,
 *            counted from when a request was due), all rounds together, ratios as medians of the rounds' ratios.
 *            Throughput and CPU as fast as closed-loop clients are answered, medians of rounds; CPU is user and system
 *            time of every process of the variant
 * Left out   writes and invalidation, a network between the processes, several instances, a real Postgres (PGlite is one
 *            connection, so slow statements queue); the load generator shares the machine
 */
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { renderTable, showMs, showShare } from '../../src/cli/io.ts'
import { createPlan, type Plan } from './plan.ts'
import { measureRounds, type RoundsWish, type VariantSummary } from './rounds.ts'

const HELP = `npm run bench -- scenario [--rounds 5] [--seconds 3] [--rate 50] [--clients 16] [--json]
needs redis-server in PATH; takes about (rounds × 5 variants × 2 × seconds) + 50 s`

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      rate: { type: 'string', default: '50' },
      clients: { type: 'string', default: '16' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const wish = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    rate: Number(values.rate),
    clients: Number(values.clients),
  }
  if (!Object.values(wish).every((value) => value > 0)) {
    console.error(HELP)
    return 2
  }
  const plan = await createPlan()
  try {
    const summaries = await measureRounds(plan.variants, wish)
    const machine = describeMachine(plan)
    console.log(
      values.json ? JSON.stringify({ machine, ...wish, variants: summaries }) : describe(summaries, { machine, ...wish }),
    )
    return 0
  } finally {
    await plan.stop()
  }
}

interface Circumstances extends RoundsWish {
  readonly machine: Readonly<Record<string, string>>
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

function describe(summaries: readonly VariantSummary[], { machine, rounds, seconds, rate, clients }: Circumstances): string {
  const latency = summaries.map(({ name, paced, faster, pacedDashboard }) => [
    name,
    showMs(paced.p50),
    showMs(paced.p95),
    showMs(paced.p99),
    ...[faster.p50, faster.p95, faster.p99].map((ratio) => `${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`),
    showMs(pacedDashboard.p50),
    showMs(pacedDashboard.p95),
  ])
  const work = summaries.map(({ name, perSecond, cpuMicros, cachedShare }) => [
    name,
    perSecond.toFixed(0),
    cpuMicros === null ? '–' : `${cpuMicros.toFixed(0)} µs`,
    cachedShare === null ? '–' : showShare(cachedShare),
  ])
  return [
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    `${rounds} rounds × ${seconds} s of each load; products, quotes, lists, dashboards, profiles`,
    '',
    `Latency at ${rate} requests/s, the same arrivals for all`,
    '',
    renderTable([['variant', 'p50', 'p95', 'p99', 'p50 faster', 'p95 faster', 'p99 faster', 'dashboard p50', 'p95'], ...latency]),
    '',
    `Throughput, ${clients} closed-loop clients`,
    '',
    renderTable([['variant', 'requests/s', 'CPU/request', 'from a cache of responses'], ...work]),
    '',
    'Left out: writes, a network in between, several instances, a Postgres server (PGlite is one connection).',
    'The generator shares the machine. Method: the header of bench/scenario/main.ts',
  ].join('\n')
}
