import { connect } from 'node:net'
import { createServer as createTlsServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stats } from '../../src/entry/redis.ts'
import { makeCertificate } from '../support/certificate.ts'
import { CLIENTS, openClient } from '../support/hook-clients.ts'
import { type RedisHere, startRedis, startSentinel, until } from '../support/redis-here.ts'

let server: RedisHere

beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server.stop())

describe('hook: other ways to a server', () => {
  it.each(CLIENTS)('%s over TLS', async (name) => {
    const { cert, key } = makeCertificate()
    const front = await tlsFront(server.port, { cert, key })
    const tls = { ca: cert, servername: 'localhost' }
    const options = name.startsWith('ioredis')
      ? { tls }
      : { socket: { host: '127.0.0.1', port: portOf(front), tls: true, ...tls, reconnectStrategy: false } }
    const client = await openClient(name, portOf(front), options)
    try {
      await client.set('tls', name)
      expect(await hit(() => client.get('tls'))).toBe(name)
    } finally {
      await client.close()
      front.close()
    }
  })

  it.each(['ioredis5', 'ioredis6'] as const)('%s by Sentinels follows a failover', async (name) => {
    const set = await startSentinel()
    const sentinels = set.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
    const client = await openClient(name, 0, {
      port: undefined,
      host: undefined,
      sentinels,
      name: 'main',
      sentinelRetryStrategy: () => 50,
    })
    try {
      await client.set('k', 'before')
      expect(await hit(() => client.get('k'))).toBe('before')
      const former = await set.master()
      await former.kill()
      await until(async () => (await set.master())?.port !== former.port, 'another master', 20_000)
      const next = await set.master()
      await until(async () => (await next.command('SET', 'k', 'after')) === 'OK', 'it to be written', 10_000)
      await until(async () => (await client.get('k')) === 'after', 'the client to be there', 15_000)
      expect(await hit(() => client.get('k'))).toBe('after')
    } finally {
      await client.close()
      await set.stop()
    }
  })
})

describe('hook: memory', () => {
  it.each(CLIENTS)('of %s stays in its bound', async (name) => {
    const client = await openClient(name, server.port)
    try {
      const maxBytes = stats()?.maxBytes as number
      const value = 'x'.repeat(200_000)
      const keys = Array.from({ length: Math.ceil((maxBytes * 1.5) / value.length) }, (_, i) => `large:${i}`)
      for (const key of keys) await client.set(key, value)
      await until(() => stats()?.upstreams.some(({ state }) => state === 'on') === true, 'the tracking connection')
      for (const key of keys) await client.get(key)
      await until(() => (stats()?.evictions ?? 0) > 0, 'evictions')
      expect(stats()?.bytes).toBeLessThanOrEqual(maxBytes)
      expect(stats()?.bytes).toBeGreaterThan(maxBytes / 4)
    } finally {
      await client.call('FLUSHALL')
      await client.close()
    }
    await until(() => stats()?.entries === 0, 'the memory to be let go')
  })

  it.each(['ioredis6', 'redis6'] as const)('of %s does not let the server forget what is read from it alone', async (name) => {
    const small = await startRedis(['--maxmemory', '8mb', '--maxmemory-policy', 'allkeys-lru', '--maxmemory-samples', '10'])
    const client = await openClient(name, small.port)
    try {
      const hot = Array.from({ length: 50 }, (_, i) => `hot:${i}`)
      for (const key of hot) await client.set(key, 'v'.repeat(100))
      const startedAt = performance.now()
      let filled = 0
      for (let ms = 0; ms < 6000; ms = performance.now() - startedAt) {
        for (const key of hot) await client.get(key)
        // The server counts idle times in seconds: what is exchanged as a whole within one is all alike to it.
        if (filled < ms * COLD_PER_MS) {
          await Promise.all(
            Array.from({ length: 50 }, (_, i) => small.port > 0 && client.set(`cold:${filled + i}`, 'c'.repeat(200))),
          )
          filled += 50
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(Number(/evicted_keys:(\d+)/.exec(String(await small.command('INFO', 'stats')))?.[1])).toBeGreaterThan(1000)
      const left = await Promise.all(hot.map((key) => small.command('EXISTS', key)))
      expect(left.filter((one) => one === 1).length).toBeGreaterThanOrEqual(45)
    } finally {
      await client.close()
      await small.stop()
    }
  })
})

const COLD_PER_MS = 6

async function hit(read: () => Promise<unknown>): Promise<unknown> {
  let value: unknown
  await until(async () => {
    const before = stats()?.hits ?? 0
    value = await read()
    return (stats()?.hits ?? 0) > before
  }, 'a hit')
  return value
}

/** TLS before a server that speaks none. */
function tlsFront(to: number, { cert, key }: { cert: string; key: string }): Promise<Server> {
  const front = createTlsServer({ cert, key }, (socket) => {
    const upstream = connect(to, '127.0.0.1')
    socket.pipe(upstream).pipe(socket)
    for (const one of [socket, upstream]) {
      one.on('error', () => undefined)
      one.on('close', () => (socket.destroy(), upstream.destroy()))
    }
  })
  return new Promise((resolve) => front.listen(0, '127.0.0.1', () => resolve(front)))
}

function portOf(front: Server): number {
  const address = front.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
