/**
 * Where a NATS is, read from its URL alone.
 *
 * Floor 2, room tier. `nats://[user:password@|token@]host[:port][,host[:port]…]`, `tls://` where nothing may go in the clear.
 * Pure; what is secret is never put into an error.
 */
import { ForecacheError } from '../model/errors.ts'

/** What a URL says. */
export interface NatsTarget {
  /** Servers of one cluster, `host:port`; at least one, any of them may be asked. */
  readonly servers: readonly string[]
  readonly tls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  readonly token: string | undefined
}

const DEFAULT_PORT = 4222
const FORM = /^(nats|tls):\/\/(?:([^@/?#]*)@)?([^@/?#]+)\/?$/
const HOST = /^(\[[0-9a-fA-F:.%]+\]|[^:[\]]+)(?::(\d{1,5}))?$/
const SHAPE = 'expected nats://[user:password@]host[:port][,host:port…], or tls:// for TLS'

/** @throws FC_OPTION_VALUE */
export function parseNatsUrl(url: string, name = 'l2.bus.url'): NatsTarget {
  const match = FORM.exec(url)
  if (match === null) throw refuse(name, SHAPE)
  const [, scheme, login, hosts] = match as unknown as [string, string, string | undefined, string]
  const colon = login?.indexOf(':') ?? -1
  const isToken = login !== undefined && login !== '' && colon < 0
  return {
    servers: hosts.split(',').map((host) => parseServer(host, name)),
    tls: scheme === 'tls',
    username: login === undefined || colon < 0 ? undefined : decode(login.slice(0, colon), name),
    password: login === undefined || colon < 0 ? undefined : decode(login.slice(colon + 1), name),
    token: isToken ? decode(login, name) : undefined,
  }
}

function parseServer(text: string, name: string): string {
  const match = HOST.exec(text)
  const port = Number(match?.[2] ?? DEFAULT_PORT)
  if (match === null || port < 1 || port > 65_535) throw refuse(name, SHAPE)
  return `${match[1] as string}:${port}`
}

function decode(text: string, name: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse(name, 'user, password and token must be percent-encoded')
  }
}

function refuse(name: string, reason: string): ForecacheError {
  return new ForecacheError('FC_OPTION_VALUE', { name, reason })
}
