/**
 * One endpoint of the `api` port, without any server: what administration offers and the api server mounts.
 *
 * Floor 0, room model. The server matches method and path, checks the API key, reads the body up to `maxBodyBytes`,
 * answers HEAD from GET, 404, 405 with Allow, and turns a thrown ForecacheError into its status and
 * `{"error":{"code","message"}}`. A handler therefore sees only requests that are complete and allowed.
 */
import type { Fields } from './fields.ts'

/** A request as an endpoint sees it. */
export interface ApiRequest {
  readonly method: string
  /** Path as matched, without query. */
  readonly path: string
  /** Decoded parameters of the path's pattern. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly fields: Fields
  /** The whole content; empty when there is none. */
  readonly body: Uint8Array
  /** Aborted when the client goes away or the server closes. */
  readonly signal: AbortSignal
}

/** What an endpoint answers. */
export interface ApiReply {
  readonly status: number
  readonly fields?: Readonly<Record<string, string | number | readonly string[]>>
  /** A stream is written with back-pressure: the next chunk is asked for only when the former was taken; `return()` when the client has gone. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>
}

/** See the module's header. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** find-my-way's pattern, such as `/v1/stats` or `/cache/:key`. */
  readonly path: string
  /** Answered without an API key (health); default false. */
  readonly open?: boolean
  /** Limit of the request's body; default 0: a body is refused with FC_REQUEST_TOO_LARGE. */
  readonly maxBodyBytes?: number
  /** @throws ForecacheError */
  handle(request: ApiRequest): ApiReply | Promise<ApiReply>
}

/** @returns a JSON answer that no cache keeps */
export function jsonReply(status: number, value: unknown): ApiReply {
  return {
    status,
    fields: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: `${JSON.stringify(value)}\n`,
  }
}
