/**
 * The least a server of the Redis protocol can be that is made of the parts of this repository: GET and SET, nothing else.
 *
 * Usage: node child.ts. Prints {"port":…} when it listens. What a door costs beyond this is the door's own.
 */
import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { ByteKey, ByteSpan } from '../../src/shelf/byte-hash.ts'
import { ByteTable } from '../../src/shelf/byte-table.ts'
import { REQUEST_LIMITS } from '../../src/wire/resp-limits.ts'
import { BROKEN, NEEDS_MORE, REQUEST, RequestScanner } from '../../src/wire/resp-request.ts'
import { ReplyWriter } from '../../src/wire/resp-write.ts'

const seed = randomBytes(8)
const table = new ByteTable({
  maxBytes: 256 * 1024 * 1024,
  evicts: true,
  seed: [seed.readInt32LE(0), seed.readInt32LE(4)],
})
const key = new ByteKey()
const value = new ByteSpan()

function serve(socket: Socket): void {
  const scanner = new RequestScanner(REQUEST_LIMITS, true)
  const writer = new ReplyWriter()
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    scanner.push(chunk)
    let step = scanner.next()
    for (; step !== NEEDS_MORE && step !== BROKEN; step = scanner.next()) if (step === REQUEST) answer(scanner, writer)
    if (step === BROKEN) writer.text(scanner.faultText)
    if (writer.length > 0) {
      socket.write(writer.take())
      writer.settle(socket.writableLength === 0)
    }
    if (step === BROKEN) socket.end()
  })
}

function answer(request: RequestScanner, writer: ReplyWriter): void {
  const { bytes, starts, ends, count } = request
  const first = (bytes[starts[0] as number] as number) | 0x20
  if (first === 0x67 && count === 2) {
    key.set(bytes, starts[1] as number, ends[1] as number)
    const slot = table.find(key)
    if (slot < 0) return void writer.null()
    table.touch(slot)
    const found = table.value(slot)
    writer.put(found.bytes, found.start, found.end)
  } else if (first === 0x73 && count === 3) {
    key.set(bytes, starts[1] as number, ends[1] as number)
    value.set(bytes, (ends[1] as number) + 2, (ends[2] as number) + 2)
    table.put(key, value)
    writer.text('+OK\r\n')
  } else writer.error('ERR unknown command')
}

const server = createServer(serve)
process.on('SIGINT', () => process.exit(0))
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})
