/**
 * The servers compared: Redis, the floor, and the doors.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../test/support/server-process.ts'
import { type Pinned, SERVER_CORE, startPinned } from '../rig/pinned.ts'

/** A server that is ready. */
export interface Peer {
  readonly name: string
  readonly pid: number
  readonly port: number
  /** It answers GET from memory; SET is its upstream's. */
  readonly isFront: boolean
  stop(): Promise<void>
}

const ROOT = join(import.meta.dirname, '..', '..')
const MEMORY = '256MiB'

/** What may be named with --servers; Redis is always there. */
export const PEERS: Readonly<Record<string, (redisPort: number) => Promise<Peer>>> = {
  floor: async () => node('floor', [join(import.meta.dirname, 'child.ts')]),
  embedded: async () => node('embedded', serve()),
  front: startFront,
}

/** A front before the Redis of a port. */
export async function startFront(redisPort: number): Promise<Peer> {
  return { ...(await node('front', [...serve(), '--upstream', `redis://127.0.0.1:${redisPort}`])), isFront: true }
}

/** @returns Redis first */
export async function startPeers(names: readonly string[]): Promise<Peer[]> {
  const redis = await startRedis()
  const peers = [redis]
  try {
    for (const name of names) {
      const start = PEERS[name]
      if (start === undefined) throw new Error(`unknown server ${name}; known: ${Object.keys(PEERS).join(', ')}`)
      peers.push(await start(redis.port))
    }
  } catch (error) {
    for (const peer of peers) await peer.stop()
    throw error
  }
  return peers
}

/** A line for the result. */
export async function versionOf(): Promise<string> {
  const { stdout } = await promisify(execFile)('redis-server', ['--version'])
  return `against    ${stdout.trim()}`
}

function serve(): string[] {
  return [join(ROOT, 'bin/forecache.js'), 'serve', '--resp', '127.0.0.1:0', '--api', '127.0.0.1:0', '--memory', MEMORY]
}

async function startRedis(): Promise<Peer> {
  const port = await freePort()
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const pinned = startPinned({ name: 'redis', core: SERVER_CORE, command: ['redis-server', ...flags] })
  await pinned.takes(port)
  return peer(pinned, port)
}

async function node(name: string, command: readonly string[]): Promise<Peer> {
  const pinned = startPinned({ name, core: SERVER_CORE, command: [process.execPath, ...command] })
  const line = await pinned.line((text) => /"(?:port|resp)":/.test(text))
  const port = /"port":(\d+)/.exec(line) ?? /"resp":"?[^",]*?:(\d+)"?/.exec(line) ?? /"resp":(\d+)/.exec(line)
  return peer(pinned, Number(port?.[1]))
}

function peer(pinned: Pinned, port: number): Peer {
  return { name: pinned.name, pid: pinned.pid, port, isFront: false, stop: () => pinned.stop() }
}
