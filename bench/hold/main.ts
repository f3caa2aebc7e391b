/**
 * Question   how much of a core does a fixed rate of hits take, and how late are its answers?
 * Method     an open loop: 10,000 requests a second over 64 connections for a minute, evenly spaced, sent when they are due
 *            whether or not former ones were answered; latency counts from when a request was due. The gateway, default
 *            configuration, is pinned to core 0, the generator to core 1; the first three seconds only warm. CPU is user
 *            and system time of the gateway's process from /proc. `node:http` with the same answers runs in turn after it
 * Left out   a network; arrivals in bursts
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { atMost, columns, describeMachine, machine } from '../compare.ts'
import { ask, originCount } from '../load/check.ts'
import { startChild, startGateway } from '../load/node-servers.ts'
import type { PeerServer } from '../load/peer.ts'
import { describeGoals } from '../load/report.ts'
import { CLIENT_CORE, cpuMicros, startPinned } from '../rig/pinned.ts'
import { describeLoad, keepResult } from '../rig/results.ts'

const HELP = `npm run bench -- hold [--rate 10000] [--seconds 60] [--connections 64] [--keys 1000] [--quick] [--out folder] [--json]
`
const SHARE = 0.25
const P99_MS = 2

interface Held {
  readonly name: string
  /** Of one core. */
  readonly share: number
  readonly cpuUs: number
  readonly answered: number
  readonly failed: number
  /** µs. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** Requests that reached the origin while it was measured. */
  readonly originRequests: number
}

interface Wish {
  readonly rate: number
  readonly seconds: number
  readonly connections: number
  readonly keys: number
}

/** @returns 0 when the limits are kept, 1 when not, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rate: { type: 'string', default: '10000' },
      seconds: { type: 'string' },
      connections: { type: 'string', default: '64' },
      keys: { type: 'string', default: '1000' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const wish: Wish = {
    rate: Number(values.rate),
    seconds: Number(values.seconds ?? (values.quick ? 3 : 60)),
    connections: Number(values.connections),
    keys: Number(values.keys),
  }
  if (values.help || !Object.values(wish).every((value) => value >= 1)) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 2
  }
  const before = describeLoad()
  const rows = await measure(wish)
  const [ours] = rows as [Held, ...Held[]]
  const goals = [
    atMost('share of the core', ours.share, SHARE),
    atMost('p99 ms', ours.p99 / 1000, P99_MS),
    atMost('requests failed, unanswered or not from the cache', ours.failed + ours.originRequests, 0),
  ]
  const at = machine()
  const text = [
    describeMachine(at),
    before,
    `method     open loop, ${wish.rate} requests/s × ${wish.seconds} s, ${wish.connections} connections, ${wish.keys} keys; see bench/hold/main.ts`,
    '',
    table(rows),
    '',
    describeGoals(goals),
    '',
  ].join('\n')
  const data = { machine: at, load: before, ...wish, rows, goals }
  const path = keepResult('hold', { text, data }, values.out)
  process.stdout.write(values.json ? `${JSON.stringify(data, null, 2)}\n` : `${text}\nkept in ${path}\n`)
  return goals.every((goal) => goal.isMet) ? 0 : 1
}

async function measure(wish: Wish): Promise<Held[]> {
  const origin = await startChild('origin', CLIENT_CORE)
  const servers: (readonly [name: string, server: PeerServer])[] = []
  try {
    servers.push(['forecache', await startGateway(origin.port)], ['node:http', await startChild('http')])
    const rows: Held[] = []
    for (const [name, server] of servers) {
      for (let key = 0; key < wish.keys; key += 1) await ask(server.port, `/1024/${key}`)
      rows.push({ name, ...(await hold(server, origin.port, wish)) })
    }
    return rows
  } finally {
    await Promise.all([...servers.map(([, server]) => server.process.stop()), origin.process.stop()])
  }
}

async function hold(server: PeerServer, originPort: number, wish: Wish): Promise<Omit<Held, 'name'>> {
  const script = join(import.meta.dirname, 'child.ts')
  const numbers = [server.port, wish.rate, wish.seconds, wish.connections, wish.keys].map(String)
  const generator = startPinned({
    name: 'generator',
    core: CLIENT_CORE,
    command: [process.execPath, script, ...numbers],
    deadlineMs: wish.seconds * 1000 + 30_000,
  })
  const asked = await originCount(originPort)
  await generator.line((line) => line.includes('measuring'))
  const before = cpuMicros(server.process.pid)
  const began = performance.now()
  const said = await generator.line((line) => line.includes('answered'))
  const cpu = cpuMicros(server.process.pid) - before
  const tookUs = (performance.now() - began) * 1000
  await generator.stop()
  const told = JSON.parse(said) as Omit<Held, 'name' | 'share' | 'cpuUs' | 'originRequests'>
  const originRequests = (await originCount(originPort)) - asked
  return { ...told, share: cpu / tookUs, cpuUs: cpu / told.answered, originRequests }
}

function table(rows: readonly Held[]): string {
  const shown = rows.map((row) => [
    row.name,
    `${(row.share * 100).toFixed(1)} %`,
    row.cpuUs.toFixed(1),
    ...[row.p50, row.p99, row.p999, row.max].map((us) => (us / 1000).toFixed(2)),
    String(row.answered),
    String(row.failed),
  ])
  return columns([['server', 'of the core', 'CPU µs', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'answered', 'failed'], ...shown])
}
