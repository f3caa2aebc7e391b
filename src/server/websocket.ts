/**
 * The WebSocket handshake: what a client must send, and what proves that the origin understood it.
 *
 * Floor 5, room server. Pure.
 *
 * @see RFC 6455 section 4
 */
import { createHash } from 'node:crypto'
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { Fields } from '../model/fields.ts'
import { endToEnd } from '../rules/hop.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A request that asks for a WebSocket and brings no content; every other upgrade is served as a plain request. */
export function isWebSocket(request: IncomingMessage): boolean {
  const { upgrade, connection, 'content-length': length, 'transfer-encoding': coding } = request.headers
  return (
    upgrade?.toLowerCase() === 'websocket' &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(connection ?? '') &&
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    coding === undefined &&
    (length === undefined || length === '0')
  )
}

/** Whether key and version are those of a handshake that can be answered (section 4.2.1). */
export function isHandshake(key: string, version: string | undefined): boolean {
  return version === '13' && /^[A-Za-z0-9+/]{22}==$/.test(key)
}

/** Whether the origin agreed to this very handshake (section 4.2.2). */
export function agreesTo(answer: IncomingMessage, key: string): boolean {
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64')
  return (
    answer.statusCode === 101 &&
    answer.headers.upgrade?.toLowerCase() === 'websocket' &&
    answer.headers['sec-websocket-accept'] === accept
  )
}

/** The head of the origin's answer for the client, with the hop-by-hop fields that belong here. */
export function headText(answer: IncomingMessage, more: string): string {
  const status = answer.statusCode ?? 502
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (const [name, value] of endToEnd(Fields.fromRaw(answer.rawHeaders))) text += `${name}: ${value}\r\n`
  return `${text}${more}\r\n`
}
