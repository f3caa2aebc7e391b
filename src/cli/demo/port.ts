/**
 * Addresses of the demo: the wanted one, or a free one when it is taken.
 *
 * Floor 6, room cli. Between the probe and the real listen another process may still take the port; the process that
 * listens then says so itself.
 */
import { type AddressInfo, createServer } from 'node:net'

/** An address to listen on. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** @returns the wanted address, or one with a free port when that is 0 or somebody listens there */
export async function freeAddress(wanted: Address): Promise<Address> {
  const port = (await probe(wanted)) ?? (await probe({ host: wanted.host, port: 0 })) ?? 0
  return { host: wanted.host, port }
}

/** @returns the port listened on for a moment; undefined when that was refused */
function probe({ host, port }: Address): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, host, () => {
      const bound = (server.address() as AddressInfo).port
      server.close(() => resolve(bound))
    })
  })
}
