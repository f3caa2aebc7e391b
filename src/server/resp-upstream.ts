/**
 * Connections to the Redis behind the door: over TCP, TLS or a Unix socket, each under a deadline.
 *
 * Floor 5, room server. Files named in the section are read once, when the door is made. An address with several answers
 * (IPv4 and IPv6) is tried in turn by Node itself.
 */
import { connect as connectPlain, isIP, type NetConnectOpts, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { ForecacheError } from '../model/errors.ts'
import type { RespSettings } from './resp-schema.ts'
import { readPem } from '../tier/tls-material.ts'

const DEFAULT_PORT = 6379

/** Where the upstream is, and how it is spoken to. */
export interface Upstream {
  /** For people: without user and password. */
  readonly shown: string
  /** Our own login; undefined where none is named. */
  readonly login: { readonly username: string; readonly password: string } | undefined
  /** Begins a connection; `onOpen` runs once when it stands, and is handshaken. */
  connect(onOpen: () => void): Socket
}

/** @throws FC_OPTION_VALUE, FC_TLS_FILE, FC_TLS_PEM */
export function createUpstream(settings: Pick<RespSettings, 'upstream' | 'upstreamTls'>): Upstream {
  const url = new URL(settings.upstream as string)
  const login = loginOf(url)
  if (url.protocol === 'unix:') {
    const path = decodeURIComponent(url.pathname)
    return { shown: `unix://${path}`, login, connect: (onOpen) => connectPlain({ path }, onOpen) }
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port)
  const at = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 } satisfies NetConnectOpts
  const shown = `${url.protocol}//${url.hostname}:${port}`
  if (url.protocol === 'redis:') return { shown, login, connect: (onOpen) => connectPlain(at, onOpen) }
  const secure = secureOptions(settings.upstreamTls, host)
  return { shown, login, connect: (onOpen) => connectTls({ ...at, ...secure }, onOpen) }
}

function loginOf(url: URL): Upstream['login'] {
  if (url.password === '') return undefined
  try {
    return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  } catch {
    throw new ForecacheError('FC_OPTION_VALUE', { name: 'resp.upstream', reason: 'user and password must be percent-encoded' })
  }
}

function secureOptions(tls: RespSettings['upstreamTls'], host: string): ConnectionOptions {
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = tls
  const options: ConnectionOptions = { rejectUnauthorized, servername: servername ?? (isIP(host) === 0 ? host : '') }
  if (ca !== undefined) options.ca = readPem(ca, 'resp.upstreamTls.ca')
  if (cert !== undefined) options.cert = readPem(cert, 'resp.upstreamTls.cert')
  if (key !== undefined) options.key = readPem(key, 'resp.upstreamTls.key')
  if (passphrase !== undefined) options.passphrase = passphrase
  return options
}

/** Where an open connection leads: the same text for the same server, whatever its name resolves to next time. */
export function placeOf(socket: Socket): string {
  return socket.remoteAddress === undefined ? 'a socket' : `${socket.remoteAddress} ${socket.remotePort ?? ''}`
}
