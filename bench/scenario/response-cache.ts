/**
 * Response-level caching in Redis: the whole answer under the URL (and the session, where the answer is a session's), as
 * one round trip. The fairest thing a service can do with Redis alone.
 */
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http'
import { readCookie } from '../../src/cli/demo/shop/session.ts'
import type { RedisClient } from './redis.ts'

interface Kept {
  readonly headers: OutgoingHttpHeaders
  readonly body: string
}

/** Answers GET from Redis, else from `inner`, keeping complete 200 answers for the freshness they declare. */
export function createResponseCache(inner: RequestListener, redis: RedisClient): RequestListener {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = keyOf(request)
    if (key === undefined) return void inner(request, response)
    const kept = await redis.get(key)
    if (kept === null) {
      response.setHeader('x-cache', 'MISS')
      keepAnswer(response, (seconds, value) =>
        redis.set(key, JSON.stringify(value), { expiration: { type: 'EX', value: seconds } }),
      )
      return void inner(request, response)
    }
    const { headers, body } = JSON.parse(kept) as Kept
    response.writeHead(200, { ...headers, 'x-cache': 'HIT' }).end(body)
  }
  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error)
      response.destroy()
    })
  }
}

function keyOf(request: IncomingMessage): string | undefined {
  if (request.method !== 'GET' || request.headers['cache-control'] === 'no-cache') return undefined
  const url = request.url ?? '/'
  const session = url.startsWith('/api/v1/') ? readCookie(request.headers.cookie, 'session') : ''
  return `response:${url}:${session ?? ''}`
}

function keepAnswer(response: ServerResponse, keep: (seconds: number, value: Kept) => Promise<unknown>): void {
  const end = response.end.bind(response) as (body?: Uint8Array) => ServerResponse
  response.end = ((body?: Uint8Array) => {
    const declared = String(response.getHeader('forecache-cache-control') ?? response.getHeader('cache-control') ?? '')
    const seconds = Number(/(?:^|[\s,])max-age=(\d+)/.exec(declared)?.[1] ?? 0)
    if (response.statusCode === 200 && seconds > 0 && !/private|no-store/.test(declared) && body !== undefined) {
      keep(seconds, { headers: response.getHeaders(), body: Buffer.from(body).toString('utf8') }).catch(console.error)
    }
    return end(body)
  }) as typeof response.end
}
