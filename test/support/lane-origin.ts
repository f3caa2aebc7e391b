/**
 * An origin whose answers follow from the target alone, so that two gateways before two of them can be compared.
 *
 * The first letter of a path's last part says what the resource is (`/u000001/h3` is fresh, see KINDS); the body tells
 * target and how often it was asked for. Everything that arrives is kept.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** An answer: status, fields as a flat list, body; the body is sent in chunks where `trailers` or `chunked` stand. */
interface Told {
  readonly status?: number
  readonly fields?: readonly string[]
  readonly body?: string | Buffer
  readonly chunked?: boolean
  readonly trailers?: readonly [string, string][]
  readonly early?: boolean
  /** The rest of the connection, written by hand. */
  readonly raw?: (say: Say) => Promise<void>
}

/** Writes bytes as they are, and waits a moment. */
type Say = (bytes: string | Buffer, last?: 'end' | 'reset') => Promise<void>

const FRESH = ['Cache-Control', 'max-age=600']
const MODIFIED = ['Last-Modified', 'Tue, 03 Feb 2026 10:00:00 GMT']
const ETAG = ['ETag', '"v1"']
const PARAGRAPH = 'The quick brown fox jumps over the lazy dog, and then it sleeps. '.repeat(64)

type Kind = (told: string, request: IncomingMessage) => Told

