/**
 * A client of the Redis door inside this process: other doors read and write its keys as any client would.
 *
 * Floor 5, room server. So one value is one entry through all of them: the same hits, the same readings that are kept, the
 * same marks of writes. One connection, made when it is first needed and again after it was lost; questions follow one
 * another, each under a deadline.
 */
import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { ForecacheError } from '../model/errors.ts'
import type { Clock } from '../model/clock.ts'
import type { KeyspacePort } from '../resp/executor.ts'
import { ReplyScanner } from '../wire/resp-reply.ts'

const DEADLINE_MS = 5000
const NIL = ['$-1', '_']

/** What a client is made with. */
export interface InnerParts {
  readonly clock: Clock
  /** For errors. */
  readonly name: string
  /** Sent first. */
  readonly login: { readonly username: string; readonly password: string } | undefined
  accept(socket: Socket): void
}

interface Waiting {
  resolve(reply: Buffer): void
  reject(error: unknown): void
}

/** The connection as the door sees it: a socket without a network. */
class InnerSocket extends Duplex {
  readonly remoteAddress = 'this process'
  readonly remotePort = 0
  readonly localAddress = 'this process'
  readonly localPort = 0
  readonly #take: (chunk: Buffer) => void

  constructor(take: (chunk: Buffer) => void) {
    super({ allowHalfOpen: false })
    this.#take = take
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: unknown, done: () => void): void {
    this.#take(Buffer.from(chunk)) // what is written here is written over there again
    done()
  }

  /** As sockets have it. */
  destroySoon(): void {
    this.end(() => this.destroy())
  }

  setTimeout(): this {
    return this
  }
}

/** See the module's header. */
export class InnerClient implements KeyspacePort {
  readonly #parts: InnerParts
  #socket: InnerSocket | undefined
  #scanner = new ReplyScanner()
  #pieces: Buffer[] = []
  #waiting: Waiting[] = []
  /** The last question: a pipeline would keep its own hits out of memory. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: InnerParts) {
    this.#parts = parts
  }

  async get(key: string): Promise<{ readonly value: Buffer; readonly ttlMs: number | undefined } | undefined> {
    const reply = await this.#ask('GET', key)
    const line = reply.indexOf('\r\n')
    if (NIL.includes(reply.toString('latin1', 0, line))) return undefined
    return { value: reply.subarray(line + 2, -2), ttlMs: undefined }
  }

  async set(key: string, value: Uint8Array, ttlMs: number | undefined): Promise<void> {
    const life = ttlMs === undefined ? [] : ['PX', String(Math.max(1, Math.round(ttlMs)))]
    await this.#ask('SET', key, Buffer.from(value.buffer, value.byteOffset, value.byteLength), ...life)
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#ask('DEL', key)).toString('latin1') !== ':0\r\n'
  }

  close(): void {
    this.#socket?.destroy()
  }

  /** @returns the reply, raw @throws (rejects) FC_RESP_DOWN, FC_RESP_REPLY */
  #ask(...words: readonly (string | Buffer)[]): Promise<Buffer> {
    const asked = this.#last.then(() => this.#send(words))
    this.#last = asked.catch(() => undefined)
    return asked
  }

  async #send(words: readonly (string | Buffer)[]): Promise<Buffer> {
    const socket = this.#socket ?? (await this.#open())
    const reply = await this.#exchange(socket, words)
    if (reply[0] !== ERROR) return reply
    throw new ForecacheError('FC_RESP_REPLY', { command: String(words[0]), reason: reply.toString('utf8', 1, reply.length - 2) })
  }

  async #open(): Promise<InnerSocket> {
    const socket = new InnerSocket((chunk) => this.#onData(chunk))
    this.#scanner = new ReplyScanner()
    this.#pieces = []
    socket.on('error', () => undefined)
    socket.once('close', () => this.#onClose(socket))
    this.#socket = socket
    this.#parts.accept(socket as unknown as Socket)
    const { login } = this.#parts
    if (login !== undefined) {
      const names = login.username === '' ? [login.password] : [login.username, login.password]
      await this.#exchange(socket, ['AUTH', ...names])
    }
    return socket
  }

  #exchange(socket: InnerSocket, words: readonly (string | Buffer)[]): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const late = this.#parts.clock.after(DEADLINE_MS, () => socket.destroy())
      this.#waiting.push({
        resolve: (reply) => {
          late.cancel()
          resolve(reply)
        },
        reject,
      })
      socket.push(encode(words))
    })
  }

  #onData(chunk: Buffer): void {
    const scanner = this.#scanner
    scanner.push(chunk)
    while (scanner.next()) {
      this.#pieces.push(chunk.subarray(scanner.start, scanner.end))
      if (!scanner.isLast) continue
      const reply = Buffer.concat(this.#pieces)
      this.#pieces = []
      this.#waiting.shift()?.resolve(reply)
    }
  }

  #onClose(socket: InnerSocket): void {
    if (this.#socket === socket) this.#socket = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) one.reject(new ForecacheError('FC_RESP_DOWN', { name: this.#parts.name }))
  }
}

const ERROR = 0x2d

function encode(words: readonly (string | Buffer)[]): Buffer {
  const parts: (string | Buffer)[] = [`*${words.length}\r\n`]
  for (const word of words) parts.push(`$${Buffer.byteLength(word)}\r\n`, word, '\r\n')
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}
