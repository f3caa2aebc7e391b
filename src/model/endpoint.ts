/**
 * One endpoint of the `api` port, without any server: what administration offers and the api server mounts.
 *
 * Floor 0, room model. The server matches method and path, checks the API key, reads the body up to `maxBodyBytes`,
 * answers HEAD from GET, 404, 405 with Allow, and turns a thrown ForecacheError into its status and
 * `{"error":{"code","message"}}`. A handler therefore sees only requests that are complete and allowed.
 */
import type { z } from 'zod'
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

/** One parameter of an endpoint, for its description. */
export interface ParameterText {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly description: string
  /** Default: text. */
  readonly schema?: z.ZodType
  /** Default: a parameter of the path is, others are not. */
  readonly required?: boolean
}

/** Content by media type; undefined: any bytes. */
export type ContentText = Readonly<Record<string, z.ZodType | undefined>>

/** One kind of answer of an endpoint. */
export interface AnswerText {
  readonly description: string
  /** Fields worth naming, and what they say. */
  readonly fields?: Readonly<Record<string, string>>
  /** Absent: without content. */
  readonly content?: ContentText
}

/** What an endpoint says of itself; the OpenAPI document is printed from it (server/openapi). */
export interface EndpointText {
  /** Stable name of the operation: a verb and its object. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly ParameterText[]
  readonly body?: ContentText
  /** Answers that are more than an error of every endpoint, by status; errors need only their description. */
  readonly answers: Readonly<Record<number, AnswerText>>
  /** HEAD is described beside GET. */
  readonly head?: boolean
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
  readonly about?: EndpointText
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
