/**
 * The cells of the comparison, and one measurement of one.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CLIENT_CORE, cpuMicros } from '../rig/pinned.ts'
import type { Peer } from './peers.ts'

const run = promisify(execFile)
const CONNECTIONS = 50
const KEYS = 10_000
/** Every key has been written once, but for one in e^30. */
const FILL = KEYS * 30
/** Operations of the first run, which tells how many make the wanted time. */
const PROBE = 40_000

export interface Cell {
  readonly command: 'get' | 'set'
  readonly inFlight: number
  readonly bytes: number
}

export const CELLS: readonly Cell[] = (['get', 'set'] as const).flatMap((command) =>
  [1, 16].flatMap((inFlight) => [64, 1024].map((bytes) => ({ command, inFlight, bytes }))),
)

export function nameOf({ command, inFlight, bytes }: Cell): string {
  return `${command.toUpperCase()} ${bytes} B, -P ${inFlight}`
}

/** Writes every key, and reads them so that a front knows them. */
export async function fill(cell: Cell, peer: Peer): Promise<void> {
  await load({ ...cell, command: 'set', inFlight: 16 }, peer.fillPort, FILL)
  await load({ ...cell, command: 'get', inFlight: 16 }, peer.port, FILL)
}

/** @returns CPU µs per operation of the peer's process */
export async function measure(cell: Cell, peer: Peer, seconds: number): Promise<number> {
  const perSecond = await load(cell, peer.port, PROBE)
  const operations = Math.max(PROBE, Math.round(perSecond * seconds))
  const before = cpuMicros(peer.pid)
  await load(cell, peer.port, operations)
  return (cpuMicros(peer.pid) - before) / operations
}

/** @returns operations per second */
async function load({ command, inFlight, bytes }: Cell, port: number, operations: number): Promise<number> {
  const flags = { '-p': port, '-c': CONNECTIONS, '-P': inFlight, '-d': bytes, '-r': KEYS, '-n': operations }
  const given = Object.entries(flags).flatMap(([name, value]) => [name, String(value)])
  const { stdout } = await run('taskset', ['-c', String(CLIENT_CORE), 'redis-benchmark', '-t', command, '--csv', ...given])
  const perSecond = Number(/^"(?:GET|SET)","([\d.]+)"/m.exec(stdout)?.[1])
  if (!(perSecond > 0)) throw new Error(`redis-benchmark said no rate: ${stdout.slice(-400)}`)
  return perSecond
}
