/**
 * The servers that run on Node: forecache's gateway and native cache API, and the plain ones beside them.
 *
 * forecache runs as `forecache serve` with its default configuration: metrics, tags, Cache-Status, statistics, all on;
 * only the limit of memory is raised, so that every server keeps all keys.
 */
import { join } from 'node:path'
import { SERVER_CORE, startPinned } from '../rig/pinned.ts'
import type { Peer, PeerServer } from './peer.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const CHILD = join(ROOT, 'bench', 'rig', 'child.ts')

/** A server of bench/rig/child.ts on a core. */
export async function startChild(kind: string, core = SERVER_CORE, originPort = 0): Promise<PeerServer> {
  const process_ = startPinned({ name: kind, core, command: [process.execPath, CHILD, kind, String(originPort)] })
  const { port } = JSON.parse(await process_.line((line) => line.startsWith('{'))) as { port: number }
  return { process: process_, port }
}

/** How the gateway is started. */
export interface GatewayWish {
  /** For Node. */
  readonly flags?: readonly string[]
  /** Default 2 GiB: every server keeps all keys. */
  readonly memory?: string
}

/** `forecache serve` on the servers' core. */
export async function startGateway(originPort: number, wish: GatewayWish = {}): Promise<PeerServer & { apiPort: number }> {
  const { flags = [], memory = '2GiB' } = wish
  const serve = ['serve', '--origin', `http://127.0.0.1:${originPort}`, '--listen', '127.0.0.1:0', '--api', '127.0.0.1:0']
  const process_ = startPinned({
    name: 'forecache',
    core: SERVER_CORE,
    command: [process.execPath, ...flags, join(ROOT, 'bin', 'forecache.js'), ...serve, '--memory', memory],
  })
  const ready = await process_.line((line) => line.includes('"ready"'))
  const { listen, api } = JSON.parse(ready) as { listen: string; api: string }
  return { process: process_, port: portOf(listen), apiPort: portOf(api) }
}

function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1])
}

export const FORECACHE: Peer = {
  name: 'forecache',
  hit: (fields) => fields.get('x-cache') === 'HIT',
  compresses: true,
  start: (given) => startGateway(given.originPort),
}

/** `GET /cache/:key` on the api port. */
export const FORECACHE_API: Peer = {
  name: 'forecache /cache',
  compresses: true,
  async start(given) {
    const { process: process_, apiPort: port } = await startGateway(given.originPort)
    const store = async (key: string, body: string): Promise<boolean> => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`http://127.0.0.1:${port}/cache/${key}?ttl=1h`, { method: 'PUT', body, headers })
      await answer.arrayBuffer()
      return answer.ok
    }
    return { process: process_, port, prefix: '/cache', store }
  },
}

export const NODE_HTTP: Peer = { name: 'node:http', start: () => startChild('http') }
export const FASTIFY: Peer = { name: 'fastify', start: () => startChild('fastify') }
export const RAW: Peer = { name: 'raw net (floor)', oneKey: true, start: () => startChild('raw') }
