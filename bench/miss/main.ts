/**
 * Question   what does forecache add to a request that it has to ask the origin for?
 * Method     the gateway, and a proxy that is nothing but `node:http` and an undici pool, both pinned to core 0; wrk and a
 *            cheap origin on raw sockets share core 1. Every URL is new, so every request misses and is stored. Rounds
 *            go over both in turn; CPU is user and system time of the server's process per request, from /proc; the
 *            difference and the ratio are taken round by round, their medians quoted. Garbage collection and eviction
 *            are part of it: the store is full after the first rounds
 * Left out   what the origin costs, a network, bodies that stream, answers that are not stored
 */
import { parseArgs } from 'node:util'
import { atMost, columns, describeMachine, type Goal, machine } from '../compare.ts'
import { ask, originCount } from '../load/check.ts'
import { startChild, startGateway } from '../load/node-servers.ts'
import type { PeerServer } from '../load/peer.ts'
import { describeGoals, median } from '../load/report.ts'
import { runWrk } from '../load/wrk.ts'
import { contentOf } from '../rig/content.ts'
import { CLIENT_CORE, cpuMicros } from '../rig/pinned.ts'
import { describeLoad, keepResult } from '../rig/results.ts'

const HELP = `npm run bench -- miss [--rounds 5] [--seconds 3] [--memory 256MiB] [--quick] [--out folder] [--json]
  --profile FILE  one round, the gateway's CPU profile written to this folder
`
const BODY_BYTES = 1024
const CONNECTIONS = [16, 64]
/** CPU that a miss may cost above the bare proxy, µs. */
const LIMIT_US = 60
/** So many that random ones practically never meet again. */
const KEYS = 2 ** 31 - 1

interface Sample {
  readonly cpuUs: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Requests that reached the origin, of all. */
  readonly missed: number
}

interface Row {
  readonly connections: number
  readonly name: string
  readonly samples: Sample[]
}

/** @returns 0 when the limit is kept, 1 when not, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      memory: { type: 'string', default: '256MiB' },
      profile: { type: 'string' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds ?? (values.quick || values.profile !== undefined ? 1 : 5))
  const seconds = Number(values.seconds ?? (values.quick ? 1 : 3))
  if (values.help || !(rounds >= 1) || !(seconds >= 1)) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 2
  }
  const before = describeLoad()
  const flags = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]
  const rows = await measure({ rounds, seconds, memory: values.memory, flags })
  const goals = goalsOf(rows)
  const at = machine(['undici'])
  const text = [
    describeMachine(at),
    before,
    `method     servers on core 0, wrk and origin on core ${CLIENT_CORE}; ${rounds} rounds × ${seconds} s in turn; every URL new; see bench/miss/main.ts`,
    '',
    table(rows),
    '',
    describeGoals(goals),
    '',
  ].join('\n')
  const data = { machine: at, load: before, rounds, seconds, memory: values.memory, rows, goals }
  const path = keepResult('miss', { text, data }, values.out)
  process.stdout.write(values.json ? `${JSON.stringify(data, null, 2)}\n` : `${text}\nkept in ${path}\n`)
  return goals.every((goal) => goal.isMet) ? 0 : 1
}

interface Wish {
  readonly rounds: number
  readonly seconds: number
  readonly memory: string
  /** Of the gateway's Node. */
  readonly flags: readonly string[]
}

async function measure({ rounds, seconds, memory, flags }: Wish): Promise<Row[]> {
  const origin = await startChild('origin', CLIENT_CORE)
  const servers: (readonly [name: string, server: PeerServer])[] = []
  try {
    servers.push(['bare proxy', await startChild('undici', undefined, origin.port)])
    servers.push(['forecache', await startGateway(origin.port, { flags, memory })])
    for (const [name, server] of servers) await warm(name, server)
    const rows: Row[] = []
    for (const connections of CONNECTIONS) {
      const own = servers.map(([name]) => ({ connections, name, samples: [] as Sample[] }))
      for (let round = 0; round < rounds; round += 1) {
        for (const [index, [, server]] of servers.entries()) {
          own[index]?.samples.push(await sample(server, { originPort: origin.port, connections, seconds }))
        }
      }
      rows.push(...own)
    }
    return rows
  } finally {
    await Promise.all([...servers.map(([, server]) => server.process.stop()), origin.process.stop()])
  }
}

/** Two seconds of load, and a look at one answer. */
async function warm(name: string, server: PeerServer): Promise<void> {
  await load(server, 64, 2)
  const path = `/${BODY_BYTES}/-${Date.now()}`
  const answer = await ask(server.port, path)
  if (answer.body.toString('latin1') !== contentOf(path)) throw new Error(`${name} answered other bytes than the origin`)
}

async function sample(
  server: PeerServer,
  { originPort, connections, seconds }: { originPort: number; connections: number; seconds: number },
): Promise<Sample> {
  const asked = await originCount(originPort)
  const before = cpuMicros(server.process.pid)
  const { requests, micros, p50, p99, failed } = await load(server, connections, seconds)
  const cpuUs = (cpuMicros(server.process.pid) - before) / requests
  if (failed > 0) throw new Error(`${failed} requests failed`)
  const missed = ((await originCount(originPort)) - asked) / requests
  return { cpuUs, perSecond: (requests / micros) * 1e6, p50, p99, missed }
}

function load(server: PeerServer, connections: number, seconds: number): ReturnType<typeof runWrk> {
  const prefix = `/${BODY_BYTES}/`
  return runWrk({
    port: server.port,
    prefix,
    keys: KEYS,
    connections,
    pipelined: 1,
    seconds,
    headers: [],
    seed: Date.now() % 2 ** 31,
  })
}

function addedUs(rows: readonly Row[], connections: number): number {
  const [bare, ours] = rows.filter((row) => row.connections === connections)
  return median((ours?.samples ?? []).map((sample, round) => sample.cpuUs - (bare?.samples[round]?.cpuUs ?? Number.NaN)))
}

function goalsOf(rows: readonly Row[]): Goal[] {
  return CONNECTIONS.map((connections) =>
    atMost(`CPU µs a miss adds, ${connections} connections`, addedUs(rows, connections), LIMIT_US),
  )
}

function table(rows: readonly Row[]): string {
  const shown = rows.map(({ connections, name, samples }) => {
    const cpu = samples.map((one) => one.cpuUs)
    const of = (pick: (one: Sample) => number): string => median(samples.map(pick)).toFixed(0)
    const added = name === 'forecache' ? addedUs(rows, connections).toFixed(1) : ''
    const missed = `${(median(samples.map((one) => one.missed)) * 100).toFixed(1)} %`
    const range = `${Math.min(...cpu).toFixed(1)}..${Math.max(...cpu).toFixed(1)}`
    return [
      `${name}, ${connections} connections`,
      of((one) => one.perSecond),
      median(cpu).toFixed(1),
      range,
      added,
      ...[of((one) => one.p50), of((one) => one.p99), missed],
    ]
  })
  return columns([['server', 'requests/s', 'CPU µs', 'min..max', 'added µs', 'p50 µs', 'p99 µs', 'missed'], ...shown])
}
