/**
 * What the tracking connection says, and what it makes of the answers.
 *
 * Floor 4, room resp. Pure: commands as RESP bytes, replies as data.
 */
import type { Reply, ReplyError } from './tracking-reader.ts'

/** One command as a RESP request. */
export function encodeCommand(words: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, END)
  }
  return Buffer.concat(parts)
}
const END = Buffer.from('\r\n')

/** PING, made once. */
export const PING = encodeCommand(['PING'])

/** Who we are to the server. */
export interface Login {
  readonly username: string | undefined
  readonly password: string | undefined
}

/** HELLO 3 with our login and a name that shows in CLIENT LIST. */
export function hello({ username, password }: Login): Buffer {
  const auth = password === undefined ? [] : ['AUTH', username ?? 'default', password]
  return encodeCommand(['HELLO', '3', ...auth, 'SETNAME', 'forecache-tracking'])
}

/** Broadcast: the server keeps nothing for us, and nothing has to be set on the clients' connections. */
export function trackingOn(prefixes: readonly string[]): Buffer {
  return encodeCommand(['CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes.flatMap((prefix) => ['PREFIX', prefix])])
}

/** What HELLO answers. */
export interface Greeting {
  readonly version: string
  readonly isClustered: boolean
  readonly isReplica: boolean
}

/** @returns undefined where it is no greeting in RESP3 */
export function greetingOf(reply: Reply): Greeting | undefined {
  if (!Array.isArray(reply) || field(reply, 'proto') !== 3) return undefined
  return {
    version: String(field(reply, 'version') ?? ''),
    isClustered: field(reply, 'mode') === 'cluster',
    isReplica: field(reply, 'role') === 'replica' || field(reply, 'role') === 'slave',
  }
}

function field(pairs: readonly Reply[], name: string): Reply | undefined {
  const at = pairs.findIndex((value, i) => i % 2 === 0 && value === name)
  return at < 0 ? undefined : pairs[at + 1]
}

/** One row of INFO, '' where there is none. */
export function infoField(reply: Reply, name: string): string {
  if (typeof reply !== 'string') return ''
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(reply)?.[1] ?? ''
}

/** Whether an error says that it will be no different next time: our rights, or a server too old. */
export function isLasting(error: ReplyError): boolean {
  return /^(NOPERM|NOPROTO|WRONGPASS|NOAUTH|ERR unknown|ERR Unknown|ERR syntax|ERR invalid|ERR AUTH|ERR Client sent)/.test(
    error.text,
  )
}

/** Whether the server forgets what was used least recently or least often, once its memory is full. */
export function forgetsByUse(memory: Reply): boolean {
  return Number(infoField(memory, 'maxmemory')) > 0 && /lru|lfu/.test(infoField(memory, 'maxmemory_policy'))
}

/**
 * Whether the server's threads send replies as soon as they are made, before the pushes of the same turn: Redis 8 and Valkey 8
 * with more than one thread (iothread.c). Before, replies left behind the pushes.
 */
export function isThreaded(server: Reply): boolean {
  const isNew = Number.parseInt(infoField(server, 'redis_version'), 10) >= 8 || infoField(server, 'valkey_version') !== ''
  return isNew && infoField(server, 'io_threads_active') !== '0'
}
