/**
 * A connection to NATS, kept: the only file that knows which client library is used.
 *
 * Floor 2, room tier. `@nats-io/transport-node` is an optional peer, imported when the first connection is opened. The library
 * neither reconnects nor queues here: a connection that has ended is thrown away, and another is opened in the background, on
 * any of the URL's servers. A server that answers no ping for about two seconds counts as gone.
 */
import { createRequire } from 'node:module'
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError, textOf } from '../model/errors.ts'
import type { Random } from '../model/random.ts'
import type { NatsTarget } from './nats-address.ts'
import type { NatsCredentials } from './nats-credentials.ts'
import type { NatsCall, NatsConnection, NatsMessage, NatsPort } from './nats-port.ts'
import type { TlsMaterial } from './tls-material.ts'

/** What is used of the library; in words of our own, so that types need no package that is not installed. */
export interface NatsModule {
  connect(options: Readonly<Record<string, unknown>>): Promise<LibraryConnection>
  headers(): LibraryHeaders
  createInbox(): string
  nkeyAuthenticator(seed: Uint8Array): Authenticator
  jwtAuthenticator(jwt: string, seed: Uint8Array): Authenticator
}

/** Answers a server's challenge. */
type Authenticator = (nonce?: string) => unknown

interface LibraryHeaders {
  readonly code?: number
  set(name: string, value: string): void
}

interface LibraryMessage {
  readonly data: Uint8Array
  readonly reply?: string
  readonly headers?: LibraryHeaders
}

/** A connection as the library gives it. */
export interface LibraryConnection {
  readonly info?: { readonly max_payload?: number }
  request(subject: string, data: string | Uint8Array, options: Readonly<Record<string, unknown>>): Promise<LibraryMessage>
  publish(subject: string, data: string, options?: Readonly<Record<string, unknown>>): void
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: LibraryMessage) => void },
  ): { unsubscribe(): void }
  closed(): Promise<Error | undefined>
  close(): Promise<void>
}

/** What a port is made with. */
export interface NatsParts {
  readonly target: NatsTarget
  readonly tls: TlsMaterial
  /** Asked for at each connection; absent: what the URL says is all. @throws FC_LINK_CREDENTIALS */
  readonly credentials?: (() => NatsCredentials) | undefined
  readonly clock: Clock
  readonly random: Random
  /** Imports the library; default: the package. */
  readonly load?: () => Promise<NatsModule>
}

const PACKAGE = '@nats-io/transport-node'
const CONNECT_MS = 1000
const PING_MS = 700
const RETRY_MS = 50
const MAX_RETRY_MS = 1000
const DEFAULT_MAX_PAYLOAD = 1024 * 1024

/** Connects at once, in the background; see NatsPort. @throws FC_LINK_PEER where the library is not installed */
export function createNats(parts: NatsParts): NatsPort {
  if (parts.load === undefined) findLibrary()
  return new Nats(parts)
}

class Nats implements NatsPort {
  readonly #parts: NatsParts
  readonly #listeners = new Set<(connection: NatsConnection) => void>()
  #open: Open | undefined
  #failure: ForecacheError
  #retry: Timer | undefined
  #waitMs = RETRY_MS
  #isClosed = false

  constructor(parts: NatsParts) {
    this.#parts = parts
    this.#failure = this.#down('not connected yet')
    void this.#connect()
  }

