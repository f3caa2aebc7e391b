/**
 * Replies of the Redis protocol as trees that keep their bytes, and connections that send requests in batches.
 */
import { connect, type Socket } from 'node:net'

/** One reply. */
export interface Frame {
  readonly type: string
  /** The line behind the type, or a bulk's content, as latin1. */
  readonly text: string
  /** Members; a map's keys and values in turn. undefined: no aggregate. */
  readonly members: readonly Frame[] | undefined
  readonly isNull: boolean
}

const AGGREGATES = '*%~>|'
const BULKS = '$=!'

/** A frame as text, every byte of it decided. */
export function textOfFrame({ type, text, members, isNull }: Frame): string {
  if (isNull) return `${type}${text}`
  if (members === undefined) return `${type}${JSON.stringify(text)}`
  return `${type}[${members.map(textOfFrame).join(', ')}]`
}

/** Splits bytes into frames. */
export class FrameReader {
  #bytes = Buffer.alloc(0)

  push(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
  }

  /** The next whole frame. */
  next(): Frame | undefined {
    const found = read(this.#bytes, 0)
    if (found === undefined) return undefined
    this.#bytes = this.#bytes.subarray(found.end)
    return found.frame
  }
}

function read(bytes: Buffer, start: number): { readonly frame: Frame; readonly end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const type = bytes.toString('latin1', start, start + 1)
  const text = bytes.toString('latin1', start + 1, lineEnd)
  let end = lineEnd + 2
  if (BULKS.includes(type)) {
    if (text === '-1') return { frame: { type, text, members: undefined, isNull: true }, end }
    const size = Number(text)
    if (bytes.length < end + size + 2) return undefined
    const content = bytes.toString('latin1', end, end + size)
    return { frame: { type, text: content, members: undefined, isNull: false }, end: end + size + 2 }
  }
  if (!AGGREGATES.includes(type)) return { frame: { type, text, members: undefined, isNull: type === '_' }, end }
  if (text === '-1') return { frame: { type, text, members: undefined, isNull: true }, end }
  const count = Number(text) * (type === '%' || type === '|' ? 2 : 1)
  const members: Frame[] = []
  for (let i = 0; i < count; i += 1) {
    const found = read(bytes, end)
    if (found === undefined) return undefined
    members.push(found.frame)
    end = found.end
  }
  return { frame: { type, text, members, isNull: false }, end }
}

/** A request; arguments are latin1. */
export function requestOf(args: readonly string[]): Buffer {
  const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`)
  return Buffer.from(`*${args.length}\r\n${parts.join('')}`, 'latin1')
}

/** A connection without a client's cleverness. */
export class RawResp {
  readonly #socket: Socket
  readonly #reader = new FrameReader()
  readonly #frames: Frame[] = []
  #wake: (() => void) | undefined
  #error: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk)
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) this.#frames.push(frame)
      this.#wake?.()
    })
    const fail = (error?: Error): void => {
      this.#error ??= error ?? new Error('the server hung up')
      this.#wake?.()
    }
    socket.on('error', fail)
    socket.on('close', () => fail())
  }

  static open(port: number): Promise<RawResp> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawResp(socket)))
    })
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** The next frame, whatever it is. */
  async take(withinMs = 10_000): Promise<Frame> {
    const [frame] = await this.takeMany(1, withinMs)
    return frame as Frame
  }

  async takeMany(count: number, withinMs = 30_000): Promise<readonly Frame[]> {
    const endAt = performance.now() + withinMs
    while (this.#frames.length < count) {
      if (this.#error !== undefined) throw this.#error
      const left = endAt - performance.now()
      if (left <= 0) throw new Error(`waited for ${count} replies, got ${this.#frames.length}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    return this.#frames.splice(0, count)
  }

  async command(...args: readonly string[]): Promise<Frame> {
    this.write(requestOf(args))
    return this.take()
  }

  /** Frames that came unasked. */
  get pending(): number {
    return this.#frames.length
  }

  close(): void {
    this.#socket.destroy()
  }
}
