/**
 * Question   what does a hit cost, beside nginx, Varnish, HAProxy and the servers of Node?
 * Method     every server pinned to core 0, wrk and the origin to core 1; all servers run all the time, rounds go over them
 *            in turn, so that all see the same machine. CPU is user and system time of a server's processes from /proc,
 *            divided by the requests that wrk counted; ratios are taken round by round, their median is quoted, as are
 *            medians of the rounds for all else. Before it is measured, each server is filled and warmed for a second,
 *            and its answer compared byte by byte and by what it says of its cache; the origin counts its requests, and
 *            one while hits are measured is reported. forecache runs with its default configuration
 * Left out   a network, TLS, several cores, connections made anew per request; peers' purging, tags and statistics.
 *            wrk is a closed loop: percentiles are those of a full server, for a given rate see `hold`. 64 connections
 *            fill core 0; work of the kernel for loopback counts for whoever's system call does it, the same for all
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine, machine } from '../compare.ts'
import { CLIENT_CORE } from '../rig/pinned.ts'
import { describeLoad, keepResult } from '../rig/results.ts'
import { TABLES } from './cells.ts'
import { install, type Program, versionOf } from './install.ts'
import { NGINX, NGINX_TUNED } from './nginx.ts'
import { FASTIFY, FORECACHE, FORECACHE_API, NODE_HTTP, RAW, startChild } from './node-servers.ts'
import type { Peer, PeerStart } from './peer.ts'
import { HAPROXY, VARNISH } from './proxies.ts'
import { describeCell, describeGoals, goalsOf, type MeasuredCell } from './report.ts'
import { measureCell, type Running, type RoundsWish } from './rounds.ts'

const PEERS: readonly Peer[] = [FORECACHE, FORECACHE_API, NGINX, NGINX_TUNED, VARNISH, HAPROXY, NODE_HTTP, FASTIFY, RAW]
const GENERATOR: readonly Program[] = [
  { command: 'wrk', package: 'wrk' },
  { command: 'taskset', package: 'util-linux' },
]

const HELP = `npm run bench -- load [--tables main,browser,keys,pipelined,compressed] [--only nginx,haproxy…] [--rounds 3] [--seconds 2]
  --tables  which; \`goals\` is 1 KB over 64 connections alone, bare and with a browser's headers
  --only    servers whose name contains one of these words; forecache is always there
  --cookie  browser headers with a cookie: Varnish then caches nothing
  --quick   one round of one second of \`goals\`
  --out     folder of the results; default bench/results
  --json    prints JSON instead of text
Linux, two cores at least. Installs what is missing where it may (root and apt-get).
`

/** @returns 0 when every limit is kept, 1 when not or nothing could be measured, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tables: { type: 'string' },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      cookie: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const tables = (values.tables ?? (values.quick ? 'goals' : 'main,browser,keys,pipelined,compressed')).split(',')
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
  const seconds = Number(values.seconds ?? (values.quick ? 1 : 2))
  const isWrong = tables.some((name) => TABLES[name] === undefined) || !(rounds >= 1) || !(seconds >= 1)
  if (values.help || isWrong) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 2
  }
  const words = values.only.split(',')
  const peers = PEERS.filter((peer) => peer === FORECACHE || words.some((word) => peer.name.includes(word)))
  const result = await compare(peers, tables, { rounds, seconds, cookie: values.cookie })
  if (result === undefined) return 1
  const path = keepResult('load', { text: result.text, data: result.data }, values.out)
  process.stdout.write(values.json ? `${JSON.stringify(result.data, null, 2)}\n` : `${result.text}\nkept in ${path}\n`)
  return result.data.goals.every((goal) => goal.isMet) ? 0 : 1
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function compare(peers: readonly Peer[], tables: readonly string[], wish: RoundsWish) {
  const before = describeLoad()
  const missing = await install([...GENERATOR, ...peers.flatMap((peer) => peer.needs ?? [])], say)
  const lacking = GENERATOR.find((one) => missing.includes(one))
  if (process.platform !== 'linux' || lacking !== undefined) {
    say(`nothing can be measured: ${lacking === undefined ? 'this is not Linux' : `${lacking.command} is missing`}`)
    return undefined
  }
  const present = peers.filter((peer) => !missing.some((one) => one.command === peer.needs?.command))
  const programs = new Map([...GENERATOR, ...present.flatMap((peer) => peer.needs ?? [])].map((one) => [one.command, one]))
  const versions = await Promise.all([...programs.values()].map(versionOf))
  const cells = await measureTables(present, tables, wish)
  const goals = goalsOf(cells)
  const at = machine(['fastify'])
  const leftOut = peers.filter((peer) => !present.includes(peer)).map((peer) => peer.name)
  const text = [
    `${describeMachine(at)}, ${versions.filter((one) => one !== '').join(', ')}`,
    before,
    `method     servers on core 0, wrk on core ${CLIENT_CORE}; ${wish.rounds} rounds × ${wish.seconds} s, servers in turn; medians; see bench/load/main.ts`,
    ...(leftOut.length === 0 ? [] : [`left out   ${leftOut.join(', ')}: not installed`]),
    '',
    ...cells.map(describeCell),
    describeGoals(goals),
    '',
  ].join('\n')
  return { text, data: { machine: at, versions, load: before, ...wish, leftOut, cells, goals } }
}

async function measureTables(peers: readonly Peer[], tables: readonly string[], wish: RoundsWish): Promise<MeasuredCell[]> {
  const directory = mkdtempSync(join(tmpdir(), 'forecache-bench-'))
  const memory = memoryDirectory() ?? directory
  const sweep = (): void => [directory, memory].forEach((path) => rmSync(path, { recursive: true, force: true }))
  process.once('exit', sweep) // also when interrupted
  const origin = await startChild('origin', CLIENT_CORE)
  const running: Running[] = []
  const measured: MeasuredCell[] = []
  try {
    for (const peer of peers) {
      const server = await startPeer(peer, { originPort: origin.port, directory, memory })
      if (server !== undefined) running.push({ peer, server })
    }
    for (const table of tables) {
      for (const cell of TABLES[table] ?? []) {
        say(`${table}: ${cell.name}`)
        measured.push({ table, cell, rows: await measureCell(cell, running, { originPort: origin.port, wish, say }) })
      }
    }
    return measured
  } finally {
    await Promise.all([...running.map(({ server }) => server.process.stop()), origin.process.stop()])
    sweep()
  }
}

/** A directory in memory; undefined where the system has none. */
function memoryDirectory(): string | undefined {
  try {
    mkdirSync('/dev/shm', { recursive: true })
    return mkdtempSync('/dev/shm/forecache-bench-')
  } catch {
    return undefined
  }
}

async function startPeer(peer: Peer, given: PeerStart): Promise<Running['server'] | undefined> {
  try {
    return await peer.start(given)
  } catch (error) {
    say(`left out: ${(error as Error).message}`)
    return undefined
  }
}
