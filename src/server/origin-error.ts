/**
 * What went wrong with an origin, in our own codes: unreachable, too late, broken off.
 *
 * Floor 5, room server. Reasons name the system's error code, never addresses or paths of the origin's side.
 */
import { ForecacheError } from '../model/errors.ts'

/** How far a sending had come when it failed. */
export type SendStage = 'unsent' | 'sent' | 'answering'

/** Deadlines named in errors, ms. */
export interface OriginDeadlines {
  readonly connectMs: number
  readonly bodyIdleMs: number
}

/**
 * @param error what undici, the socket or the request's own body threw
 * @param stage how far the sending had come
 * @returns the error itself where it is ours, else FC_ORIGIN_TIMEOUT, FC_ORIGIN_REFUSED, FC_ORIGIN_BROKEN or FC_REQUEST_BAD
 */
export function originError(error: unknown, stage: SendStage, deadlines: OriginDeadlines): Error {
  if (error instanceof ForecacheError) return error
  const code = codeOf(error)
  const options = { cause: error }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return new ForecacheError('FC_ORIGIN_TIMEOUT', { ms: deadlines.connectMs }, options)
  }
  if (code === 'UND_ERR_BODY_TIMEOUT') return new ForecacheError('FC_ORIGIN_TIMEOUT', { ms: deadlines.bodyIdleMs }, options)
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new ForecacheError('FC_REQUEST_BAD', { reason: error instanceof Error ? error.message : code }, options)
  }
  if (stage === 'unsent') return new ForecacheError('FC_ORIGIN_REFUSED', { reason: code }, options)
  return new ForecacheError('FC_ORIGIN_BROKEN', { reason: REASONS[code] ?? code }, options)
}

const REASONS: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'it closed the connection',
  ECONNRESET: 'it reset the connection',
  EPIPE: 'it closed the connection',
  ERR_HTTP2_STREAM_ERROR: 'it reset the stream',
  UND_ERR_HEADERS_OVERFLOW: 'its header fields are too large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'its body is not as long as its Content-Length says',
}

/** @returns the code of an error, or of the first of several (an AggregateError of all addresses of a host) */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0 && !('code' in error)) return codeOf(error.errors[0])
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'unknown'
}

/**
 * A kept-alive connection that the origin closed while we wrote to it: not one byte of an answer came, and the
 * connection had served an earlier answer, so the request was most likely never read (RFC 9110 section 9.2.2).
 */
export function isStaleConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = codeOf(error)
  if (code !== 'UND_ERR_SOCKET' && code !== 'ECONNRESET' && code !== 'EPIPE') return false
  return (
    'socket' in error &&
    typeof error.socket === 'object' &&
    error.socket !== null &&
    'bytesRead' in error.socket &&
    Number(error.socket.bytesRead) > 0
  )
}

/** undici gives a connection up when it brings 100 Continue, which it never asks for. */
export function isUnaskedContinue(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === 'UND_ERR_SOCKET' && error.message === 'bad response'
}
