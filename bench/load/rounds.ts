/**
 * Rounds: every server in turn gets the same load, again and again, so that all see the same machine.
 */
import { contentOf } from '../rig/content.ts'
import { cpuMicros } from '../rig/pinned.ts'
import { type Cell, headersOf, pathOf } from './cells.ts'
import { check, type Checked, originCount } from './check.ts'
import type { Peer, PeerServer } from './peer.ts'
import { runWrk, type WrkResult } from './wrk.ts'

/** A server that runs. */
export interface Running {
  readonly peer: Peer
  readonly server: PeerServer
}

/** How much to measure. */
export interface RoundsWish {
  readonly rounds: number
  readonly seconds: number
  readonly cookie: boolean
}

/** One server in one round. */
export interface Sample {
  readonly perSecond: number
  /** User and system time of its processes per request, µs. */
  readonly cpuUs: number
  /** µs. */
  readonly p50: number
  readonly p99: number
  readonly failed: number
  /** Requests that reached the origin meanwhile: 0, or it was no cache that was measured. */
  readonly originRequests: number
}

/** One server over all rounds of a cell; `why`: it took no part. */
export interface Row {
  readonly name: string
  readonly checked?: Checked
  readonly why?: string
  readonly samples: readonly Sample[]
}

/** Bursts of reading all keys in order, until the origin is asked no more. */
const FILL_BURSTS = 30
const FILL_S = 4
const STORE_AT_ONCE = 32

/** All rows of a cell. */
export async function measureCell(
  cell: Cell,
  running: readonly Running[],
  { originPort, wish, say }: { originPort: number; wish: RoundsWish; say: (line: string) => void },
): Promise<Row[]> {
  const lines = headersOf(cell, wish.cookie)
  const rows: (Row & { samples: Sample[]; running: Running })[] = []
  for (const one of running) {
    const row = { name: one.peer.name, samples: [] as Sample[], running: one }
    try {
      rows.push({ ...row, checked: await prepare(cell, one, { originPort, lines, seconds: Math.min(1, wish.seconds) }) })
    } catch (error) {
      const why = (error as Error).message.trim().split('\n').at(-1) ?? ''
      say(`  left out: ${row.name}: ${why}`)
      rows.push({ ...row, why })
    }
  }
  for (let round = 0; round < wish.rounds; round += 1) {
    for (const row of rows) {
      if (row.why !== undefined) continue
      row.samples.push(await sample(cell, row.running, { originPort, lines, seconds: wish.seconds }))
    }
  }
  return rows.map(({ name, checked, why, samples }) => ({
    name,
    samples,
    ...(checked && { checked }),
    ...(why !== undefined && { why }),
  }))
}

interface Loading {
  readonly originPort: number
  readonly lines: readonly string[]
  readonly seconds: number
}

/** Fills and warms a server, and holds it to what it is to answer. */
async function prepare(cell: Cell, running: Running, loading: Loading): Promise<Checked> {
  const { peer, server } = running
  if (cell.keys > 1 && peer.oneKey === true) throw new Error(`${peer.name} has one key`)
  if (cell.compressed && peer.compresses !== true) throw new Error(`${peer.name} does not compress`)
  if (server.store !== undefined) await storeAll(cell, server.store, peer.name)
  else if (cell.keys > 1) await fill(cell, running, loading)
  await load(cell, server, loading)
  return check(peer, server, { cell, lines: loading.lines })
}

async function storeAll(cell: Cell, store: NonNullable<PeerServer['store']>, name: string): Promise<void> {
  for (let first = 0; first < cell.keys; first += STORE_AT_ONCE) {
    const keys = Array.from({ length: Math.min(STORE_AT_ONCE, cell.keys - first) }, (_, i) => first + i)
    const done = await Promise.all(keys.map((key) => store(`${cell.bodyBytes}-${key}`, contentOf(`/${cell.bodyBytes}/${key}`))))
    if (done.includes(false)) throw new Error(`${name} is not there`)
  }
}

/** Reads all keys in order until the origin is asked no more. */
async function fill(cell: Cell, { peer, server }: Running, loading: Loading): Promise<void> {
  for (let burst = 0; burst < FILL_BURSTS; burst += 1) {
    const before = await originCount(loading.originPort)
    await load(cell, server, { ...loading, seconds: FILL_S }, true)
    if ((await originCount(loading.originPort)) === before) return
  }
  throw new Error(`${peer.name} does not keep ${cell.keys} keys`)
}

async function sample(cell: Cell, { server }: Running, loading: Loading): Promise<Sample> {
  const asked = await originCount(loading.originPort)
  const before = cpuMicros(server.process.pid)
  const { requests, micros, failed, p50, p99 } = await load(cell, server, loading)
  const cpuUs = (cpuMicros(server.process.pid) - before) / requests
  const originRequests = (await originCount(loading.originPort)) - asked
  return { perSecond: (requests / micros) * 1e6, cpuUs, p50, p99, failed, originRequests }
}

function load(cell: Cell, server: PeerServer, { lines, seconds }: Loading, walk = false): Promise<WrkResult> {
  const { connections, keys, pipelined } = cell
  const prefix = pathOf(cell, server.prefix)
  return runWrk({ port: server.port, prefix, keys, connections, pipelined, seconds, headers: lines, walk })
}
