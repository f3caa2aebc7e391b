/**
 * Question   what does a GET that is answered from memory, and a SET, cost beside Redis itself?
 * Method     redis-benchmark, 50 connections, 1 and 16 commands in flight on each, values of 64 and 1024 bytes, 10,000 keys;
 *            each server alone on one core, the generator on the other; the servers take turns within every round; CPU µs
 *            (user and system) per operation from /proc, medians over the rounds, ratio to Redis = median of the rounds' ratios.
 *            Beside it: what one connection waits (latency.ts), and how long the embedded mode holds everybody up (stops.ts)
 * Left out   networks between machines, many cores, other commands (test/process compares their replies)
 */
import { parseArgs } from 'node:util'
import { columns, describeMachine, machine, percentiles } from '../compare.ts'
import { describeLoad, keepResult } from '../rig/results.ts'
import { type Cell, CELLS, fill, measure, nameOf } from './cells.ts'
import { measureLatency } from './latency.ts'
import { measureStops } from './stopped.ts'
import { type Peer, PEERS, startPeers, versionOf } from './peers.ts'

const HELP =
  'npm run bench -- resp [--rounds 5] [--seconds 2] [--servers floor,embedded,front] [--quick]\n' +
  '  [--parts cpu,latency,stops] [--keys 1000000] [--saved 550000]\n' +
  'needs redis-server and redis-benchmark (Debian: redis-server, redis-tools) and taskset\n'

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const options = {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    servers: { type: 'string', default: Object.keys(PEERS).join(',') },
    quick: { type: 'boolean' },
    parts: { type: 'string', default: 'cpu,latency,stops' },
    keys: { type: 'string' },
    saved: { type: 'string' },
    help: { type: 'boolean' },
  } as const
  const { values } = parseArgs({ args: [...args], options })
  if (values.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  const isQuick = values.quick === true
  const rounds = isQuick ? 1 : Number(values.rounds)
  const seconds = isQuick ? 0.1 : Number(values.seconds)
  const parts = values.parts.split(',')
  const before = describeLoad()
  const found: { readonly text: string; readonly data: object }[] = []
  const peers = await startPeers(parts.includes('cpu') ? values.servers.split(',') : [])
  try {
    if (parts.includes('cpu')) found.push(await compareAll(peers, { rounds, seconds }))
    if (parts.includes('latency')) found.push(await measureLatency(peers[0] as Peer, rounds))
  } finally {
    for (const peer of peers) await peer.stop()
  }
  if (parts.includes('stops')) {
    const [keys, saved] = isQuick ? [20_000, 5000] : [1_000_000, 550_000]
    found.push(await measureStops(Number(values.keys ?? keys), Number(values.saved ?? saved)))
  }
  const head = [describeMachine(machine()), await versionOf(), before].join('\n')
  const text = `${[head, ...found.map((one) => one.text)].join('\n\n')}\n`
  const data = { machine: machine(), ...Object.assign({}, ...found.map((one) => one.data)) }
  process.stdout.write(`${text}\nkept in ${keepResult('resp', { text, data })}\n`)
  return 0
}

async function compareAll(peers: readonly Peer[], effort: Effort): Promise<{ readonly text: string; readonly data: object }> {
  const rows: Row[] = []
  for (const cell of CELLS) rows.push(...(await compareIn(cell, peers, effort)))
  const head = ['CPU µs per operation', 'server', 'median', 'of Redis', 'least', 'most']
  const shown = rows.map(({ cell, name, micros, ratio }) => [
    cell,
    name,
    percentiles(micros).p50.toFixed(2),
    percentiles(ratio).p50.toFixed(2),
    Math.min(...ratio).toFixed(2),
    Math.max(...ratio).toFixed(2),
  ])
  return { text: columns([head, ...shown]), data: { rows } }
}

interface Effort {
  readonly rounds: number
  readonly seconds: number
}

interface Row {
  readonly cell: string
  readonly name: string
  readonly micros: readonly number[]
  readonly ratio: readonly number[]
}

async function compareIn(cell: Cell, peers: readonly Peer[], { rounds, seconds }: Effort): Promise<Row[]> {
  const able = peers.filter((peer) => !(peer.isFront && cell.command === 'set'))
  const all = able.map(() => [] as number[])
  if (cell.command === 'get') for (const peer of able) await fill(cell.bytes, peer)
  for (let round = 0; round < rounds; round += 1) {
    // Not always the same one first: what the machine does meanwhile shall meet all.
    const order = able.map((_, i) => (i + round) % able.length)
    for (const i of order) (all[i] as number[]).push(await measure(cell, able[i] as Peer, seconds))
  }
  const redis = all[0] as number[]
  return able.map((peer, i) => {
    const micros = all[i] as number[]
    return { cell: nameOf(cell), name: peer.name, micros, ratio: micros.map((one, round) => one / (redis[round] as number)) }
  })
}
