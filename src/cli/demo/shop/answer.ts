/**
 * What a route of the shop answers, and how it becomes HTTP: JSON, ETag, freshness, tags, stage times.
 *
 * Floor 6, room cli. Reads name the data they show (`Surrogate-Key`, and `Cache-Groups` of RFC 9875), writes name what
 * they changed (`Cache-Group-Invalidation`). Personal reads are private to browsers and to any cache that knows nothing
 * else; the targeted field (RFC 9213) gives forecache, whose route policy keys them by session, a freshness of its own.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Stages } from './stages.ts'

/** Freshness for shared caches, seconds. */
export interface Freshness {
  readonly maxAge: number
  /** May be served that long after `maxAge` while a refresh runs (RFC 5861). */
  readonly staleFor: number
}

/** How an answer may be stored. */
export type Caching =
  | { readonly kind: 'shared'; readonly freshness: Freshness }
  /** Bound to the session cookie; `freshness` is for a cache that keys by it. */
  | { readonly kind: 'session'; readonly freshness: Freshness }
  /** One user's own browser may keep it for so many seconds. */
  | { readonly kind: 'private'; readonly maxAge: number }
  | { readonly kind: 'never' }

/** An answer before it is HTTP. */
export interface Answer {
  readonly status: number
  readonly body: object
  readonly caching: Caching
  /** Names of the data this answer shows. */
  readonly tags?: readonly string[]
  /** Names of the data this write changed. */
  readonly changed?: readonly string[]
  readonly location?: string
  readonly allow?: string
}

/** An answer that says what went wrong (RFC 9457); never stored. */
export function problem(status: number, detail: string, allow?: string): Answer {
  const body = { status, title: TITLES[status] ?? 'Error', detail }
  return { status, body, caching: { kind: 'never' }, ...(allow === undefined ? {} : { allow }) }
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  500: 'Internal Server Error',
}

/** Writes the answer; 304 when the client's validator still fits. */
export function writeAnswer(request: IncomingMessage, response: ServerResponse, made: { answer: Answer; stages: Stages }): void {
  const { answer, stages } = made
  const end = stages.start('serialize')
  const bytes = Buffer.from(JSON.stringify(answer.body))
  end()
  const good = answer.status === 200 && (request.method === 'GET' || request.method === 'HEAD')
  if (good) response.setHeader('etag', `"${createHash('sha1').update(bytes).digest('base64url')}"`)
  setCaching(response, answer)
  response.setHeader('server-timing', stages.header())
  if (answer.location !== undefined) response.setHeader('location', answer.location)
  if (answer.allow !== undefined) response.setHeader('allow', answer.allow)
  if (good && isUnchanged(request.headers['if-none-match'], response.getHeader('etag') as string)) {
    response.writeHead(304).end()
    return
  }
  response.setHeader('content-type', answer.status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json')
  response.setHeader('content-length', bytes.length)
  response.writeHead(answer.status).end(request.method === 'HEAD' ? undefined : bytes)
}

function setCaching(response: ServerResponse, { caching, tags = [], changed = [] }: Answer): void {
  // The stage times belong to this one request: a cache must not replay them (RFC 9111 section 5.2.2.4).
  const own = 'no-cache="server-timing"'
  switch (caching.kind) {
    case 'shared':
      response.setHeader('cache-control', `public, ${windows(caching.freshness)}, ${own}`)
      break
    case 'session':
      response.setHeader('cache-control', 'private, no-cache')
      response.setHeader('forecache-cache-control', `${windows(caching.freshness)}, ${own}`)
      response.setHeader('vary', 'cookie')
      break
    case 'private':
      response.setHeader('cache-control', `private, max-age=${caching.maxAge}`)
      response.setHeader('vary', 'cookie')
      break
    case 'never':
      response.setHeader('cache-control', 'no-store')
      break
    default:
      caching satisfies never
  }
  if (tags.length > 0) {
    response.setHeader('surrogate-key', tags.join(' '))
    response.setHeader('cache-groups', groups(tags))
  }
  if (changed.length > 0) response.setHeader('cache-group-invalidation', groups(changed))
}

function windows({ maxAge, staleFor }: Freshness): string {
  if (maxAge <= 0) return 'no-cache'
  return staleFor > 0 ? `max-age=${maxAge}, stale-while-revalidate=${staleFor}` : `max-age=${maxAge}`
}

function groups(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}

function isUnchanged(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false
  return given.trim() === '*' || given.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
