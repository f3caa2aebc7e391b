/**
 * What the hook reads of ioredis's objects, versions 5 and 6.
 *
 * Floor 5, room register. Nothing here changes anything.
 */
import type { Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Target } from './dial.ts'
import type { Flight } from './flight.ts'
import type { Lane } from './lane.ts'
import { drawerOf, hasMember } from './view.ts'

/** The lane of a client, on the client itself. */
export const LANE: unique symbol = Symbol('forecache.lane')

/** An instance of Redis, as far as it is looked at. */
export interface IoRedis {
  readonly status: string
  readonly options: {
    readonly host?: string
    readonly path?: string | null
    readonly tls?: ConnectionOptions | null
    readonly username?: string | null
    readonly password?: string | null
    readonly keyPrefix?: string | Buffer
    readonly stringNumbers?: boolean
    readonly monitor?: boolean
    readonly sentinels?: unknown
    readonly Connector?: unknown
    readonly enableAutoPipelining?: boolean
  }
  readonly condition?: {
    readonly select?: number
    readonly auth?: string | readonly [string, string] | null
    readonly subscriber?: unknown
    readonly protocol?: number
    readonly replyMapping?: string
  }
  readonly stream?: Socket | TLSSocket
  readonly scriptsSet?: object
  [LANE]?: Lane | undefined
  [name: string]: unknown
}

/** A command. */
export interface IoCommand {
  readonly name: string
  readonly args: readonly unknown[]
  readonly replyEncoding?: string | null
  readonly promise: Promise<unknown>
  readonly transformReply: (reply: unknown) => unknown
  readonly setReplyContext?: (context: unknown) => void
  resolve: (reply: unknown) => unknown
  reject: (error: unknown) => void
  [name: symbol]: Flight | undefined
}

/** Whether a reading has a drawer of its own, where it is kept as the application sees it. */
export function isOneReading(command: IoCommand): boolean {
  const { name, args, replyEncoding } = command
  if (replyEncoding !== 'utf8') return false
  const index = drawerOf(name)
  if (index === undefined || args.length !== (hasMember(index) ? 2 : 1)) return false
  if (typeof args[0] !== 'string' || (args.length === 2 && typeof args[1] !== 'string')) return false
  // What an application's own transformer of arguments makes of a key is not what its methods are called with.
  return transformersOf(command)?.argument?.[name] === undefined
}

/** Whether an application's own transformer makes something else of GET's replies. */
export function isTransformed(command: IoCommand): boolean {
  return command.name === 'get' && transformersOf(command)?.reply?.['get'] !== undefined
}

interface Transformers {
  readonly argument?: Readonly<Record<string, unknown>>
  readonly reply?: Readonly<Record<string, unknown>>
}

function transformersOf(command: IoCommand): Transformers | undefined {
  return (command.constructor as { readonly _transformer?: Transformers })._transformer
}

/** What has to be alike for clients to share replies. */
export function formOf({ options, condition }: IoRedis): string {
  const { keyPrefix = '', stringNumbers = false } = options
  const prefix = typeof keyPrefix === 'string' ? keyPrefix : `bytes ${keyPrefix.toString('hex')}`
  const shape = `${condition?.protocol ?? 2} ${condition?.replyMapping ?? 'legacy'} ${stringNumbers}`
  return `ioredis ${condition?.select ?? 0} ${shape} ${prefix}`
}

/** Where a client that is ready is connected; a text: it cannot be wrapped, and why ('' for no reason to tell). */
export function targetOf({ options, condition, stream }: IoRedis): Target | string {
  if (options.monitor === true || stream === undefined) return ''
  const auth = condition?.auth ?? undefined
  const [username, password] = Array.isArray(auth) ? (auth as [string, string]) : [undefined, auth as string | undefined]
  const isSecure = 'encrypted' in stream
  const login = { username: username ?? undefined, password: password ?? undefined }
  if (typeof options.path === 'string' && options.path !== '' && !options.sentinels) {
    return { place: { path: options.path }, tls: isSecure ? (options.tls ?? {}) : undefined, ...login }
  }
  const { remoteAddress, remotePort } = stream
  if (remoteAddress === undefined || remotePort === undefined) return ''
  if (isSecure && (options.tls === undefined || options.tls === null || options.Connector !== undefined)) {
    return 'a connection of ioredis over TLS without the option tls is left alone: how it was made is not known'
  }
  const servername = options.tls?.servername ?? nameOf(options.host)
  const tls = isSecure ? { ...options.tls, ...(servername === undefined ? {} : { servername }) } : undefined
  return { place: { host: remoteAddress, port: remotePort }, tls, ...login }
}

/** A host's name, for TLS; addresses are none. */
function nameOf(host: string | undefined): string | undefined {
  return host === undefined || /^[\d.]+$|:/.test(host) ? undefined : host
}
