/**
 * The port of the Redis door: accepts clients, plain or under TLS, no more than are allowed.
 *
 * Floor 5, room server. One more client than allowed is told so in Redis's own words. Closing lets those go who are owed
 * nothing, and waits for the others until its deadline.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { constants } from 'node:crypto'
import type { Clock } from '../model/clock.ts'
import type { ListenAddress, ListenWish } from './listener.ts'
import type { Credentials } from './tls-credentials.ts'

/** One client, as the listener knows him. */
export interface RespClient {
  /** Whether he waits for replies. */
  readonly isOwed: boolean
  /** Bytes of his in this process: requests that are not whole, replies that are not taken. */
  readonly heldBytes: number
  /** Ends the connection when what was written has left. */
  end(): void
  destroy(): void
}

/** What a listener works with. */
export interface RespListenerParts {
  readonly maxClients: number
  readonly clock: Clock
  readonly tls: Credentials | undefined
  /** Takes a connection. */
  accept(socket: Socket): RespClient
  /** One more than allowed. */
  onRefused(): void
}

const FULL = '-ERR max number of clients reached\r\n'
const HANDSHAKE_MS = 10_000
const LOOK_AGAIN_MS = 20
/** Who has said all that he has to say still hears what he is owed. */
const SOCKETS = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 300_000,
  highWaterMark: 64 * 1024,
  allowHalfOpen: true,
} as const

/** See the module's header. */
export class RespListener {
  readonly #parts: RespListenerParts
  readonly #server: Server | TlsServer
  #credentials: Credentials | undefined
  readonly #clients = new Set<RespClient>()
  /** Sockets whose handshake is not done yet are nobody's clients. */
  readonly #sockets = new Set<Socket>()

  constructor(parts: RespListenerParts) {
    this.#parts = parts
    this.#credentials = parts.tls
    this.#server = parts.tls === undefined ? this.#plain() : this.#secure(parts.tls)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** Clients now. */
  get clients(): ReadonlySet<RespClient> {
    return this.#clients
  }

  /** Takes other certificates for connections to come. */
  renew(credentials: Credentials): void {
    this.#credentials = credentials
    const { honorCipherOrder } = { honorCipherOrder: true }
    if ('setSecureContext' in this.#server) this.#server.setSecureContext({ ...credentials.context, honorCipherOrder })
  }

  /** @throws what the system says of the address */
  listen(at: ListenWish): Promise<ListenAddress> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: at.host, port: at.port, reusePort: at.reusePort === true, backlog: 1024 }, () => {
        this.#server.off('error', reject)
        resolve({ host: at.host, port: (this.#server.address() as AddressInfo).port })
      })
    })
  }

  /** Accepts nobody any more, and ends everybody by the deadline. */
  async close(deadlineMs: number): Promise<void> {
    const { clock } = this.#parts
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const endMs = clock.now() + deadlineMs
    while (this.#clients.size > 0 && clock.now() < endMs) {
      for (const client of this.#clients) if (!client.isOwed) client.end()
      await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve))
    }
    this.destroy()
    await closed
  }

  /** Cuts every connection now. */
  destroy(): void {
    for (const client of this.#clients) client.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #plain(): Server {
    return createServer(SOCKETS, (socket) => this.#take(socket))
  }

  #secure(credentials: Credentials): TlsServer {
    const server = createTlsServer(
      {
        ...credentials.context,
        SNICallback: (name, done) => done(null, (this.#credentials as Credentials).choose(name)),
        requestCert: credentials.asksClients,
        rejectUnauthorized: credentials.asksClients,
        handshakeTimeout: HANDSHAKE_MS,
        honorCipherOrder: true,
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
        ...SOCKETS,
      },
      (socket) => this.#take(socket),
    )
    server.on('tlsClientError', (_, socket) => socket.destroy())
    return server
  }

  #take(socket: Socket): void {
    if (this.#clients.size >= this.#parts.maxClients) {
      this.#parts.onRefused()
      socket.on('error', () => socket.destroy())
      socket.end(FULL, () => socket.destroy())
      return
    }
    const client = this.#parts.accept(socket)
    this.#clients.add(client)
    socket.once('close', () => this.#clients.delete(client))
  }
}
