/**
 * Where a Redis or Valkey is, read from its URL alone; single, Cluster and Sentinel are written alike.
 *
 * Floor 2, room tier. `redis[s]://[[user][:password]@]host[:port][,host[:port]…][/database][?master=name]`: what kind of
 * server answers there is asked of it, not of the user. Pure; the password is never put into an error.
 */
import { ForecacheError } from '../model/errors.ts'
import type { TlsMaterial } from './tls-material.ts'

/** One server's place. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/** What a URL says. */
export interface RedisTarget {
  /** At least one; any of them may be asked first. */
  readonly nodes: readonly NodeAddress[]
  readonly tls: boolean
  /** See RedisLogin; not of the URL. */
  readonly secure?: TlsMaterial
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
  /** Name of the master to ask Sentinels for; needed only where they watch several. */
  readonly master: string | undefined
}

const DEFAULT_PORT = 6379
const FORM = /^(rediss?|valkeys?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d{0,5}))?(?:\?([^#]*))?$/
const SHAPE = 'expected redis://[user:password@]host[:port][,host:port…][/database][?master=name], or rediss:// for TLS'

/** @throws FC_OPTION_VALUE */
export function parseRedisUrl(url: string, name = 'l2.url'): RedisTarget {
  const match = FORM.exec(url)
  if (match === null) throw refuse(name, SHAPE)
  const [, scheme, login, hosts, database, query] = match as unknown as [string, string, ...(string | undefined)[]]
  const params = new URLSearchParams(query ?? '')
  for (const key of params.keys()) if (key !== 'master') throw refuse(name, `unknown parameter ${key}; known: master`)
  const colon = login?.indexOf(':') ?? -1
  const username = login === undefined ? '' : colon < 0 ? login : login.slice(0, colon)
  const password = login === undefined || colon < 0 ? '' : login.slice(colon + 1)
  return {
    nodes: (hosts as string).split(',').map((host) => parseNode(host, name)),
    tls: scheme.endsWith('s') && scheme !== 'redis',
    username: username === '' ? undefined : decode(username, name),
    password: password === '' ? undefined : decode(password, name),
    database: Number(database ?? 0),
    master: params.get('master') ?? undefined,
  }
}

/** A server's place as people write it. */
export function addressText({ host, port }: NodeAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function parseNode(text: string, name: string): NodeAddress {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[3] ?? DEFAULT_PORT)
  if (match === null || port < 1 || port > 65_535) throw refuse(name, SHAPE)
  return { host: (match[1] ?? match[2]) as string, port }
}

function decode(text: string, name: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse(name, 'user and password must be percent-encoded')
  }
}

function refuse(name: string, reason: string): ForecacheError {
  return new ForecacheError('FC_OPTION_VALUE', { name, reason })
}
