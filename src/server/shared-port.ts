/**
 * How several processes share one port: each with a socket of its own where the system spreads connections over them
 * (SO_REUSEPORT), else one socket that the supervisor hands to all.
 *
 * Floor 5, room server. Found out by trying. An address in use elsewhere is refused here: a port that is shared could be
 * shared with a stranger.
 */
import cluster from 'node:cluster'
import { type AddressInfo, createServer, type ListenOptions } from 'node:net'
import type { ListenAddress, ListenWish } from './listener.ts'

/** @returns how workers listen there @throws what the system says of the address */
export async function sharedListen({ host, port }: ListenAddress): Promise<ListenWish> {
  const reusePort = await canReuse()
  // With sockets of their own the first worker takes a free port; one socket is known to all by its port.
  const known = reusePort && port === 0 ? 0 : await tryListen({ host, port })
  // Connections are taken by whichever worker is free first; round robin would pass each through the supervisor.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  return { host, port: known, reusePort }
}

async function canReuse(): Promise<boolean> {
  try {
    await tryListen({ host: '127.0.0.1', port: 0, reusePort: true })
    return true
  } catch {
    return false
  }
}

/** Listens for a moment. @returns the port */
function tryListen(options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(options, () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
