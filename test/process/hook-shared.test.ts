/**
 * One value through every door of one process and of another: clients with the hook, the library beside them, a gateway's Redis door, its
 * API, and a client that knows nothing of us; one invalidation for all that have memory. Real clients, a real Redis.
 */
import { Redis as Redis5 } from 'ioredis5'
import { Redis as Redis6 } from 'ioredis6'
import { createClient } from 'redis5'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createGateway } from '../../src/entry/gateway.ts'
import { type Cache, createCache } from '../../src/entry/index.ts'
import { stats, wrap } from '../../src/entry/redis.ts'
import { RawRedis } from '../support/front-here.ts'
import { runProgram } from '../support/hook-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere
beforeAll(async () => {
  redis = await startRedis()
  await redis.command('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@all')
})
afterAll(() => redis.stop())

interface Door {
  read(key: string): Promise<string | null | undefined>
  write(key: string, value: string): Promise<unknown>
  erase(key: string): Promise<unknown>
}

interface Stand {
  readonly doors: Readonly<Record<string, Door>>
  readonly cache: Cache
  readonly library: Cache
  readonly ioredis: Redis5
}

async function stand(): Promise<Stand> {
  const at = { host: '127.0.0.1', port: redis.port }
  const ioredis = wrap(new Redis5(at))
  const prefixed = wrap(new Redis6({ ...at, keyPrefix: 'p:' }))
  const node = wrap(createClient({ socket: at }))
  await node.connect()
  const cache = createCache()
  const library = cache.namespace('redis')
  const resp = { listen: '127.0.0.1:0', upstream: redis.url }
  const gateway = createGateway({ api: { listen: '127.0.0.1:0' }, resp })
  const opened = await gateway.listen()
  const front = new RawRedis(opened.resp?.port as number)
  const url = (key: string): string => `http://127.0.0.1:${opened.api.port}/cache/${encodeURIComponent(key)}?namespace=redis&`
  onTestFinished(async () => {
    ioredis.disconnect()
    prefixed.disconnect()
    node.destroy()
    front.close()
    await Promise.all([cache.close(), gateway.close(0)])
  })
  await until(() => gateway.resp?.isCovered === true, 'the tracking connection')
  await ioredis.flushall()
  await until(async () => {
    await Promise.all([ioredis.get('warm'), node.get('warm')])
    return stats()?.upstreams.every(({ state }) => state === 'on') === true
  }, 'the hook')
  const textOf = (frame: string): string | undefined => /^\$\d+\r\n(.*)\r\n$/s.exec(frame)?.[1]
  const doors: Record<string, Door> = {
    ioredis: {
      read: (key) => ioredis.get(key),
      write: (key, value) => ioredis.set(key, value),
      erase: (key) => ioredis.del(key),
    },
    prefixed: {
      read: (key) => prefixed.get(key.slice(2)),
      write: (key, value) => prefixed.set(key.slice(2), value),
      erase: (key) => prefixed.del(key.slice(2)),
    },
    node: { read: (key) => node.get(key), write: (key, value) => node.set(key, value), erase: (key) => node.del(key) },
    library: {
      read: async (key) => (await library.get<Buffer>(key))?.data.toString(),
      write: (key, value) => library.set(key, value),
      erase: (key) => library.delete(key),
    },
    front: {
      read: async (key) => textOf(await front.ask('GET', key)),
      write: (key, value) => front.ask('SET', key, value),
      erase: (key) => front.ask('DEL', key),
    },
    api: {
      read: async (key) => {
        const answer = await fetch(url(key))
        return answer.status === 404 ? undefined : answer.text()
      },
      write: (key, value) => fetch(`${url(key)}ttl=60s`, { method: 'PUT', body: value }),
      erase: (key) => fetch(url(key), { method: 'DELETE' }),
    },
    direct: {
      read: async (key) => (await redis.command('GET', key))?.toString(),
      write: (key, value) => redis.command('SET', key, value),
      erase: (key) => redis.command('DEL', key),
    },
  }
  return { doors, cache, library, ioredis }
}

/** Doors of the hook's process know what it wrote at once; others when the push is here. */
const HERE = ['ioredis', 'prefixed', 'library']

