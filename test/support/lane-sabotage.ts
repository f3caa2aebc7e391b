/**
 * A gateway whose answers are spoilt on their way: what a comparison that is worth anything must notice.
 */
import { connect, createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Arm } from './lane-arm.ts'

/** Spoils what a gateway says on one connection; `ask` is what the client has sent so far. */
export type Spoiler = (said: string, asked: string) => string

/** Puts a spoiler before an arm. @returns the arm as it looks from before it, and what ends the spoiler */
export async function spoil(arm: Arm, spoiler: Spoiler): Promise<{ arm: Arm; end(): void }> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const gateway = connect({ port: arm.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    let asked = ''
    client.on('data', (data: Buffer) => {
      asked += data.toString('latin1')
      gateway.write(data)
    })
    gateway.on('data', (data: Buffer) => client.write(Buffer.from(spoiler(data.toString('latin1'), asked), 'latin1')))
    client.on('end', () => gateway.end()).on('error', () => gateway.destroy())
    gateway.on('end', () => client.end()).on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { arm: { ...arm, port: (server.address() as AddressInfo).port }, end: () => server.close() }
}
