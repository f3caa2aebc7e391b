/**
 * What the hook reads of node-redis's objects, versions 5 and 6.
 *
 * Floor 5, room register. Nothing here changes anything.
 */
import type { ConnectionOptions } from 'node:tls'
import type { Target } from './dial.ts'
import type { Hub } from './hub.ts'
import type { Lane } from './lane.ts'

/** Which type of RESP becomes which class. */
export type TypeMapping = Readonly<Record<string, unknown>>

/** What goes with a command. */
export interface QueueOptions {
  readonly chainId?: symbol
  readonly asap?: boolean
  readonly typeMapping?: TypeMapping
  readonly abortSignal?: AbortSignal
}

/** The queue of a client's commands, as far as it is looked at. */
export interface RedisQueue {
  addCommand(args: readonly unknown[], options?: QueueOptions): Promise<unknown>
  readonly isPubSubActive: boolean
  readonly decoder: { onReply: (reply: unknown) => unknown; onPush: (push: unknown) => unknown }
}

/** What belongs to one client. */
export interface Wrapped {
  readonly hub: Hub
  readonly lane: Lane
  /** Connection that the lane knows of. */
  epoch: number
  /** Selected by the greeting or by the application. */
  database: number
  /** Greeting in which it was last selected. */
  greeting: symbol | undefined
  readonly major: number
  readonly isOldProtocol: boolean
  /** Sends a command of ours, past all that wraps the client. */
  readonly ask: (args: readonly string[]) => Promise<unknown>
}

/** What belongs to a client, on the client itself. */
export const WRAPPED: unique symbol = Symbol('forecache.wrapped')

/** A client, as far as it is looked at. */
export interface NodeRedis {
  readonly _self: NodeRedis
  readonly isReady: boolean
  readonly socketEpoch: number
  readonly _commandOptions?: { readonly typeMapping?: TypeMapping; readonly abortSignal?: AbortSignal }
  readonly options?: {
    readonly RESP?: number
    readonly database?: number
    readonly username?: string
    readonly password?: string
    readonly keyPrefix?: string | Buffer
    readonly clientSideCache?: unknown
    readonly credentialsProvider?: { readonly type: string }
    readonly socket?: {
      readonly host?: string
      readonly port?: number
      readonly path?: string
      readonly tls?: unknown
    } & ConnectionOptions
    readonly [name: symbol]: unknown
  }
  _getQueue(): RedisQueue
  [WRAPPED]?: Wrapped | undefined
  [name: string]: unknown
}

/** Whether commands are those that the client greets a server with. */
export function isGreeting(client: NodeRedis, options: QueueOptions | undefined): boolean {
  return options?.asap === true && options.chainId !== undefined && !client.isReady
}

/** What has to be alike for clients to share replies. */
export function formOf(
  client: NodeRedis,
  { major, database }: { readonly major: number; readonly database: number },
  mapping: TypeMapping | undefined,
): string {
  return `node-redis ${database} ${respOf(client, major)} ${mapping === undefined ? '' : mappingName(mapping)}`
}

/** RESP version that a client speaks. */
export function respOf({ options }: NodeRedis, major: number): number {
  return options?.RESP ?? (major >= 6 ? 3 : 2)
}

/** Where a client is connected; a text: it is left alone, and why ('' for no reason to tell). */
export function targetOf({ options }: NodeRedis): Target | string {
  if (options?.clientSideCache !== undefined) return 'a client of node-redis that has its own clientSideCache is left alone'
  if (options?.credentialsProvider !== undefined && options.credentialsProvider.type !== 'async-credentials-provider') {
    return 'a client of node-redis whose credentials change while it runs is left alone'
  }
  const { host = 'localhost', port = 6379, path, tls, ...rest } = options?.socket ?? {}
  const login = { username: options?.username, password: options?.password }
  if (login.password === undefined && options?.credentialsProvider !== undefined) {
    return 'a client of node-redis with a credentialsProvider of its own is left alone'
  }
  if (path !== undefined) return { place: { path }, tls: undefined, ...login }
  return { place: { host, port }, tls: tls === true ? secure(rest, host) : undefined, ...login }
}

/** Options of TLS stand among those of the socket. */
function secure(socket: ConnectionOptions, host: string): ConnectionOptions {
  const isName = !/^[\d.]+$|:/.test(host)
  return { ...(isName ? { servername: host } : {}), ...socket }
}

const names = new WeakMap<object, number>()
let named = 0

/** The same for mappings that say the same. */
function mappingName(mapping: TypeMapping): string {
  const parts: string[] = []
  for (const type in mapping) parts.push(`${type}=${className(mapping[type])}`)
  return parts.sort().join()
}

function className(given: unknown): number {
  if (typeof given !== 'function') return 0
  let name = names.get(given)
  if (name === undefined) {
    named += 1
    name = named
    names.set(given, name)
  }
  return name
}