/** What each letter stands for. */
export const KINDS: Readonly<Record<string, Kind>> = {
  h: (body) => ({ fields: [...FRESH, ...ETAG, ...MODIFIED, 'Content-Type', 'application/json'], body }),
  p: (body) => ({ fields: FRESH, body }),
  // Like `p`: for routes by which the same path may stand in the cache several times.
  A: (body) => ({ fields: [...FRESH, ...ETAG], body }),
  D: (body) => ({ fields: FRESH, body }),
  F: (body) => ({ fields: FRESH, body }),
  G: (body) => ({ fields: FRESH, body }),
  q: (body) => ({ fields: ['Cache-Control', 's-maxage=600, max-age=1', 'X-Odd', 'caf\xe9', 'x-empty', ''], body }),
  a: (body) => ({ fields: ['Cache-Control', 'public, max-age=600', ...ETAG], body }),
  s: (body) => ({ fields: ['Cache-Control', 'max-age=600, stale-while-revalidate=3000', 'Age', '700'], body }),
  x: (body) => ({ fields: [...FRESH, 'Age', '700', ...ETAG], body }),
  o: (body) => ({ fields: ['Cache-Control', 'max-age=20', ...ETAG], body }),
  n: (body) => ({ fields: ['Cache-Control', 'no-store'], body }),
  c: (body) => ({ fields: ['Cache-Control', 'private', 'Set-Cookie', 'a=1; Path=/', 'Set-Cookie', 'b=2'], body }),
  y: (body) => ({ fields: [...FRESH, 'Set-Cookie', 'a=1; Path=/'], body }),
  v: (body, { headers }) => ({
    fields: [...FRESH, 'Vary', 'Accept-Language, X-Var'],
    body: `${body} ${headers['accept-language']} ${String(headers['x-var'])}`,
  }),
  e: (body, { headers }) => {
    const zipped = /gzip/.test(headers['accept-encoding'] ?? '')
    const coding = zipped ? ['Content-Encoding', 'gzip', 'ETag', '"v1-gz"'] : ETAG
    return { fields: [...FRESH, 'Vary', 'Accept-Encoding', ...coding], body: zipped ? `zipped ${body}` : body }
  },
  z: (body) => ({ fields: [...FRESH, 'Content-Type', 'text/plain', ...ETAG], body: `${body}${PARAGRAPH}` }),
  r: (body) => ({ fields: [...FRESH, ...ETAG, ...MODIFIED, 'Accept-Ranges', 'bytes'], body: body.padEnd(3000, '0123456789') }),
  k: (body) => ({ fields: [...FRESH, 'No-Vary-Search', 'params=("utm" "ref")'], body }),
  g: (body) => ({ fields: [...FRESH, 'Surrogate-Key', 'red green', 'Cache-Groups', '"blue"'], body }),
  b: (body) => ({ fields: [...FRESH, ...ETAG], body: body.padEnd(100_000, 'abcdefghij') }),
  m: (body) => ({ fields: ['Cache-Control', 'no-cache', ...ETAG], body }),
  w: (body) => ({ fields: FRESH, body, chunked: true }),
  t: (body, { method }) =>
    method === 'HEAD' ? { fields: FRESH } : { fields: [...FRESH, 'Trailer', 'X-Sum'], body, trailers: [['X-Sum', '42']] },
  i: (body) => ({ early: true, fields: [...FRESH, 'Connection', 'X-Hop', 'X-Hop', 'gone', 'Keep-Alive', 'timeout=3'], body }),
  I: (body) => ({ early: true, fields: FRESH, body: body.padEnd(40_000, 'abcdefghij') }),
  f: () => ({ status: 204, fields: FRESH }),
  j: () => ({ fields: [...FRESH, ...ETAG], body: '' }),
  l: (body) => ({ status: 301, fields: [...FRESH, 'Location', '/elsewhere'], body }),
  u: (body) => ({ status: 404, fields: ['Cache-Control', 'max-age=600'], body }),
  // Not asked again, as it would be if it said nothing.
  d: () => ({ raw: (say) => say('no HTTP at all\r\n\r\n', 'end') }),
  E: (body) => ({ status: 500, body }),
  // Streams: too large to be stored, in pieces, with a pause, without an end; and what breaks off.
  B: (body) => ({ raw: (say) => say(raw(['Content-Length: 1100000'], body.padEnd(1_100_000, 'abcdefghij'))) }),
  C: (body) => ({
    raw: async (say) => {
      await say(raw(['Transfer-Encoding: chunked', 'Trailer: X-Sum'], ''))
      for (let i = 0; i < 5; i += 1) await say(chunk(body.padEnd(1000 * i + body.length, 'z')))
      await say('0\r\nX-Sum: 5\r\n\r\n')
    },
  }),
  L: (body) => ({ raw: (say) => say(raw([], body), 'end') }),
  X: (body) => ({ raw: (say) => say(raw(['Content-Length: 4000'], body), 'end') }),
  Y: (body) => ({ raw: (say) => say(raw(['Transfer-Encoding: chunked'], chunk(body)), 'end') }),
  Z: (body) => ({ raw: (say) => say(raw(['Content-Length: 4000'], body), 'reset') }),
  J: (body) => ({ raw: (say) => say(raw(['Content-Length: 5', 'Content-Length: 6'], body), 'end') }),
  O: (body) => ({ raw: (say) => say(raw([`Content-Length: ${body.length}`], `${body}HTTP/1.1 200 OK\r\n\r\n`), 'end') }),
  P: (body) => ({
    raw: async (say) => {
      await say(raw([`Content-Length: ${body.length}`], ''))
      await say(body.slice(0, 3))
      await say(body.slice(3))
    },
  }),
  // Lets its head wait.
  Q: (body) => ({
    raw: async (say) => {
      for (let i = 0; i < 8; i += 1) await say('')
      await say(raw([`Content-Length: ${body.length}`], body))
    },
  }),
  // Never answers: see `hanging`.
  W: () => ({ raw: () => new Promise(() => {}) }),
  S: (body) => ({ fields: ['Cache-Control', 'max-age=600, stale-if-error=3000', 'Age', '650', ...ETAG], body }),
}

