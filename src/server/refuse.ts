/**
 * Errors as answers: status, code and text, for requests that were parsed and for those that could not be.
 *
 * Floor 5, room server. What is not a ForecacheError is answered 500 without its text, which may hold what is nobody's business.
 */
import { STATUS_CODES } from 'node:http'
import { ForecacheError } from '../model/errors.ts'
import type { Outcome, Reply } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'

/** Methods the gateway knows, for `Allow`. */
export const ALLOW = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY'

/** `{"error":{"code","message"}}`, the form of every error of every door. */
export function errorBody(error: unknown): Uint8Array {
  const known = error instanceof ForecacheError
  const code = known ? error.code : 'FC_INTERNAL'
  const message = known ? error.message : 'FC_INTERNAL: the request could not be answered; the log says why'
  return Buffer.from(`${JSON.stringify({ error: { code, message } })}\n`)
}

export function errorStatus(error: unknown): number {
  return error instanceof ForecacheError ? error.status : 500
}

/**
 * The answer to a request that failed before or instead of an answer of the origin.
 *
 * @param door `gateway` adds Cache-Status and X-Cache; `api` asks for the key
 */
export function errorReply(error: unknown, door: 'gateway' | 'api'): Reply {
  const status = errorStatus(error)
  const body = errorBody(error)
  const allow = error instanceof ForecacheError && status === 405 ? (error.detail.allow ?? ALLOW) : undefined
  const fields = Fields.from({
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.byteLength,
    'cache-control': 'no-store',
    allow,
    'retry-after': status === 503 ? 1 : undefined,
    'www-authenticate': status === 401 ? 'Bearer' : undefined,
  })
  if (door === 'gateway') {
    fields.append('cache-status', `forecache; detail=${error instanceof ForecacheError ? error.code : 'FC_INTERNAL'}`)
    fields.append('x-cache', 'BYPASS')
  }
  return { head: { status, statusText: STATUS_CODES[status] ?? '', fields }, body, outcome: NO_CACHE }
}

/** Outcome of answers that no cache had a part in. */
export const NO_CACHE: Outcome = { cache: 'BYPASS', cached: false, stale: false, route: 'default' }

/** What `node:http` reports of a connection it could not parse, in our codes. */
export function parseFailure(error: Error & { code?: string; reason?: string; rawPacket?: Buffer }, max: number): ForecacheError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      // No line has ended within the limit: it is the target that is too long.
      return new ForecacheError(
        error.rawPacket?.subarray(0, max).includes('\r\n') === false ? 'FC_TARGET_TOO_LONG' : 'FC_HEADERS_TOO_LARGE',
        { max },
      )
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ForecacheError('FC_REQUEST_BAD', { reason: 'chunk extensions are too long' })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ForecacheError('FC_REQUEST_TIMEOUT', { ms: 'the allowed' })
    default:
      return new ForecacheError('FC_REQUEST_BAD', { reason: error.reason ?? 'it is not HTTP' })
  }
}

/** A whole answer as bytes, after which the connection is closed. */
export function errorBytes(error: ForecacheError): Buffer {
  const body = errorBody(error)
  const head =
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\nContent-Type: application/json; charset=utf-8\r\n` +
    `Content-Length: ${body.byteLength}\r\nCache-Control: no-store\r\nConnection: close\r\n` +
    (error.status === 405 ? `Allow: ${ALLOW}\r\n\r\n` : '\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
