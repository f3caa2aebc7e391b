/**
 * Clients of one Redis: through the front, through the hook, by library and API, and directly.
 */
import { createRequire } from 'node:module'
import { connect, type Socket } from 'node:net'
import type { Cache } from '../../src/entry/index.ts'
import { encodeCommand } from '../../src/resp/tracking-commands.ts'
import { type Reply, ReplyError, TrackingReader } from '../../src/resp/tracking-reader.ts'
import { type ClientName, openClient } from './hook-clients.ts'

/** Where a client stands. Those of one door share what memory knows. */
export type DoorName = 'front' | 'hook' | 'direct'

/** One client. */
export interface DoorsClient {
  readonly name: string
  readonly door: DoorName
  /** It knows texts alone, no hashes and no scripts. */
  readonly isPlain?: true
  get(key: string): Promise<string | null>
  mget(keys: readonly string[]): Promise<readonly (string | null)[]>
  /** One field of a hash, read with all of it. */
  field(key: string): Promise<string | null>
  call(...words: readonly string[]): Promise<unknown>
  close(): Promise<void> | void
}

/** Bytes on a socket. @param version of RESP */
export async function openRaw(port: number, door: DoorName, version: 2 | 3): Promise<DoorsClient> {
  const socket: Socket = connect(port, '127.0.0.1').setNoDelay(true)
  const waiting: ((reply: Reply) => void)[] = []
  const reader = new TrackingReader(
    { reply: (value) => waiting.shift()?.(value), invalidated: () => undefined, invalidatedAll: () => undefined },
    1024 * 1024,
  )
  socket.on('data', (chunk: Buffer) => reader.read(chunk))
  socket.on('error', () => undefined)
  const call = (...words: readonly string[]): Promise<Reply> =>
    new Promise((resolve, reject) => {
      waiting.push((reply) => (reply instanceof ReplyError ? reject(new Error(reply.text)) : resolve(reply)))
      socket.write(encodeCommand(words))
    })
  if (version === 3) await call('HELLO', '3')
  const text = (reply: Reply | undefined): string | null => (typeof reply === 'string' ? reply : null)
  return {
    ...{ name: `${door} raw RESP${version}`, door, call },
    get: async (key) => text(await call('GET', key)),
    mget: async (keys) => ((await call('MGET', ...keys)) as Reply[]).map(text),
    field: async (key) => text(((await call('HGETALL', key)) as Reply[])[1]),
    close: () => {
      socket.destroy()
    },
  }
}

/** A client that the hook has wrapped. */
export async function openHooked(port: number, name: ClientName): Promise<DoorsClient> {
  const client = await openClient(name, port)
  return {
    ...{ name: `hook ${name}`, door: 'hook' },
    get: async (key) => (await client.get(key)) as string | null,
    mget: async (keys) => (await client.mget(...keys)) as (string | null)[],
    field: async (key) => ((await client.hgetall(key)) as { v?: string }).v ?? null,
    call: (...words) => client.call(...words),
    close: () => client.close(),
  }
}

interface Plain {
  connect(): Promise<unknown>
  on(event: 'error', run: () => void): unknown
  sendCommand(words: readonly string[]): Promise<unknown>
  get(key: string): Promise<string | null>
  mGet(keys: readonly string[]): Promise<(string | null)[]>
  hGetAll(key: string): Promise<{ v?: string }>
  destroy(): void
}
const require = createRequire(import.meta.url)

/** A client library that knows nothing of us: one that none of the others here wraps. */
export async function openPlain(port: number, door: DoorName): Promise<DoorsClient> {
  const { createClient } = require('redis5') as { createClient: (options: object) => Plain }
  const client = createClient({ socket: { host: '127.0.0.1', port } })
  client.on('error', () => undefined)
  await client.connect()
  return {
    ...{ name: `${door} redis5`, door },
    get: (key) => client.get(key),
    mget: (keys) => client.mGet(keys),
    field: async (key) => (await client.hGetAll(key)).v ?? null,
    call: (...words) => client.sendCommand(words),
    close: () => client.destroy(),
  }
}

/** The library of this process, in a namespace whose values stand behind a door; every second reading looks at memory first. */
export function openLibrary(library: Cache, door: DoorName): DoorsClient {
  let asked = 0
  const get = async (key: string): Promise<string | null> => {
    asked += 1
    const peeked = asked % 2 === 0 ? undefined : library.peek<Buffer>(key)
    return (peeked ?? (await library.get<Buffer>(key))?.data)?.toString() ?? null
  }
  return {
    ...{ name: `${door} library`, door, isPlain: true, get },
    mget: async (keys) => {
      const found = await library.getMany<Buffer>(keys)
      return keys.map((key) => found.get(key)?.data.toString() ?? null)
    },
    field: () => Promise.reject(new Error('a hash')),
    call: (name, key, value, _, px) => {
      if (name === 'DEL') return library.delete(key as string)
      return library.set(key as string, value, { budget: px === undefined ? '1d' : Number(px) })
    },
    close: () => undefined,
  }
}

/** The native cache API over a front. */
export function openApi(port: number, door: DoorName): DoorsClient {
  const at = (key: string, query = ''): string => `http://127.0.0.1:${port}/cache/${key}?namespace=redis${query}`
  const get = async (key: string): Promise<string | null> => {
    const answer = await fetch(at(key))
    const text = await answer.text()
    return answer.status === 200 ? text : null
  }
  return {
    ...{ name: `${door} api`, door, isPlain: true, get },
    mget: (keys) => Promise.all(keys.map(get)),
    field: () => Promise.reject(new Error('a hash')),
    call: async (name, key, value, _, px) => {
      const ttl = px === undefined ? '&ttl=1d' : `&ttl=${px}ms`
      const put = { method: 'PUT', body: value as string }
      const answer = await (name === 'DEL' ? fetch(at(key as string), { method: 'DELETE' }) : fetch(at(key as string, ttl), put))
      if (!answer.ok) throw new Error(await answer.text())
      await answer.arrayBuffer()
    },
    close: () => undefined,
  }
}
