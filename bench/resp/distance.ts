/**
 * A way to a server that takes time: each chunk is held for so long before it is handed on, in both directions.
 *
 * Usage: node distance.ts PORT ONE_WAY_MS. Prints {"port":…} when it listens. It sleeps while it holds (timers are too coarse), so
 * it is for one exchange at a time.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const [port, oneWay] = process.argv.slice(2).map(Number) as [number, number]
const nothing = new Int32Array(new SharedArrayBuffer(4))

function hand(from: Socket, to: Socket): void {
  from.setNoDelay(true)
  from.on('data', (chunk: Buffer) => {
    Atomics.wait(nothing, 0, 0, oneWay)
    to.write(chunk)
  })
  from.on('error', () => undefined)
  from.once('close', () => to.destroy())
}

const server = createServer((client) => {
  const upstream = connect(port, '127.0.0.1')
  hand(client, upstream)
  hand(upstream, client)
})
process.on('SIGINT', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})