describe('one value', () => {
  it('is read through each door as it was written through any, and gone when it was deleted through any', {
    timeout: 60_000,
  }, async () => {
    const { doors } = await stand()
    for (const [written, by] of Object.entries(doors)) {
      for (const value of ['first', 'second']) {
        const key = `p:${written}`
        await by.write(key, value)
        for (const [read, door] of Object.entries(doors)) {
          const isAtOnce = written === read || (HERE.includes(written) && HERE.includes(read)) || read === 'direct'
          if (isAtOnce) expect(await door.read(key), `${written} then ${read}`).toBe(value)
          else await until(async () => (await door.read(key)) === value, `${read} to follow ${written}`)
          expect([await door.read(key), await door.read(key)], `${written} then ${read}`).toEqual([value, value])
        }
      }
    }
    for (const [erased, by] of Object.entries(doors)) {
      await by.write('p:gone', 'x')
      for (const [read, door] of Object.entries(doors)) await until(async () => (await door.read('p:gone')) === 'x', read)
      await by.erase('p:gone')
      for (const [read, door] of Object.entries(doors)) {
        const nothing = async (): Promise<boolean> => ((await door.read('p:gone')) ?? undefined) === undefined
        if (erased === read || (HERE.includes(erased) && HERE.includes(read)))
          expect(await nothing(), `${erased}, ${read}`).toBe(true)
        else await until(nothing, `${read} to follow ${erased}`)
      }
    }
  })

  it('stands in memory once for client and library: what one has read the other is given without a question', async () => {
    const { library, ioredis } = await stand()
    await redis.command('SET', 'shared', 'value')
    await redis.command('SET', 'bytes', Buffer.from([0xff, 0x00, 0xfe]))
    await until(
      async () => (await ioredis.get('shared')) === 'value' && library.peek<Buffer>('shared')?.toString() === 'value',
      'memory',
    )
    await ioredis.get('bytes')
    const before = Number(/cmdstat_get:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats')))?.[1])
    for (let i = 0; i < 20; i += 1) {
      expect((await library.get<Buffer>('shared'))?.data.toString()).toBe('value')
      expect((await library.getMany<Buffer>(['shared', 'shared'])).get('shared')?.data.toString()).toBe('value')
    }
    const after = Number(/cmdstat_get:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats')))?.[1])
    expect(after).toBe(before)
    // What the client was given as text says no longer which bytes stood there: they are read again, exactly.
    expect(library.peek('bytes')).toBeUndefined()
    expect((await library.get<Buffer>('bytes'))?.data).toEqual(Buffer.from([0xff, 0x00, 0xfe]))
  })

  it('is asked for again by the hook behind each kind of invalidation, and by the library', async () => {
    const { cache, library, ioredis } = await stand()
    const reads = async (): Promise<number> =>
      Number(/cmdstat_get:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats')))?.[1])
    await library.set('tagged', 'x', { tags: ['a:tag'] })
    const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['k', () => library.invalidate({ keys: ['k'] })],
      ['k', () => cache.invalidate({ keys: ['redis:v1:k'] })],
      ['k', () => library.invalidate({ prefixes: ['k'] })],
      ['k', () => cache.invalidate({ namespaces: ['redis'] })],
      ['k', () => cache.invalidate({ all: true })],
      ['tagged', () => cache.invalidate({ tags: ['a:tag'] })],
    ]
    await ioredis.set('k', 'value')
    for (const [index, [key, invalidate]] of ways.entries()) {
      await until(async () => (await ioredis.get(key)) !== null && library.peek(key) !== undefined, 'memory')
      await invalidate()
      expect(library.peek(key), `${index}`).toBeUndefined()
      const before = await reads()
      await ioredis.get(key)
      expect((await reads()) - before, `${index}`).toBe(1)
    }
    await until(async () => (await ioredis.get('k')) !== null && library.peek('k') !== undefined, 'memory')
    await cache.invalidate({ keys: ['redis:v1:other'], tags: ['another'] })
    expect(library.peek<Buffer>('k')?.toString()).toBe('value')
  })

  it('is refused clearly where it cannot be: other types, objects, several servers, nobody connected', async () => {
    const { library, ioredis, cache } = await stand()
    await ioredis.rpush('list', 'a')
    await expect(library.get('list')).rejects.toMatchObject({ code: 'FC_MOUNT_TYPE' })
    await expect(library.set('k', { a: 1 })).rejects.toMatchObject({ code: 'FC_MOUNT_VALUE' })
    await expect(library.fetch('k', () => 'x')).rejects.toMatchObject({ code: 'FC_MOUNT_LOAD' })
    await expect(cache.set('redis:v1:k', 'x')).rejects.toMatchObject({ code: 'FC_MOUNT_KEY' })
    const other = wrap(new Redis5({ host: '127.0.0.1', port: redis.port, username: 'reader', password: 'secret' }))
    onTestFinished(() => other.disconnect())
    await other.ping()
    await expect(library.get('k')).rejects.toMatchObject({ code: 'FC_MOUNT_WHICH' })
    await expect(library.set('k', 'x')).rejects.toThrow(`reader@127.0.0.1:${redis.port}`)
    const named = createCache({ redis: { server: `reader@127.0.0.1:${redis.port}`, database: 3 } }).namespace('redis')
    await named.set('in three', 'x')
    expect(await ioredis.get('in three')).toBeNull()
    await ioredis.select(3)
    expect(await ioredis.get('in three')).toBe('x')
    const apart = createCache({ redis: false }).namespace('redis')
    await apart.set('k', { a: 1 })
    expect(apart.peek('k')).toEqual({ a: 1 })
    const nowhere = createCache({ redis: { server: 'elsewhere:1' } }).namespace('redis')
    expect(await nowhere.get('k')).toBeUndefined()
    await expect(nowhere.set('k', 'x')).rejects.toMatchObject({ code: 'FC_MOUNT_NONE' })
  })
})

describe('an application that was started with the hook', () => {
  it.each([
    ['the usual namespace', {}],
    ['another one', { FORECACHE_NAMESPACE: 'store' }],
  ])('shares its values with its cache in %s, and ends by itself', async (_, env) => {
    const ran = await runProgram({ program: 'shared.ts', isHooked: true, env: { REDIS_PORT: String(redis.port), ...env } })

    expect(ran.stderr).toBe('')
    expect(ran.lines).toEqual([
      'before FC_MOUNT_NONE',
      'of the client of the client',
      'of the library of the library',
      'in memory of the library',
      'forgotten true',
      'clients 1',
      'deleted true null',
      'nobody undefined FC_MOUNT_NONE',
    ])
  })

  it('has a namespace as any without the hook', async () => {
    const ran = await runProgram({ program: 'shared.ts', isHooked: false, env: { REDIS_PORT: String(redis.port) } })

    expect(ran.lines.slice(0, 3)).toEqual(['before true', 'undefined of the client', 'of the library of the client'])
  })
})