  connection(): NatsConnection {
    if (this.#open?.isOpen === true) return this.#open
    throw this.#failure
  }

  onOpen(listener: (connection: NatsConnection) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#isClosed = true
    this.#retry?.cancel()
    this.#failure = this.#down('closed')
    this.#open?.end()
  }

  async #connect(): Promise<void> {
    const { load = importLibrary, target, tls, credentials } = this.#parts
    try {
      const library = await load().catch((cause: unknown) => {
        throw new ForecacheError('FC_LINK_PEER', { name: PACKAGE }, { cause })
      })
      const who = credentials === undefined ? {} : { authenticator: authenticatorOf(library, credentials()) }
      const nats = await library.connect({ ...optionsOf(target, tls), ...who })
      const open = new Open(nats, library, this.#text)
      if (this.#isClosed) return open.end()
      this.#open = open
      this.#waitMs = RETRY_MS
      void nats.closed().then(
        (error) => this.#lose(open, error),
        (error: unknown) => this.#lose(open, error),
      )
      for (const listener of this.#listeners) listener(open)
    } catch (error) {
      this.#failure = error instanceof ForecacheError ? error : this.#down(reasonOf(error), error)
      this.#again()
    }
  }

  #lose(open: Open, error: unknown): void {
    open.isOpen = false
    if (this.#open !== open || this.#isClosed) return
    this.#open = undefined
    this.#failure = this.#down(error === undefined ? 'the connection ended' : reasonOf(error), error)
    this.#again()
  }

  #again(): void {
    if (this.#isClosed) return
    const { clock, random } = this.#parts
    this.#retry = clock.after(this.#waitMs * (0.5 + random() / 2), () => void this.#connect())
    this.#waitMs = Math.min(MAX_RETRY_MS, this.#waitMs * 2)
  }

  get #text(): string {
    return this.#parts.target.servers.join(',')
  }

  #down(reason: string, cause?: unknown): ForecacheError {
    return new ForecacheError('FC_LINK_DOWN', { address: this.#text, reason }, { cause })
  }
}

class Open implements NatsConnection {
  readonly #nats: LibraryConnection
  readonly #library: NatsModule
  readonly #address: string
  isOpen = true

  constructor(nats: LibraryConnection, library: NatsModule, address: string) {
    this.#nats = nats
    this.#library = library
    this.#address = address
  }

  get maxPayload(): number {
    return this.#nats.info?.max_payload ?? DEFAULT_MAX_PAYLOAD
  }

  async request(subject: string, body: string | Uint8Array, { deadlineMs, headers }: NatsCall): Promise<NatsMessage> {
    if (!this.isOpen) throw this.#down('the connection ended')
    const timeout = Math.max(1, Math.ceil(deadlineMs))
    try {
      const how = headers === undefined ? { timeout } : { timeout, headers: this.#headersOf(headers) }
      return messageOf(await this.#nats.request(subject, body, how))
    } catch (error) {
      throw this.#errorOf(error, subject, timeout)
    }
  }

  publish(subject: string, body: string, reply?: string): void {
    try {
      this.#nats.publish(subject, body, reply === undefined ? {} : { reply })
    } catch (error) {
      throw this.#down(reasonOf(error), error)
    }
  }

  subscribe(subject: string, listen: (message: NatsMessage) => void): () => void {
    const callback = (error: Error | null, message: LibraryMessage): void => {
      if (error === null) listen(messageOf(message))
    }
    const subscription = this.#nats.subscribe(subject, { callback })
    return () => {
      if (this.isOpen) subscription.unsubscribe()
    }
  }

  inbox(): string {
    return this.#library.createInbox()
  }

  end(): void {
    this.isOpen = false
    void this.#nats.close().catch(() => {})
  }

  #headersOf(given: Readonly<Record<string, string>>): LibraryHeaders {
    const headers = this.#library.headers()
    for (const [name, value] of Object.entries(given)) headers.set(name, value)
    return headers
  }

  #errorOf(error: unknown, subject: string, ms: number): ForecacheError {
    const names = [error, error instanceof Error ? error.cause : undefined].map((one) => (one instanceof Error ? one.name : ''))
    if (names.includes('TimeoutError'))
      return new ForecacheError('FC_LINK_TIMEOUT', { address: this.#address, ms }, { cause: error })
    if (names.includes('NoResponders'))
      return new ForecacheError('FC_LINK_REPLY', { subject, reason: NO_RESPONDERS }, { cause: error })
    return this.#down(reasonOf(error), error)
  }

  #down(reason: string, cause?: unknown): ForecacheError {
    return new ForecacheError('FC_LINK_DOWN', { address: this.#address, reason }, { cause })
  }
}

/** Reason of the reply where nobody listens to a subject: no such stream, or no JetStream at all. */
export const NO_RESPONDERS = 'no responders'

function optionsOf({ servers, tls, username, password, token }: NatsTarget, material: TlsMaterial): Record<string, unknown> {
  return {
    servers: [...servers],
    name: 'forecache',
    reconnect: false,
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(username === undefined ? {} : { user: username, pass: password }),
    ...(token === undefined ? {} : { token }),
    ...(tls ? { tls: { ...material } } : {}),
  }
}

function authenticatorOf(library: NatsModule, { seed, jwt }: NatsCredentials): Authenticator {
  const key = new TextEncoder().encode(seed)
  return jwt === undefined ? library.nkeyAuthenticator(key) : library.jwtAuthenticator(jwt, key)
}

function messageOf({ data, reply, headers }: LibraryMessage): NatsMessage {
  return { data, reply: reply ?? '', status: headers?.code ?? 0 }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : textOf(error)
}

/** Missing is told at creation, not by a log that never comes in sight. */
function findLibrary(): void {
  try {
    createRequire(import.meta.url).resolve(PACKAGE)
  } catch (cause) {
    throw new ForecacheError('FC_LINK_PEER', { name: PACKAGE }, { cause })
  }
}

/** Seen through our own words: its types are not compared with them here. */
function importLibrary(): Promise<NatsModule> {
  return import('@nats-io/transport-node') as Promise<unknown> as Promise<NatsModule>
}
