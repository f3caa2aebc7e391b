/**
 * An origin that answers bytes exactly as a test writes them, and counts what reached it.
 *
 * Plain sockets: nothing is added, corrected or hidden. Requests are read strictly; one that no RFC 9112 reader would
 * take, or that names a path no test knows, is kept in `faults`: something was smuggled or mangled on the way.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { type FieldLine, FieldLines, parseHead, takeBody } from './raw-message.ts'

/** A request as it arrived. */
export interface Received extends FieldLines {
  readonly method: string
  readonly target: string
  readonly body: Buffer
  readonly trailers: FieldLines
  /** Number of the connection it came on. */
  readonly connection: number
  /** Request line and fields as bytes. */
  readonly raw: string
}

/** One request being answered. */
export class Call {
  readonly request: Received
  /** How many requests for this path came before. */
  readonly index: number
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>
  readonly #socket: Socket

  constructor(request: Received, index: number, socket: Socket) {
    this.request = request
    this.index = index
    this.#socket = socket
    this.closed = socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()))
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Closes cleanly behind what was written. */
  end(): void {
    this.#socket.end()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }
}

/** Bytes, or what to do. */
export type Script = string | Uint8Array | ((call: Call) => Step | Promise<Step>)
type Step = string | Uint8Array | undefined | void

/** See the module's header. */
export class RawOrigin {
  readonly faults: string[] = []
  readonly #server: Server
  readonly #scripts = new Map<string, readonly Script[]>()
  readonly #seen = new Map<string, Received[]>()
  readonly #sockets = new Set<Socket>()
  #waiting: (() => void)[] = []
  #connections = 0

  constructor() {
    this.#server = createServer((socket) => void this.#serve(socket))
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The first request for a path gets the first script, and so on; the last one stays. Queries are not looked at. */
  on(path: string, ...scripts: readonly Script[]): void {
    this.#scripts.set(path, scripts)
  }

  /** Requests that came for a path. */
  seen(path: string): readonly Received[] {
    return this.#seen.get(path) ?? []
  }

  /** Waits until `count` requests have come for a path. */
  async reached(path: string, count: number): Promise<void> {
    const deadline = Date.now() + 5000
    while (this.seen(path).length < count) {
      if (Date.now() > deadline) throw new Error(`${path}: ${this.seen(path).length} of ${count} requests came within 5 s`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    this.#connections += 1
    const connection = this.#connections
    socket.setNoDelay(true)
    socket.setMaxListeners(0)
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
    let held: Buffer = Buffer.alloc(0)
    try {
      for (;;) {
        const parsed = takeRequest(held, connection)
        if (parsed === undefined) {
          const more = await nextChunk(socket)
          if (more === undefined) return
          held = Buffer.concat([held, more])
          continue
        }
        held = parsed.rest
        await this.#answer(parsed.request, socket)
      }
    } catch (error) {
      this.faults.push(`${(error as Error).message}: ${JSON.stringify(held.toString('latin1').slice(0, 300))}`)
      socket.destroy()
    }
  }

  async #answer(request: Received, socket: Socket): Promise<void> {
    const path = request.target.split('?', 1)[0] as string
    const scripts = this.#scripts.get(path)
    if (scripts === undefined) throw new Error(`no test asks for ${request.target}`)
    const seen = this.#seen.get(path) ?? []
    this.#seen.set(path, seen)
    seen.push(request)
    const call = new Call(request, seen.length - 1, socket)
    const script = scripts[Math.min(call.index, scripts.length - 1)] as Script
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
    const step = typeof script === 'function' ? await script(call) : script
    if (step !== undefined && !socket.destroyed) call.write(step)
  }
}

function takeRequest(held: Buffer, connection: number): { request: Received; rest: Buffer } | undefined {
  const end = held.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const raw = held.toString('latin1', 0, end)
  const { start, lines } = parseHead(raw)
  const match = /^([A-Z-]+) (\S+) HTTP\/1\.1$/.exec(start)
  if (match === null) throw new Error(`no request line: ${start}`)
  const fields = new FieldLines(lines)
  if (fields.all('host').length !== 1) throw new Error('not exactly one Host')
  const taken = takeBody(held.subarray(end + 4), fields, 'none')
  if (taken === undefined) return undefined
  const request = Object.assign(fields, {
    method: match[1] as string,
    target: match[2] as string,
    body: taken.body,
    trailers: taken.trailers,
    connection,
    raw,
  })
  return { request, rest: taken.rest }
}

function nextChunk(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (chunk?: Buffer): void => {
      socket.off('data', done).off('close', onClose).off('end', onClose)
      socket.pause()
      resolve(chunk)
    }
    const onClose = (): void => done()
    socket.on('data', done).on('close', onClose).on('end', onClose)
    if (socket.destroyed || socket.readableEnded) done()
    else socket.resume()
  })
}

/**
 * An answer with Date (now) and Content-Length, unless they are given or do not belong.
 *
 * @param status `200` or `404 Not Found`
 * @param lines fields as written: `Cache-Control: max-age=60`
 */
export function answer(status: number | string, lines: readonly FieldLine[] = [], body: string | Uint8Array = ''): Buffer {
  const content = typeof body === 'string' ? Buffer.from(body, 'latin1') : Buffer.from(body)
  const names = new Set(lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()))
  const code = Number(String(status).slice(0, 3))
  let head = `HTTP/1.1 ${typeof status === 'number' ? `${status} Said` : status}\r\n`
  if (!names.has('date') && code >= 200) head += `Date: ${ago(0)}\r\n`
  for (const line of lines) head += `${line}\r\n`
  const framed = names.has('content-length') || names.has('transfer-encoding') || code === 204 || code === 304 || code < 200
  if (!framed) head += `Content-Length: ${content.length}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), content])
}

/** `answer(200, …)`. */
export function ok(lines: readonly FieldLine[], body: string | Uint8Array = ''): Buffer {
  return answer(200, lines, body)
}

/** `answer(200, ['Cache-Control: max-age=60', …more], body)`: what a shared cache may keep. */
export function fresh(body: string | Uint8Array, ...more: readonly FieldLine[]): Buffer {
  return answer(200, ['Cache-Control: max-age=60', ...more], body)
}

/** An HTTP date so many seconds before now. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toUTCString()
}

/** One chunk of the chunked coding. */
export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}
