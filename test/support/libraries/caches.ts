/**
 * Programs that keep sessions and cache: express-session with connect-redis, keyv, cache-manager, bentocache.
 */
import { createKeyv } from '@keyv/redis'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { createCache } from 'cache-manager'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { until } from '../redis-here.ts'
import { type Talk, tens } from './talk.ts'

declare module 'express-session' {
  interface SessionData {
    count: number
  }
}

export async function keepSessions(talk: Talk, port: number): Promise<void> {
  const client = await talk.nodeRedis(port)
  const store = new RedisStore({ client, prefix: 'session:', ttl: 60 })
  let ids = 0
  const app = express()
  app.use(
    session({
      store,
      secret: 'of the test',
      resave: false,
      saveUninitialized: false,
      genid: () => `id-${(ids += 1)}`,
      cookie: { maxAge: 60_000 },
    }),
  )
  app.get('/count', (request, response) => {
    request.session.count = (request.session.count ?? 0) + 1
    response.json(request.session.count)
  })
  app.get('/anew', (request, response) => request.session.regenerate(() => void response.json('anew')))
  app.get('/leave', (request, response) => void request.session.destroy(() => void response.json('left')))
  const url = await talk.serve(app)
  let cookie = ''
  const visit = async (path: string): Promise<unknown> => {
    const response = await fetch(url + path, { headers: { cookie } })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    return [response.status, await response.json()]
  }
  for (const path of ['/count', '/count', '/anew', '/count', '/count']) await talk.say(path, () => visit(path))
  await talk.say('time to live', async () => tens(await client.pTTL(`session:id-${ids}`)))
  await talk.say('all', async () => ((await store.all()) as { id: string; count: number }[]).map(({ id, count }) => [id, count]))
  await talk.say('length', () => store.length())
  await talk.say('/leave', () => visit('/leave'))
  await talk.say('ids', () => store.ids())
  for (let i = 0; i < 250; i += 1)
    await store.set(`many-${i}`, { cookie: { originalMaxAge: 60_000 }, count: i } as session.SessionData)
  await talk.say('ids of many', async () => ((await store.ids()) as string[]).toSorted())
  await talk.say('clear', () => store.clear())
  await talk.say('length after it', () => store.length())
}

export async function keepKeyv(talk: Talk, port: number): Promise<void> {
  const keyv = createKeyv(`redis://127.0.0.1:${port}`, { namespace: 'own' })
  const other = createKeyv(`redis://127.0.0.1:${port}`, { namespace: 'other' })
  talk.after(() => Promise.all([keyv.disconnect(), other.disconnect()]))
  await talk.say('set', () => keyv.set('a', { deep: [1, null, 'ü'] }))
  await talk.say('set for a while', () => keyv.set('b', 'text', 60_000))
  await talk.say('set for a moment', () => keyv.set('c', 'text', 20))
  await talk.say('set elsewhere', () => other.set('a', 'elsewhere'))
  await talk.say('get', () => keyv.get('a'))
  await talk.say('get none', () => keyv.get('none'))
  await new Promise((resolve) => setTimeout(resolve, 40))
  await talk.say('get what is over', () => keyv.get('c'))
  await talk.say('has', async () => [await keyv.has('a'), await keyv.has('none')])
  await talk.say('many', () =>
    keyv.setMany([
      { key: 'x', value: 1 },
      { key: 'y', value: 2, ttl: 60_000 },
    ]),
  )
  await talk.say('get many', () => keyv.get(['x', 'none', 'y']))
  await talk.say('has many', () => keyv.hasMany(['x', 'none']))
  await talk.say('delete', async () => [await keyv.delete('x'), await keyv.delete('x')])
  await talk.say('delete many', () => keyv.deleteMany(['y', 'none']))
  await talk.say('walk', async () => {
    const rows: unknown[] = []
    for await (const row of keyv.iterator?.(undefined) ?? []) rows.push(row)
    return rows.toSorted()
  })
  for (let i = 0; i < 300; i += 1) await keyv.set(`many ${i}`, i)
  await talk.say('clear', () => keyv.clear())
  await talk.say('get after it', async () => [await keyv.get('a'), await keyv.get('many 7'), await other.get('a')])
}

