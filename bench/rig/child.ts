/**
 * Small servers in processes of their own: the origin and the plain ones of Node that forecache is compared with.
 *
 * Usage: node child.ts <origin|http|fastify|raw|undici> [origin's port]. Prints {"port":…} when it listens.
 * Paths are /BYTES/KEY or /z/BYTES/KEY: a JSON body of so many bytes that names its key.
 */
import { createServer as createHttp, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNet, type Server, type Socket } from 'node:net'
import fastify from 'fastify'
import { type Dispatcher, Pool } from 'undici'
import { contentOf } from './content.ts'

const [kind = '', originPort = '0'] = process.argv.slice(2)
const LIFETIME_S = 86_400

const started: Readonly<Record<string, () => Server | Promise<number>>> = { origin, http, fastify: fast, raw, undici: proxy }
const start = started[kind]
if (start === undefined) throw new Error(`unknown server; known: ${Object.keys(started).join(', ')}`)
const made = start()
if (made instanceof Promise) tell(await made)
else made.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => tell((made.address() as AddressInfo).port))

function tell(port: number): void {
  process.stdout.write(`${JSON.stringify({ port })}\n`)
}

/** Whole heads in what was read so far: calls `onHead` with the path of each; keeps the rest for the next read. */
function readHeads(socket: Socket, onHead: (path: string) => void): void {
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1')
    for (let end = rest.indexOf('\r\n\r\n'); end >= 0; end = rest.indexOf('\r\n\r\n')) {
      onHead(rest.slice(rest.indexOf(' ') + 1, rest.indexOf(' HTTP/1.1\r\n')))
      rest = rest.slice(end + 4)
    }
  })
  socket.on('error', () => socket.destroy())
}

function headLines(body: string): string {
  return (
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: public, max-age=${LIFETIME_S}\r\n` +
    `etag: "${body.length}-v1"\r\ndate: ${new Date().toUTCString()}\r\ncontent-length: ${body.length}\r\n\r\n`
  )
}

/** A cheap origin on raw sockets; /count tells how many requests it has answered. */
function origin(): Server {
  let count = 0
  return createNet({ noDelay: true }, (socket) =>
    readHeads(socket, (path) => {
      const body = path === '/count' ? String(count) : contentOf(path)
      if (path !== '/count') count += 1
      socket.write(headLines(body) + body, 'latin1')
    }),
  )
}

/** Answers per path, made once: what a server does that keeps answers in a Map. */
const kept = new Map<string, string>()
function keptBody(path: string): string {
  let body = kept.get(path)
  if (body === undefined) kept.set(path, (body = contentOf(path)))
  return body
}

/** `node:http` as fast as it goes: a text, which it joins with the head into one write. */
function http(): Server {
  return createHttp((request, response) => {
    const body = keptBody(request.url ?? '/')
    response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': `public, max-age=${LIFETIME_S}`,
      etag: `"${body.length}-v1"`,
      'content-length': body.length,
    })
    response.end(body, 'latin1')
  })
}

async function fast(): Promise<number> {
  const app = fastify()
  app.get('/*', (request, reply) => {
    const body = keptBody(request.url)
    void reply
      .header('content-type', 'application/json')
      .header('cache-control', `public, max-age=${LIFETIME_S}`)
      .header('etag', `"${body.length}-v1"`)
      .send(body)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** The floor on Node's public API: no HTTP, the bytes of the connection's first answer again for each end of a head. */
function raw(): Server {
  return createNet({ noDelay: true }, (socket) => {
    let answer: Buffer | undefined
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      if (answer === undefined) {
        const text = chunk.toString('latin1', 0, 200)
        const body = contentOf(text.slice(4, text.indexOf(' HTTP/1.1')))
        answer = Buffer.from(headLines(body) + body, 'latin1')
      }
      let heads = 0
      for (let at = chunk.indexOf('\r\n\r\n'); at >= 0; at = chunk.indexOf('\r\n\r\n', at + 4)) heads += 1
      socket.write(heads === 1 ? answer : Buffer.concat(new Array<Buffer>(heads).fill(answer)))
    })
  })
}

/** A proxy with nothing but `node:http` and an undici pool: the body streams through, one end-to-end head. */
function proxy(): Server {
  const pool = new Pool(`http://127.0.0.1:${originPort}`, { connections: 128, pipelining: 1 })
  return createHttp((request, response) => {
    pool.dispatch(
      { method: 'GET', path: request.url ?? '/', headers: request.rawHeaders.filter(notHopByHop) },
      new Through(response),
    )
  })
}

function notHopByHop(_: string, index: number, raw: readonly string[]): boolean {
  const name = raw[index - (index % 2)]?.toLowerCase()
  return name !== 'connection' && name !== 'keep-alive'
}

/** Streams an answer through, with back-pressure. */
class Through implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = (controller.rawHeaders as (Buffer | string)[]).map((part) => part.toString('latin1'))
    this.#response.writeHead(status, raw.filter(notHopByHop))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return
    controller.pause()
    this.#response.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(_: unknown, error: Error): void {
    this.#response.destroy(error)
  }
}