function raw(lines: readonly string[], body: string): Buffer {
  const head = ['HTTP/1.1 200 OK', 'Cache-Control: max-age=600', 'Connection: close', ...lines].join('\r\n')
  return Buffer.from(`${head}\r\n\r\n${body}`, 'latin1')
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

/** Letters by what a second request meets, when nothing of it says otherwise. */
export const STORED_KINDS: readonly string[] = [...'hpqaroyvezkgbwtijfluADFG']
/** Letters that are never simply hit. */
export const OTHER_KINDS: readonly string[] = [...'sxncmdES']
/** Letters whose answers may end the connection. */
export const STREAM_KINDS: readonly string[] = [...'BCLXYZJOP']

/** See the module's header. */
export class LaneOrigin {
  /** Grows with whatever happens here. */
  activity = 0
  /** What arrived, in order. */
  readonly seen: string[] = []
  /** Requests that are being answered. */
  hanging = 0
  readonly #asked = new Map<string, number>()
  readonly #server: Server

  constructor() {
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void this.#answer(request, response))
    this.#server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
      if (error.rawPacket === undefined) return void socket.destroy() // nothing but the end of a request broken off
      this.#note(`unreadable: ${error.message} ${error.rawPacket.toString('latin1')}`)
      socket.destroy()
    })
    this.#server.on('upgrade', (request: IncomingMessage, socket) => {
      this.#note(describe(request, ''))
      const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
      socket.write(`${[...lines, `Sec-WebSocket-Accept: ${key.digest('base64')}`].join('\r\n')}\r\n\r\n`)
      socket
        .on('data', (data: Buffer) => socket.write(data))
        .on('end', () => socket.end())
        .on('error', () => {})
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.activity += 1
    const hash = createHash('sha1')
    let bytes = 0
    try {
      for await (const chunk of request) {
        hash.update(chunk as Buffer)
        bytes += (chunk as Buffer).byteLength
        this.activity += 1
      }
    } catch {
      return // whether it came this far before it broke, the order of events decides
    }
    const { method = '', url = '' } = request
    this.#note(describe(request, bytes === 0 ? '' : `${bytes} ${hash.digest('hex')}`))
    const name = `${method} ${url}`
    const times = (this.#asked.get(name) ?? 0) + 1
    this.#asked.set(name, times)
    this.hanging += 1
    response.on('close', () => {
      this.hanging -= 1
      this.activity += 1
    })
    const path = url.split('?', 1)[0] as string
    const letter = path.slice(path.lastIndexOf('/') + 1)[0] ?? 'p'
    const kind = KINDS[letter] ?? (KINDS.p as Kind)
    this.#tell(response, kind(`<${method} ${url} #${times}>`, request), request)
  }

  #tell(response: ServerResponse, told: Told, { headers, method }: IncomingMessage): void {
    const { status = 200, fields = [], body = '', chunked = false, trailers, early = false, raw: byHand } = told
    response.sendDate = false
    if (byHand !== undefined) return void this.#sayByHand(response, byHand, method === 'HEAD')
    if (early) response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    const etag = fields[fields.indexOf('ETag') + 1]
    const isKnown = fields.includes('ETag') && headers['if-none-match']?.includes(etag as string) === true
    if (isKnown && (method === 'GET' || method === 'HEAD')) return void response.writeHead(304, [...fields]).end()
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
    const content = Buffer.from(body as string, 'latin1')
    if (range !== null && fields.includes('Accept-Ranges') && Number(range[1]) <= Number(range[2])) {
      const [first, last] = [Number(range[1]), Math.min(Number(range[2]), content.length - 1)]
      if (first <= last) {
        const part = content.subarray(first, last + 1)
        const partial = ['Content-Range', `bytes ${first}-${last}/${content.length}`, 'Content-Length', String(part.length)]
        return void response.writeHead(206, [...fields, ...partial]).end(part)
      }
    }
    const isFramed = chunked || trailers !== undefined || status === 204
    response.writeHead(status, [...fields, ...(isFramed ? [] : ['Content-Length', String(content.length)])])
    if (trailers !== undefined) response.addTrailers(trailers)
    response.end(content)
  }

  /** A connection that was written by hand ends with what was written, or goes on if that was a whole answer. */
  async #sayByHand(response: ServerResponse, byHand: (say: Say) => Promise<void>, isHead: boolean): Promise<void> {
    const { socket } = response
    if (socket === null) return
    let said = false
    await byHand(async (bytes, last) => {
      const head = Buffer.from(bytes as string, 'latin1')
      if (!isHead) socket.write(head)
      else if (!said) socket.write(head.subarray(0, head.indexOf('\r\n\r\n') + 4))
      said = true
      this.activity += 1
      for (let left = 8; left > 0; left -= 1) await turn()
      if (last === 'end') socket.end()
      else if (last === 'reset') socket.resetAndDestroy()
    })
    if (!socket.writableEnded && !socket.destroyed) socket.end()
    this.activity += 1
  }

  #note(text: string): void {
    this.activity += 1
    this.seen.push(text)
  }
}

function describe({ method, url, rawHeaders, rawTrailers }: IncomingMessage, body: string): string {
  const lines = [...rawHeaders, ...(rawTrailers.length > 0 ? ['--', 'trailers', ...rawTrailers] : [])]
  let text = `${method} ${url}`
  for (let at = 0; at < lines.length; at += 2) text += `\n  ${lines[at]}: ${lines[at + 1]}`
  return body === '' ? text : `${text}\n  ${body}`
}
