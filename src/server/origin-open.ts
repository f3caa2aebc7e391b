/**
 * Opens a request by `node:http` on a connection of its own, parsed strictly.
 *
 * Floor 5, room server.
 */
import { type ClientRequest, request as requestHttp } from 'node:http'
import { request as requestHttps, type RequestOptions } from 'node:https'
import type { RequestHead } from '../model/exchange.ts'
import { pathPrefix, requestFields } from './origin-request.ts'
import type { OriginTls } from './origin-tls.ts'

/** A request's head and where it goes. */
export interface OpenRequest {
  readonly url: URL
  readonly head: RequestHead
  readonly hasBody: boolean
  /** Fields of this hop, a flat list. */
  readonly hopFields: readonly string[]
  readonly maxHeadBytes: number
  readonly tls: OriginTls
}

/** @throws TypeError for fields that cannot be written */
export function openRequest({ url, head, hasBody, hopFields, maxHeadBytes, tls }: OpenRequest): ClientRequest {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'https:'
  const target: RequestOptions = {
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    ...tls.more,
    servername: tls.servername,
    method: head.method,
    path: pathPrefix(url) + head.target,
    headers: [...requestFields(head, hasBody), ...hopFields],
    setHost: false,
    agent: false,
    maxHeaderSize: maxHeadBytes,
    insecureHTTPParser: false,
  }
  return (secure ? requestHttps : requestHttp)(target)
}
