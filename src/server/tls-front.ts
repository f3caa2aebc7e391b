/**
 * TLS on a port: handshakes under a deadline, the version of HTTP by ALPN, certificates by name, exchanged while running.
 *
 * Floor 5, room server. Connections keep what they were made with; only new ones meet new certificates. Renegotiation is
 * refused: it costs the server more than the client.
 */
import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type Server } from 'node:tls'
import type { Credentials } from './tls-credentials.ts'

/** Who takes a connection over, by what was agreed on. */
export interface TlsEvents {
  onHttp1(socket: Socket): void
  onHttp2(socket: Socket): void
}

/** See the module's header. */
export class TlsFront {
  readonly server: Server
  #credentials: Credentials

  /** @param handshakeMs from the connection's begin to the end of its handshake */
  constructor(credentials: Credentials, handshakeMs: number, events: TlsEvents) {
    this.#credentials = credentials
    this.server = createServer(
      {
        ...credentials.context,
        ALPNProtocols: credentials.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
        SNICallback: (name, done) => done(null, this.#credentials.choose(name)),
        requestCert: credentials.asksClients,
        rejectUnauthorized: credentials.asksClients,
        handshakeTimeout: handshakeMs,
        honorCipherOrder: true,
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
        noDelay: true,
      },
      (socket) => {
        if (socket.alpnProtocol === 'h2') events.onHttp2(socket)
        else events.onHttp1(socket)
      },
    )
    this.server.on('tlsClientError', (_, socket) => socket.destroy())
  }

  /** Takes other certificates for connections to come. */
  exchange(credentials: Credentials): void {
    this.#credentials = credentials
    this.server.setSecureContext({ ...credentials.context, honorCipherOrder: true })
  }
}
