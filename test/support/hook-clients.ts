/**
 * The four clients under one set of names, wrapped in this very process; and a way between them and the server that can
 * hold back what the tracking connection hears.
 */
import { createRequire } from 'node:module'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { wrap } from '../../src/entry/redis.ts'

/** Packages by the names that package.json gives them. */
export const CLIENTS = ['ioredis5', 'ioredis6', 'redis5', 'redis6'] as const
export type ClientName = (typeof CLIENTS)[number]

/** A client, the same for all. */
export interface AnyClient {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ...options: string[]): Promise<unknown>
  hgetall(key: string): Promise<unknown>
  hset(key: string, field: string, value: string): Promise<unknown>
  mget(...keys: string[]): Promise<unknown>
  call(...words: string[]): Promise<unknown>
  select(database: number): Promise<unknown>
  multi(...commands: (readonly string[])[]): Promise<unknown>
  close(): Promise<void>
}

type Raw = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>

const require = createRequire(import.meta.url)

/** @param options as the client's library takes them; the server is at 127.0.0.1 */
export async function openClient(name: ClientName, port: number, options: object = {}): Promise<AnyClient> {
  return name.startsWith('ioredis') ? openIoredis(name, port, options) : openNodeRedis(name, port, options)
}

async function openIoredis(name: ClientName, port: number, options: object): Promise<AnyClient> {
  const { default: Redis } = require(name) as { default: new (options: object) => Raw & { pipeline(): Raw } }
  const redis = wrap(new Redis({ host: '127.0.0.1', port, ...options })) as unknown as Raw
  const run = (method: string, ...args: unknown[]): Promise<unknown> => (redis[method] as Raw[string]).call(redis, ...args)
  void run('on', 'error', () => undefined) // servers come and go here
  await run('get', 'first')
  return {
    get: (key) => run('get', key),
    set: (key, value, ...more) => run('set', key, value, ...more),
    hgetall: (key) => run('hgetall', key),
    hset: (key, field, value) => run('hset', key, field, value),
    mget: (...keys) => run('mget', ...keys),
    call: (...words) => run('call', ...words),
    select: (database) => run('select', database),
    multi: (...commands) => {
      const made = (redis['multi'] as unknown as () => { exec(): Promise<unknown>; call(...words: string[]): void }).call(redis)
      for (const words of commands) made.call(...words)
      return made.exec()
    },
    close: async () => {
      await run('quit')
    },
  }
}

async function openNodeRedis(name: ClientName, port: number, options: object): Promise<AnyClient> {
  const { createClient } = require(name) as { createClient: (options: object) => Raw }
  const client = wrap(createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: () => 50 }, ...options }))
  const run = (method: string, ...args: unknown[]): Promise<unknown> => (client[method] as Raw[string]).call(client, ...args)
  void run('on', 'error', () => undefined)
  await run('connect')
  await run('get', 'first')
  return {
    get: (key) => run('get', key),
    set: (key, value, ...more) => run('sendCommand', ['SET', key, value, ...more]),
    hgetall: (key) => run('hGetAll', key),
    hset: (key, field, value) => run('hSet', key, field, value),
    mget: (...keys) => run('mGet', keys),
    call: (...words) => run('sendCommand', words),
    select: (database) => run('select', database),
    multi: (...commands) => {
      const made = (
        client['multi'] as unknown as () => { exec(): Promise<unknown>; addCommand(words: readonly string[]): void }
      ).call(client)
      for (const words of commands) made.addCommand(words)
      return made.exec()
    },
    close: async () => {
      await run('close')
    },
  }
}

/** A way to a server, with the tracking connections told apart. */
export interface Way {
  readonly port: number
  /** Tracking connections that are open. */
  readonly tracking: number
  /** What the server says on tracking connections comes so much later from now on, ms; Infinity: not at all. */
  delayTracking(ms: number): void
  /** Ends the tracking connections. */
  cutTracking(): void
  /** New connections lead to another server, and all but the tracking connections are ended. */
  leadTo(port: number): void
  close(): Promise<void>
}

/** @param to port of the server */
export async function openWay(to: number): Promise<Way> {
  let target = to
  const tracking = new Set<{ readonly client: Socket; held: Buffer[] }>()
  const sockets = new Set<Socket>()
  const clients = new Set<Socket>()
  let delayMs = 0
  const server: Server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    clients.add(client)
    const entry = { client, held: [] as Buffer[] }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        clients.delete(client)
        tracking.delete(entry)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes('forecache-tracking')) tracking.add(entry)
      upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      if (!tracking.has(entry) || delayMs === 0) client.write(chunk)
      else if (delayMs === Number.POSITIVE_INFINITY) entry.held.push(chunk)
      else setTimeout(() => client.write(chunk), delayMs)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get tracking() {
      return tracking.size
    },
    delayTracking: (ms) => {
      delayMs = ms
      if (ms !== 0) return
      for (const entry of tracking) for (const chunk of entry.held.splice(0)) entry.client.write(chunk)
    },
    cutTracking: () => {
      for (const { client } of tracking) client.destroy()
    },
    leadTo: (next) => {
      target = next
      for (const client of clients) if (![...tracking].some((entry) => entry.client === client)) client.destroy()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}
