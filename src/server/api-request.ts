/**
 * One request of the `api` port: checked, matched to its endpoint, its content read, answered.
 *
 * Floor 5, room server. Order: the request is unambiguous, names an endpoint, its sender may use it, and only then is its
 * content read. What an endpoint throws becomes its status and code.
 */
import { ForecacheError } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import type { Logger } from '../model/port.ts'
import { type ApiRoutes, checkCaller, matchEndpoint } from './api-match.ts'
import { httpReply } from './api-reply.ts'
import type { Inbound } from './inbound.ts'
import { errorReply } from './refuse.ts'

/** Limits of heads on the api port. */
export const API_LIMITS = {
  maxTargetBytes: 8192,
  maxFields: 100,
  maxBodyBytes: Number.MAX_SAFE_INTEGER,
  defaultAuthority: 'localhost',
}
const BODY_IDLE_MS = 10_000

/** Answers one request; never rejects. */
export async function receiveApi(routes: ApiRoutes, incoming: Inbound, logger: Logger): Promise<void> {
  const reply = await answer(routes, incoming).catch((error: unknown) => {
    if (!(error instanceof ForecacheError)) logger.error({ err: error, url: incoming.url }, 'an endpoint failed')
    return errorReply(error, 'api')
  })
  try {
    await incoming.send(reply, { via: undefined, latencyUs: undefined })
  } catch (error) {
    logger.error({ err: error, url: incoming.url }, 'an answer could not be written')
    incoming.abort()
  }
}

async function answer(routes: ApiRoutes, incoming: Inbound): Promise<Reply> {
  const head = incoming.admit(API_LIMITS)
  const { endpoint, params, path, query } = matchEndpoint(routes, head)
  if (endpoint.open !== true) checkCaller(routes, head)
  const signal = incoming.signal()
  const { intake } = routes
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of contentOf(incoming, endpoint.maxBodyBytes ?? 0)) {
      intake.take(chunk.byteLength)
      chunks.push(chunk)
    }
    const body = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
    return httpReply(await endpoint.handle({ method: head.method, path, params, query, fields: head.fields, body, signal }))
  } finally {
    for (const chunk of chunks) intake.release(chunk.byteLength)
  }
}

/** @throws FC_REQUEST_TOO_LARGE before anything is read, where the length is told */
function contentOf(incoming: Inbound, maxBytes: number): AsyncIterable<Uint8Array> | readonly Uint8Array[] {
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes)
    throw new ForecacheError('FC_REQUEST_TOO_LARGE', { max: maxBytes })
  return incoming.content({ maxBytes, idleMs: BODY_IDLE_MS }) ?? []
}
