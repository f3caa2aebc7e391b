import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CLIENTS, type ClientName, openClient } from '../support/hook-clients.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

const require = createRequire(import.meta.url)
let server: RedisHere

beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server.stop())

interface Bare {
  get(key: string): Promise<unknown>
  close(): Promise<unknown>
}

/** A client as an application makes it that wraps another one. */
async function openBare(name: ClientName): Promise<Bare> {
  if (name.startsWith('ioredis')) {
    const { default: Redis } = require(name) as { default: new (options: object) => Bare & { quit(): Promise<unknown> } }
    const redis = new Redis({ host: '127.0.0.1', port: server.port })
    return { get: (key) => redis.get(key), close: () => redis.quit() }
  }
  const { createClient } = require(name) as { createClient(options: object): Bare & { connect(): Promise<unknown> } }
  const client = createClient({ socket: { host: '127.0.0.1', port: server.port } })
  await client.connect()
  return client
}

/** GETs that the server has run. */
async function asked(): Promise<number> {
  return Number(/cmdstat_get:calls=(\d+)/.exec(String(await server.command('INFO', 'commandstats')))?.[1] ?? 0)
}

describe('hook: wrap() means one client', () => {
  it.each(CLIENTS)('another %s of the same class, made before or behind it, asks the server as before', async (name) => {
    const before = await openBare(name)
    const wrapped = await openClient(name, server.port)
    const behind = await openBare(name)
    try {
      await wrapped.set('one', name)
      await until(async () => {
        const calls = await asked()
        await wrapped.get('one')
        return (await asked()) === calls
      }, 'a hit of the wrapped client')
      for (const bare of [before, behind]) {
        const calls = await asked()
        for (let i = 0; i < 5; i += 1) expect(await bare.get('one')).toBe(name)
        expect(await asked()).toBe(calls + 5)
      }
    } finally {
      await Promise.all([before.close(), behind.close(), wrapped.close()])
    }
  })
})
