import type { IncomingMessage } from 'node:http'

/** A complete WebSocket handshake (RFC 6455 section 4.2.1); every other upgrade is served as a plain request. */
export function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET' && request.httpVersion === '1.1'
}
