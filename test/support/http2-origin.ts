/**
 * An origin of HTTP/2 for a test, and the gateway's side of it.
 */
import { createSecureServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { BodySource, OriginAnswer, RequestHead, ResponseHead } from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'
import { createOrigin, type Origin, type OriginOptions } from '../../src/server/origin.ts'
import { CA, PAIR } from './tls-stand.ts'

export type Http2Listener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** An origin of HTTP/2 and how often it was connected to. */
export async function http2Origin(listener: Http2Listener, options: object = {}) {
  const sessions: Http2Session[] = []
  const server = createSecureServer({ cert: PAIR.cert, key: PAIR.key, ...options })
  server.on('session', (session) => sessions.push(session.on('error', () => {})))
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    listener(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const session of sessions) session.destroy()
  })
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, sessions, server }
}

export function originAt(url: string, more: Partial<OriginOptions> = {}): Origin {
  const origin = createOrigin({
    url,
    connectMs: 1000,
    headMs: 1000,
    bodyIdleMs: 1000,
    keepAliveMs: 4000,
    connections: 4,
    maxWaiting: 100,
    maxHeadBytes: 64 * 1024,
    http2: true,
    tls: { ca: CA, rejectUnauthorized: true },
    ...more,
  })
  onTestFinished(() => origin.close())
  return origin
}

/** What a test says of a request. */
export interface Asked {
  readonly method?: string
  readonly fields?: Record<string, string | string[]>
  readonly body?: BodySource
  readonly signal?: AbortSignal
  readonly onInformational?: (head: ResponseHead) => void
}

export function send(origin: Origin, target: string, asked: Asked = {}): Promise<OriginAnswer> {
  const { method = 'GET', fields = {}, body, signal = new AbortController().signal, onInformational } = asked
  const head: RequestHead = {
    method,
    target,
    scheme: 'https',
    authority: 'a.test',
    fields: Fields.from({ host: 'a.test', ...fields }),
  }
  return origin.send(head, body, { signal, ...(onInformational && { onInformational }) })
}

export async function read(body: BodySource): Promise<string> {
  let text = ''
  for await (const chunk of body) text += Buffer.from(chunk).toString()
  return text
}

export async function* chunks(...given: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const one of given) {
    await pause(5)
    yield Buffer.from(one)
  }
}
