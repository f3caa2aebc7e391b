/**
 * The embedded mode on a socket of its own: frames requests, runs them, writes what they answer. Nothing of the gateway.
 */
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { Embedded, type EmbeddedOptions } from '../../src/resp/embedded.ts'
import { type ExecutorPeer, OUTCOME, type ReplySink } from '../../src/resp/executor.ts'
import { BROKEN, REQUEST, REQUEST_LIMITS, RequestScanner } from '../../src/wire/resp-request.ts'
import { ReplyWriter } from '../../src/wire/resp-write.ts'

const HOST = '127.0.0.1'

export interface EmbeddedHere {
  readonly port: number
  readonly url: string
  readonly embedded: Embedded
  stop(): Promise<void>
}

export async function startEmbedded(options: EmbeddedOptions = {}, port = 0): Promise<EmbeddedHere> {
  const embedded = new Embedded(options)
  const sockets = new Set<Socket>()
  let ids = 0
  const server: NetServer = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    ids += 1
    attend(embedded, socket, ids)
  })
  await new Promise<void>((resolve) => server.listen(port, HOST, resolve))
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port: bound,
    url: `redis://${HOST}:${bound}`,
    embedded,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      embedded.close()
    },
  }
}

function attend(embedded: Embedded, socket: Socket, id: number): void {
  socket.setNoDelay(true)
  const scanner = new RequestScanner({ ...REQUEST_LIMITS, largeBytes: REQUEST_LIMITS.maxBulkBytes }, true)
  const writer = new ReplyWriter()
  const sink: ReplySink = {
    put: (bytes, start, end) => void writer.put(bytes, start, end),
    text: (line) => void writer.text(line),
  }
  const waiting: Buffer[] = []
  let isParked = false
  let isOver = false
  const peer: ExecutorPeer = {
    id,
    address: `${socket.remoteAddress}:${socket.remotePort}`,
    localAddress: `${socket.localAddress}:${socket.localPort}`,
    since: Date.now(),
    outputBytes: 0,
    send: (bytes) => void socket.write(Buffer.from(bytes)),
    resume: () => {
      isParked = false
      setImmediate(go)
    },
    setClass: () => undefined,
    close: (how) => (how === 'now' ? socket.destroy() : socket.end()),
    login: () => undefined,
  }
  const session = embedded.open(peer)
  const drain = (now: number): void => {
    for (;;) {
      const step = scanner.next()
      if (step === BROKEN) {
        writer.text(scanner.faultText)
        isOver = true
        return
      }
      if (step !== REQUEST) return
      const outcome = session.run(scanner, sink, now)
      if (outcome === OUTCOME.parked) isParked = true
      if (outcome === OUTCOME.close) isOver = true
      if (isParked || isOver) return
    }
  }
  const go = (): void => {
    const now = performance.now()
    if (!isParked && !isOver) drain(now)
    while (!isParked && !isOver && waiting.length > 0) {
      scanner.push(waiting.shift() as Buffer)
      drain(now)
    }
    if (writer.length > 0) socket.write(Buffer.from(writer.take()))
    if (isOver) socket.end()
  }
  socket.on('data', (chunk: Buffer) => {
    waiting.push(chunk)
    go()
  })
  socket.on('error', () => undefined)
  socket.once('close', () => session.close())
}
