/**
 * Addresses of the demo: the wanted one, or a free one when it is taken.
 *
 * Floor 6, room cli. Between the probe and the real listen another process may still take the port; the process that
 * listens then says so itself.
 */
import { createServer } from 'node:net'

/** An address to listen on. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** @returns the wanted address, or port 0 (any free one) when somebody listens there */
export async function freeAddress(wanted: Address): Promise<Address> {
  if (wanted.port === 0 || (await isFree(wanted))) return wanted
  return { host: wanted.host, port: 0 }
}

function isFree({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}
