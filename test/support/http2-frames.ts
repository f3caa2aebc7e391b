/**
 * HTTP/2 frame by frame: a client and a server that send what no library would, and see what is really sent.
 *
 * Fields are written as HPACK literals without index or Huffman code, so any byte can be sent; of fields that come only an
 * indexed :status is read.
 *
 * @see RFC 9113 sections 4 (frames) and 6 (their types), RFC 7541 sections 6.1 and 6.2.2
 */
import { type AddressInfo, connect as connectPlain, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { setTimeout as pause } from 'node:timers/promises'

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const
export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4 } as const

/** A frame that came. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** One field as it is written, whatever it holds. */
export type Line = readonly [name: string, value: string]

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const STATUS: Readonly<Record<number, number>> = { 0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500 }

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Fields as literals. */
export function block(lines: readonly Line[]): Buffer {
  return Buffer.concat(lines.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

function text(given: string): Buffer {
  const bytes = Buffer.from(given, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const groups = [127]
  let left = bytes.length - 127
  for (; left >= 128; left >>= 7) groups.push((left & 127) | 128)
  return Buffer.concat([Buffer.from([...groups, left]), bytes])
}

/** A 32-bit number as a payload: error codes, windows. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** One setting. */
export function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([id >> 8, id & 0xff]), word(value)])
}

/** One side of a connection. */
export class FramePeer {
  readonly frames: Frame[] = []
  readonly socket: Socket
  closed = false
  #read = Buffer.alloc(0) as Buffer
  #skip: number

  /** @param skip bytes before the first frame: a server reads the preface */
  constructor(socket: Socket, skip = 0) {
    this.socket = socket
    this.#skip = skip
    socket.on('error', () => {}).on('close', () => (this.closed = true))
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  send(...frames: readonly Buffer[]): this {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames))
    return this
  }

  /** A request (or an answer) whose fields fit into one frame. */
  headers(stream: number, lines: readonly Line[], flags: number = FLAG.END_STREAM | FLAG.END_HEADERS): this {
    return this.send(frame(TYPE.HEADERS, flags, stream, block(lines)))
  }

  /** The first frame of this kind, as soon as there is one. */
  async awaited(holds: (one: Frame) => boolean, what: string, withinMs = 5000): Promise<Frame> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const found = this.frames.find(holds)
      if (found !== undefined) return found
      if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}; came: ${this.seen()}`)
      if (this.closed) throw new Error(`closed before: ${what}; came: ${this.seen()}`)
      await pause(5)
    }
  }

  /** The status of a stream's answer, where it stands in the static table; 0 for any other. */
  async status(stream: number): Promise<number> {
    const { payload } = await this.awaited((one) => one.type === TYPE.HEADERS && one.stream === stream, `an answer on ${stream}`)
    return STATUS[payload[0] as number] ?? 0
  }

  /** The code that a stream was reset with. */
  async reset(stream: number): Promise<number> {
    const found = await this.awaited((one) => one.type === TYPE.RST_STREAM && one.stream === stream, `a reset of ${stream}`)
    return found.payload.readUInt32BE(0)
  }

  /** The code that the connection is ended with. */
  async goaway(withinMs = 5000): Promise<number> {
    const found = await this.awaited((one) => one.type === TYPE.GOAWAY, 'GOAWAY', withinMs)
    return found.payload.readUInt32BE(4)
  }

  async end(withinMs = 5000): Promise<void> {
    const deadline = Date.now() + withinMs
    while (!this.closed) {
      if (Date.now() > deadline) throw new Error(`still open after ${withinMs} ms; came: ${this.seen()}`)
      await pause(5)
    }
  }

  /** Everything that came, in short. */
  seen(): string {
    return this.frames.map(({ type, flags, stream, payload }) => `${type}/${flags}@${stream}(${payload.length})`).join(' ')
  }

  destroy(): void {
    this.socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#read = Buffer.concat([this.#read, chunk])
    if (this.#read.length < this.#skip) return
    this.#read = this.#read.subarray(this.#skip)
    this.#skip = 0
    while (this.#read.length >= 9) {
      const length = this.#read.readUIntBE(0, 3)
      if (this.#read.length < 9 + length) return
      const [type = 0, flags = 0] = this.#read.subarray(3, 5)
      const one = { type, flags, stream: this.#read.readUInt32BE(5), payload: Buffer.from(this.#read.subarray(9, 9 + length)) }
      this.#read = this.#read.subarray(9 + length)
      this.frames.push(one)
      if (type === TYPE.SETTINGS && (flags & FLAG.ACK) === 0) this.send(frame(TYPE.SETTINGS, FLAG.ACK, 0))
    }
  }
}

/** Opens a connection as a client; under TLS where an authority is given. */
export async function openFrames(port: number, ca?: string, settings: Buffer = Buffer.alloc(0)): Promise<FramePeer> {
  const socket =
    ca === undefined
      ? connectPlain({ port, host: '127.0.0.1' })
      : connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: ['h2'] })
  const peer = new FramePeer(socket)
  await new Promise((resolve) => socket.once(ca === undefined ? 'connect' : 'secureConnect', resolve))
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(TYPE.SETTINGS, 0, 0, settings)]))
  return peer
}

/** A server that plays each connection by hand, under TLS. */
export async function serveFrames(
  pair: { readonly cert: string; readonly key: string },
  play: (peer: FramePeer) => void,
): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const server: Server = createTlsServer({ ...pair, ALPNProtocols: ['h2'] }, (socket) => {
    sockets.add(socket)
    const peer = new FramePeer(socket, PREFACE.length)
    peer.send(frame(TYPE.SETTINGS, 0, 0))
    play(peer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
