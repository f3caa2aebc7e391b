/**
 * The Redis front inside the test's own process, before a real Redis, and a second Redis to compare it with.
 */
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/entry/gateway.ts'
import { ReplyScanner } from '../../src/wire/resp-reply.ts'
import { until } from './redis-here.ts'

/** A front that listens, and whose tracking connection stands. */
export interface FrontHere {
  readonly gateway: Gateway
  readonly port: number
  readonly url: string
  stop(): Promise<void>
}

/** @param upstream of the Redis behind it @param wish the rest of the section `resp` */
export async function startFront(upstream: string, wish: GatewayOptions['resp'] = {}, waits = true): Promise<FrontHere> {
  const gateway = createGateway({
    api: { listen: '127.0.0.1:0' },
    resp: { listen: '127.0.0.1:0', upstream, ...wish },
  })
  const { resp } = await gateway.listen()
  const port = resp?.port as number
  if (waits) await until(() => gateway.resp?.isCovered === true, 'the tracking connection')
  return { gateway, port, url: `redis://127.0.0.1:${port}`, stop: () => gateway.close(0) }
}

/** As `startFront`, closed behind the test. */
export async function frontBefore(upstream: string, wish: GatewayOptions['resp'] = {}): Promise<FrontHere> {
  const front = await startFront(upstream, wish)
  onTestFinished(() => front.stop())
  return front
}

/** Words as a request. */
export function request(...words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = Buffer.from(word as string)
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

/** A raw connection: what was written to it, frame by frame. */
export class RawRedis {
  readonly socket: Socket
  readonly frames: Buffer[] = []
  isClosed = false
  readonly #scanner = new ReplyScanner()
  #pieces: Buffer[] = []
  #waiting: (() => void)[] = []
  #taken = 0

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.socket.on('error', () => undefined)
    this.socket.once('close', () => {
      this.isClosed = true
      this.#wake()
    })
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes)
  }

  /** Sends a command. @returns its reply, raw */
  async ask(...words: readonly (string | Buffer)[]): Promise<string> {
    this.send(request(...words))
    return (await this.take(1))[0] as string
  }

  /** The next frames, raw as latin1. @throws when they do not come, or the connection ends before */
  async take(count: number, withinMs = 5000): Promise<string[]> {
    const end = this.#taken + count
    await this.#until(() => this.frames.length >= end, withinMs)
    const taken = this.frames.slice(this.#taken, end).map((frame) => frame.toString('latin1'))
    this.#taken = end
    if (taken.length < count) throw new Error(`${taken.length} of ${count} frames, then the connection ended`)
    return taken
  }

  /** Everything up to the connection's end. */
  async rest(withinMs = 5000): Promise<string> {
    await this.#until(() => this.isClosed, withinMs)
    const rest = Buffer.concat([...this.frames.slice(this.#taken), ...this.#pieces]).toString('latin1')
    this.#taken = this.frames.length
    return rest
  }

  /** Frames that came and were not taken, once nothing has come for a while. */
  async quiet(ms: number): Promise<string[]> {
    for (let seen = -1; seen !== this.frames.length; ) {
      seen = this.frames.length
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
    return this.take(this.frames.length - this.#taken)
  }

  close(): void {
    this.socket.destroy()
  }

  async #until(holds: () => boolean, withinMs: number): Promise<void> {
    const endAt = performance.now() + withinMs
    while (!holds() && !this.isClosed) {
      const left = endAt - performance.now()
      if (left <= 0) throw new Error(`nothing more within ${withinMs} ms; taken ${this.#taken}, here ${this.frames.length}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  #onData(chunk: Buffer): void {
    const scanner = this.#scanner
    scanner.push(chunk)
    while (scanner.next()) {
      this.#pieces.push(chunk.subarray(scanner.start, scanner.end))
      if (!scanner.isLast) continue
      this.frames.push(Buffer.concat(this.#pieces))
      this.#pieces = []
    }
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) one()
  }
}
