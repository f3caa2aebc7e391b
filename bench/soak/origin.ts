/**
 * The origin of a soak, a process of its own: resources by number, and every way in which an origin goes wrong.
 *
 * Tells its parent its port, and what it did when asked.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRandom } from '../../src/model/random.ts'
import { type Resource, resourceOf } from './plan.ts'

/** What the origin did. */
export interface OriginCounts {
  requests: number
  failed: number
  reset: number
  truncated: number
  slow: number
}

const counts: OriginCounts = { requests: 0, failed: 0, reset: 0, truncated: 0, slow: 0 }
const random = createRandom(Number(process.argv[2] ?? 1))
const body = Buffer.from(randomBytes(280_000).toString('hex'))

const server = createServer((request, response) => {
  counts.requests += 1
  request.resume()
  const key = Number(/^\/item\/(\d+)/.exec(request.url ?? '')?.[1] ?? 0)
  const luck = random()
  if (luck > 0.97) {
    counts.slow += 1
    setTimeout(() => answer(request, response, key), 100 + random() * 300)
  } else setTimeout(() => answer(request, response, key), random() * 5)
})
server.keepAliveTimeout = 10_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', () => process.send?.({ counts }))
process.on('disconnect', () => process.exit(0))

function answer(request: IncomingMessage, response: ServerResponse, key: number): void {
  if (response.destroyed) return
  const luck = random()
  if (luck < 0.01) {
    counts.reset += 1
    request.socket.resetAndDestroy()
    return
  }
  if (luck < 0.04) {
    counts.failed += 1
    response.writeHead(luck < 0.02 ? 500 : 503, { 'cache-control': 'no-store' }).end('{"error":"soak"}')
    return
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(204).end()
    return
  }
  const resource = resourceOf(key)
  const etag = `"${key}-${Math.floor(Date.now() / 5000)}"`
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag, 'cache-control': resource.cacheControl }).end()
    return
  }
  write(response, resource, { etag, isHead: request.method === 'HEAD', breaksOff: luck > 0.99 })
}

interface Manner {
  readonly etag: string
  readonly isHead: boolean
  readonly breaksOff: boolean
}

function write(response: ServerResponse, resource: Resource, { etag, isHead, breaksOff }: Manner): void {
  const { bytes, from, cacheControl, chunked, tags, vary } = resource
  const fields: Record<string, string | number> = { 'cache-control': cacheControl, 'content-type': 'application/json', etag }
  fields['surrogate-key'] = tags
  if (vary) fields['vary'] = 'accept-language'
  if (!chunked) fields['content-length'] = bytes
  response.writeHead(200, fields)
  if (isHead) response.end()
  else if (breaksOff) {
    counts.truncated += 1
    response.write(body.subarray(from, from + (bytes >> 1)), () => setTimeout(() => response.socket?.resetAndDestroy(), 10))
  } else response.end(body.subarray(from, from + bytes))
}
