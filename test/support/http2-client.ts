/**
 * A client of HTTP/2 for tests: whole answers, with everything that came before and behind them.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import { onTestFinished } from 'vitest'

/** An answer. */
export interface Http2Answer {
  readonly status: number
  readonly fields: IncomingHttpHeaders
  readonly body: string
  readonly trailers: IncomingHttpHeaders | undefined
  /** Answers 1xx that came before. */
  readonly interim: readonly IncomingHttpHeaders[]
}

/** A request; `:path` alone will do. */
export type Http2Wish = Record<string, string | readonly string[]>

/** A connection that ends with its test. */
export class Http2Client {
  readonly session: ClientHttp2Session
  readonly goaways: number[] = []

  /** @param ca under TLS; undefined: prior knowledge */
  constructor(port: number, ca?: string) {
    this.session = connect(`${ca === undefined ? 'http' : 'https'}://localhost:${port}`, { ...(ca !== undefined && { ca }) })
    this.session.on('error', () => {}).on('goaway', (code) => this.goaways.push(code))
    onTestFinished(() => this.session.destroy())
  }

  /** A stream whose errors are nobody's. */
  open(wish: Http2Wish, endStream = true): ClientHttp2Stream {
    return this.session.request(wish as Record<string, string>, { endStream }).on('error', () => {})
  }

  get(path: string, fields: Http2Wish = {}): Promise<Http2Answer> {
    return this.ask({ ':path': path, ...fields })
  }

  /** @throws when the stream is reset before the answer is whole */
  ask(wish: Http2Wish, body?: string | Buffer): Promise<Http2Answer> {
    const stream = this.open(wish, body === undefined)
    const answer = answerOf(stream)
    if (body !== undefined) stream.end(body)
    return answer
  }
}

/** @throws when the stream is reset before the answer is whole */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const interim: IncomingHttpHeaders[] = []
    let fields: IncomingHttpHeaders | undefined
    let trailers: IncomingHttpHeaders | undefined
    stream.on('headers', (one) => interim.push(one)).on('response', (one) => (fields = one))
    stream.on('trailers', (one) => (trailers = one)).on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('close', () => {
      const { rstCode } = stream
      if (fields === undefined || (rstCode !== undefined && rstCode !== 0)) reject(new Error(`reset with ${rstCode}`))
      else resolve({ status: Number(fields[':status']), fields, body: Buffer.concat(chunks).toString(), trailers, interim })
    })
  })
}
