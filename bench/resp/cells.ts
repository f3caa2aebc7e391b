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
/** Every key has been written and read, but for one in e^15. */
const FILL = KEYS * 15
/** Operations of the first run, which tells how many make the wanted time. */
const PROBE = 40_000

export interface Cell {
  readonly command: 'get' | 'set'
  readonly inFlight: number
  readonly bytes: number
}

/** Values of one length after the other, readings first: keys are written anew where the length changes. */
export const CELLS: readonly Cell[] = [64, 1024].flatMap((bytes) =>
  (['get', 'set'] as const).flatMap((command) => [1, 16].map((inFlight) => ({ command, inFlight, bytes }))),
)

export function nameOf({ command, inFlight, bytes }: Cell): string {
  return `${command.toUpperCase()} ${bytes} B, -P ${inFlight}`
}

/** Writes every key, and reads them so that a front knows them. */
export async function fill(bytes: number, peer: Peer): Promise<void> {
  await load({ command: 'set', inFlight: 16, bytes }, peer.port, FILL)
  await load({ command: 'get', inFlight: 16, bytes }, peer.port, FILL)
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
