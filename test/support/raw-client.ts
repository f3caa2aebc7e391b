/**
 * A client of plain sockets: sends bytes exactly as written, reads answers strictly and tells how they ended.
 */
import { connect, type Socket } from 'node:net'
import { type FieldLine, FieldLines, type Framing, framingOf, parseHead, readChunks, takeBody } from './raw-message.ts'

const DEADLINE_MS = 8000

/** The head of an answer. */
export interface AnswerHead extends FieldLines {
  readonly status: number
  readonly reason: string
}

/** An answer, and how it ended. */
export interface Answer extends AnswerHead {
  readonly informational: readonly AnswerHead[]
  readonly body: Buffer
  readonly text: string
  readonly framing: Framing
  /** Whether a strict reader takes the body for the whole: its framing was kept, or the close was clean. */
  readonly complete: boolean
  readonly trailers: FieldLines
}

/** One connection. */
export class RawClient {
  readonly #socket: Socket
  #held: Buffer = Buffer.alloc(0)
  #end: 'open' | 'clean' | 'reset' = 'open'
  #wake: () => void = () => {}

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (data: Buffer) => {
      this.#held = Buffer.concat([this.#held, data])
      this.#wake()
    })
    this.#socket
      .on('end', () => this.#close('clean'))
      .on('error', () => this.#close('reset'))
      .on('close', () => this.#close('clean'))
  }

  write(bytes: string): this {
    this.#socket.write(Buffer.from(bytes, 'latin1'))
    return this
  }

  /** Writes a request; see `request`. */
  ask(start: string, lines: readonly FieldLine[] = [], body?: string): this {
    return this.write(request(start, lines, body))
  }

  /** Takes nothing more from the socket. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The next head, 1xx included. */
  async head(): Promise<AnswerHead> {
    await this.#until(() => this.#held.includes('\r\n\r\n') || this.#end !== 'open')
    const end = this.#held.indexOf('\r\n\r\n')
    if (end < 0)
      throw new Error(`closed (${this.#end}) instead of an answer; got ${JSON.stringify(this.#held.toString('latin1'))}`)
    const { start, lines } = parseHead(this.#held.toString('latin1', 0, end))
    this.#held = this.#held.subarray(end + 4)
    const match = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/.exec(start)
    if (match === null) throw new Error(`no status line: ${JSON.stringify(start)}`)
    return Object.assign(new FieldLines(lines), { status: Number(match[1]), reason: match[2] as string })
  }

  /** The next final answer, read to its end or to the end of the connection. */
  async answer(method = 'GET'): Promise<Answer> {
    const informational: AnswerHead[] = []
    let head = await this.head()
    while (head.status < 200) {
      informational.push(head)
      head = await this.head()
    }
    return this.body(head, { method, informational })
  }

  /** The body of a head read before. */
  async body(head: AnswerHead, { method = 'GET', informational = [] as readonly AnswerHead[] } = {}): Promise<Answer> {
    const bodiless = method === 'HEAD' || head.status === 204 || head.status === 304
    if (bodiless) return this.#finish(head, { informational, body: Buffer.alloc(0), framing: 'none', complete: true })
    const framing = framingOf(head, 'close')
    let taken = takeBody(this.#held, head, 'close')
    while (taken === undefined && this.#end === 'open') {
      const before = this.#held.length
      await this.#until(() => this.#held.length > before || this.#end !== 'open')
      taken = takeBody(this.#held, head, 'close')
    }
    if (taken !== undefined) {
      this.#held = taken.rest
      return this.#finish(head, { informational, body: taken.body, framing, complete: true, trailers: taken.trailers })
    }
    const body = framing === 'chunked' ? readChunks(this.#held).body : this.#held
    this.#held = Buffer.alloc(0)
    return this.#finish(head, { informational, body, framing, complete: framing === 'close' && this.#end === 'clean' })
  }

  /** Waits until this text has come behind the last head read. */
  async sees(text: string): Promise<void> {
    await this.#until(() => this.#held.includes(text) || this.#end !== 'open')
    if (!this.#held.includes(text))
      throw new Error(`closed (${this.#end}) before ${text}; got ${JSON.stringify(this.#held.toString('latin1'))}`)
  }

  /** Waits for the end of the connection; what came before and was not read is returned. */
  async rest(): Promise<string> {
    await this.#until(() => this.#end !== 'open')
    return this.#held.toString('latin1')
  }

  #finish(
    head: AnswerHead,
    found: Pick<Answer, 'informational' | 'body' | 'framing' | 'complete'> & { trailers?: FieldLines },
  ): Answer {
    return Object.assign(head, { trailers: new FieldLines([]), ...found, text: found.body.toString('latin1') })
  }

  #close(how: 'clean' | 'reset'): void {
    if (this.#end === 'open') this.#end = how
    this.#wake()
  }

  async #until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS
    while (!holds()) {
      const leftMs = deadline - Date.now()
      if (leftMs <= 0)
        throw new Error(
          `nothing more within ${DEADLINE_MS} ms; got ${JSON.stringify(this.#held.toString('latin1').slice(0, 500))}`,
        )
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

/**
 * A request with `Host: a.test` and a Content-Length, unless they are given.
 *
 * @param start method and target: `GET /x`
 */
export function request(start: string, lines: readonly FieldLine[] = [], body?: string): string {
  const names = new Set(lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()))
  let head = `${start} HTTP/1.1\r\n`
  if (!names.has('host')) head += 'Host: a.test\r\n'
  for (const line of lines) head += `${line}\r\n`
  if (body !== undefined && !names.has('content-length') && !names.has('transfer-encoding'))
    head += `Content-Length: ${body.length}\r\n`
  return `${head}\r\n${body ?? ''}`
}

/** One request on a connection of its own; the answer read to its end. */
export async function ask(port: number, start: string, lines: readonly FieldLine[] = [], body?: string): Promise<Answer> {
  const client = new RawClient(port).ask(start, lines, body)
  try {
    return await client.answer(start.split(' ', 1)[0])
  } finally {
    client.destroy()
  }
}