export async function keepCacheManager(talk: Talk, port: number): Promise<void> {
  const keyv = createKeyv(`redis://127.0.0.1:${port}`)
  const cache = createCache({ stores: [keyv], ttl: 60_000 })
  talk.after(() => cache.disconnect())
  let made = 0
  const make = (): Promise<number> => Promise.resolve((made += 1))
  await talk.say('set', () => cache.set('a', { value: 1 }))
  await talk.say('get', () => cache.get('a'))
  await talk.say('get none', () => cache.get('none'))
  await talk.say('ttl', async () => tens(Number(await cache.ttl('a')) - Date.now()))
  await talk.say('mset', () =>
    cache.mset([
      { key: 'x', value: 1 },
      { key: 'y', value: 2, ttl: 5000 },
    ]),
  )
  await talk.say('mget', () => cache.mget(['x', 'none', 'y']))
  await talk.say('wrap', async () => [await cache.wrap('made', make), await cache.wrap('made', make)])
  await talk.say('wrap at once', () => Promise.all([cache.wrap('once', make), cache.wrap('once', make)]))
  await talk.say('del', () => cache.del('made'))
  await talk.say('wrap after it', () => cache.wrap('made', make))
  await talk.say('mdel', () => cache.mdel(['x', 'y']))
  await talk.say('mget after it', () => cache.mget(['x', 'y']))
  await talk.say('clear', () => cache.clear())
  await talk.say('get after it', () => cache.get('a'))
}

const BUS = 'bentocache.notifications:both'

function bentoAt(port: number) {
  const connection = { host: '127.0.0.1', port }
  return new BentoCache({
    default: 'both',
    stores: {
      both: bentostore()
        .useL1Layer(memoryDriver({ maxItems: 100 }))
        .useL2Layer(redisDriver({ connection, prefix: 'bento' }))
        .useBus(redisBusDriver({ connection })),
    },
  })
}

export async function keepBento(talk: Talk, port: number): Promise<void> {
  const [one, other] = [bentoAt(port), bentoAt(port)]
  talk.after(() => Promise.all([one.disconnectAll(), other.disconnectAll()]))
  const client = talk.ioredis(port)
  const listeners = async (): Promise<number> => Number(((await client.pubsub('NUMSUB', BUS)) as unknown[])[1])
  await Promise.all([one.get({ key: 'none' }), other.get({ key: 'none' })])
  await until(async () => (await listeners()) === 2, 'both to listen')
  let made = 0
  const make = (): Promise<number> => Promise.resolve((made += 1))
  await talk.say('made', () => one.getOrSet({ key: 'a', factory: make, ttl: '1m' }))
  await talk.say('from the second level', () => other.getOrSet({ key: 'a', factory: make, ttl: '1m' }))
  await one.set({ key: 'a', value: 'changed' })
  await talk.say('the other hears of it', async () => {
    for (let i = 0; i < 500; i += 1) {
      const value: unknown = await other.get({ key: 'a' })
      if (value === 'changed') return value
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return 'never'
  })
  await talk.say('has', async () => [await one.has({ key: 'a' }), await one.missing({ key: 'none' })])
  await talk.say('delete', () => one.delete({ key: 'a' }))
  await talk.say('made again', () => one.getOrSet({ key: 'a', factory: make }))
  await talk.say('with tags', () => one.getOrSet({ key: 'tagged', tags: ['red'], factory: make }))
  await talk.say('by tag', () => one.deleteByTag({ tags: ['red'] }))
  await talk.say('made after it', () => one.getOrSet({ key: 'tagged', tags: ['red'], factory: make }))
  const inside = one.namespace('inside')
  await inside.set({ key: 'k', value: 1 })
  await talk.say('inside', () => inside.get({ key: 'k' }))
  await inside.clear()
  await talk.say('cleared inside', async () => [await inside.get({ key: 'k' }), await one.get({ key: 'a' })])
  await talk.say('many', () => one.deleteMany({ keys: ['a', 'tagged'] }))
  await one.clear()
  await talk.say('cleared', async () => [await one.get({ key: 'a' }), (await client.keys('bento:*')).length])
}
