/**
 * One connection to one Redis or Valkey server: the only file that knows which client library is used.
 *
 * Floor 2, room tier. RESP 2, so that replies have one shape everywhere; strings come as bytes. The library neither
 * reconnects nor queues nor caches here: a connection that ended is thrown away, and who needs another opens it. The
 * library is loaded when the first connection is opened.
 */
import { isIP } from 'node:net'
import type { RedisClientType } from '@redis/client'
import { ForecacheError, textOf } from '../model/errors.ts'
import { addressText, type NodeAddress } from './redis-address.ts'
import type { TlsMaterial } from './tls-material.ts'

/** A command and its arguments. */
export type RedisCommand = readonly (string | Buffer)[]
/** A reply: bulk strings are Buffers, simple strings are strings. */
export type RedisReply = Buffer | string | number | null | readonly RedisReply[]

/** What a connection is opened with. */
export interface RedisLogin {
  readonly tls: boolean
  /** What TLS is spoken with; absent: the system's authorities, and the host's name. */
  readonly secure?: TlsMaterial
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
}

/** What a server says of itself. */
export interface ServerInfo {
  readonly mode: 'standalone' | 'cluster' | 'sentinel'
  /** Random name of this run of the server; '' where it does not say. */
  readonly runId: string
  readonly role: 'master' | 'slave' | ''
}

/** An open connection. */
export interface RedisConnection {
  readonly address: NodeAddress
  readonly info: ServerInfo
  /** Rejects with FC_L2_REPLY for an error reply, FC_L2_DOWN when the connection ends; without a deadline of its own. */
  send(command: RedisCommand): Promise<RedisReply>
  /** Messages of a channel; the connection is good for nothing else then. */
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>
  /** Ends it now; whoever waits for a reply is rejected. */
  destroy(): void
}

/** Asks a server to name itself, without a password's worth of detail. */
const CLIENT_NAME = 'forecache'
/** Tells the hook of this process to leave the client alone: what it reads has to come from the server. */
const OWN = Symbol.for('forecache.own')

/**
 * Connects, logs in and asks the server what it is.
 *
 * @param deadlineMs for all of it together; half of it to be connected
 * @param onEnd runs once when an opened connection has ended, whoever ended it
 * @throws (rejects) FC_L2_DOWN, FC_L2_REPLY
 */
export async function connectRedis(
  address: NodeAddress,
  login: RedisLogin,
  { deadlineMs, onEnd }: { readonly deadlineMs: number; readonly onEnd: (reason: string) => void },
): Promise<RedisConnection> {
  const { createClient, ErrorReply, RESP_TYPES } = await import('@redis/client')
  let reason = 'the connection ended'
  const client = createClient({
    RESP: 2,
    username: login.username ?? '',
    password: login.password ?? '',
    database: login.database,
    name: CLIENT_NAME,
    disableClientInfo: true,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    ...{ [OWN]: true },
    socket: {
      host: address.host,
      port: address.port,
      connectTimeout: deadlineMs / 2,
      reconnectStrategy: false,
      ...(login.tls
        ? { tls: true as const, ...(isIP(address.host) === 0 && { servername: address.host }), ...login.secure }
        : {}),
    },
  }) as unknown as RedisClientType
  client.on('error', (error: unknown) => {
    reason = textOf(error instanceof Error ? error.message : error) || reason
  })
  const connection = new ClientConnection(client, address, {
    isReply: (error) => error instanceof ErrorReply,
    reason: () => reason,
  })
  const late = setTimeout(() => {
    reason = `no greeting within ${deadlineMs} ms`
    client.destroy()
  }, deadlineMs)
  try {
    await client.connect()
    connection.info = parseInfo(await connection.send(['INFO']))
  } catch (error) {
    client.destroy()
    if (error instanceof ForecacheError) throw error
    const said = error instanceof Error && error.message !== '' ? error.message : reason
    throw new ForecacheError('FC_L2_DOWN', { address: addressText(address), reason: said }, { cause: error })
  } finally {
    clearTimeout(late)
  }
  let ended = false
  client.on('terminated', () => {
    if (ended) return
    ended = true
    onEnd(reason)
  })
  if (!client.isReady) throw new ForecacheError('FC_L2_DOWN', { address: addressText(address), reason })
  return connection
}

class ClientConnection implements RedisConnection {
  readonly address: NodeAddress
  readonly #client: RedisClientType
  readonly #judge: { readonly isReply: (error: unknown) => boolean; readonly reason: () => string }
  info: ServerInfo = { mode: 'standalone', runId: '', role: '' }

  constructor(
    client: RedisClientType,
    address: NodeAddress,
    judge: { readonly isReply: (error: unknown) => boolean; readonly reason: () => string },
  ) {
    this.#client = client
    this.address = address
    this.#judge = judge
  }

  send(command: RedisCommand): Promise<RedisReply> {
    return this.#client.sendCommand<RedisReply>(command as (string | Buffer)[]).catch((error: unknown) => {
      throw this.#errorOf(error, String(command[0]))
    })
  }

  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    try {
      await this.#client.subscribe(channel, (message) => listener(message), true)
    } catch (error) {
      throw this.#errorOf(error, 'SUBSCRIBE')
    }
  }

  destroy(): void {
    this.#client.destroy()
  }

  /** An error reply is the server's word; anything else means that the connection is gone. */
  #errorOf(error: unknown, command: string): ForecacheError {
    const said = error instanceof Error ? error.message : textOf(error)
    if (this.#judge.isReply(error)) return new ForecacheError('FC_L2_REPLY', { command, reason: said }, { cause: error })
    const detail = { address: addressText(this.address), reason: said || this.#judge.reason() }
    return new ForecacheError('FC_L2_DOWN', detail, { cause: error })
  }
}

/** @param reply INFO's reply, whatever the server calls its fields (Valkey says server_mode) */
function parseInfo(reply: RedisReply): ServerInfo {
  const rows = new Map(
    String(reply)
      .split(/\r?\n/)
      .map((row) => [row.slice(0, Math.max(0, row.indexOf(':'))), row.slice(row.indexOf(':') + 1)] as const),
  )
  const mode = rows.get('redis_mode') ?? rows.get('server_mode')
  const role = rows.get('role')
  return {
    mode: mode === 'cluster' || mode === 'sentinel' ? mode : 'standalone',
    runId: rows.get('run_id') ?? '',
    role: role === 'master' || role === 'slave' ? role : '',
  }
}
