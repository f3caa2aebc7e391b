/**
 * One connection that asks one question at a time, and how long each answer took.
 */
import { connect, type Socket } from 'node:net'
import { ReplyScanner } from '../../src/wire/resp-reply.ts'

/** See the module's header. */
export class Asker {
  readonly #socket: Socket
  readonly #scanner = new ReplyScanner()
  #pieces = ''
  #answered: ((reply: string) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#scanner.push(chunk)
      while (this.#scanner.next()) {
        this.#pieces += chunk.toString('latin1', this.#scanner.start, this.#scanner.end)
        if (!this.#scanner.isLast) continue
        const reply = this.#pieces
        this.#pieces = ''
        this.#answered?.(reply)
      }
    })
  }

  static open(port: number): Promise<Asker> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Asker(socket))).once('error', reject)
    })
  }

  ask(...words: readonly string[]): Promise<string> {
    return this.#send(encode(words))
  }

  /** @returns µs from the question to its answer, for each of so many */
  async time(words: readonly string[], count: number): Promise<number[]> {
    const request = encode(words)
    const micros: number[] = []
    for (let i = 0; i < count; i += 1) {
      const began = process.hrtime.bigint()
      await this.#send(request)
      micros.push(Number(process.hrtime.bigint() - began) / 1000)
    }
    return micros
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(request: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.#answered = resolve
      this.#socket.write(request)
    })
  }
}

function encode(words: readonly string[]): Buffer {
  return Buffer.from(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`, 'latin1')
}
