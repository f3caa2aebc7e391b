/** The native cache API over real sockets, with the lane and without it: conditions, codings, one cache with the library. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { cacheApiHere as openApi, type CacheApiHere, type CacheApiWish, type Told } from '../support/cache-api-here.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const code = (told: Told): string => told.json.error.code

describe.each([
  ['without the lane', false],
  ['with the lane', true],
])('%s', (_where, lane) => {
  const cacheApiHere = (wish: CacheApiWish = {}): Promise<CacheApiHere> => openApi({ lane, ...wish })

  describe('native cache API: conditions', () => {
    it('says 304 to who has the value already', async () => {
      const { ask } = await cacheApiHere()
      const etag = (await ask('PUT', '/cache/k', { body: 'x' })).headers.get('etag') as string
      const unchanged = await ask('GET', '/cache/k', { headers: { 'if-none-match': `"other", W/${etag}` } })

      expect(unchanged).toMatchObject({ status: 304, text: '' })
      expect(unchanged.headers.get('etag')).toBe(etag)
      expect(unchanged.headers.get('content-type')).toBeNull()
      expect((await ask('GET', '/cache/k', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    })

    it('creates only once with If-None-Match: *, and 100 creators at once are one', async () => {
      const { ask } = await cacheApiHere()
      const create = (): Promise<Told> => ask('PUT', '/cache/k', { body: 'x', headers: { 'if-none-match': '*' } })
      const told = await Promise.all(Array.from({ length: 100 }, create))

      expect(told.filter(({ status }) => status === 201)).toHaveLength(1)
      expect(told.filter(({ status }) => status === 412)).toHaveLength(99)
      expect(code(await create())).toBe('FC_CACHE_CONDITION')
    })

    it('counts without losing any with If-Match', async () => {
      const { ask } = await cacheApiHere()
      await ask('PUT', '/cache/n', { body: '0' })
      const increment = async (): Promise<void> => {
        for (;;) {
          const before = await ask('GET', '/cache/n')
          const headers = { 'if-match': before.headers.get('etag') as string }
          if ((await ask('PUT', '/cache/n', { body: String(Number(before.text) + 1), headers })).status === 200) return
        }
      }
      await Promise.all(Array.from({ length: 20 }, increment))

      expect((await ask('GET', '/cache/n')).text).toBe('20')
    })

    it('deletes only what is named', async () => {
      const { ask } = await cacheApiHere()
      const etag = (await ask('PUT', '/cache/k', { body: 'x' })).headers.get('etag') as string

      expect((await ask('DELETE', '/cache/k', { headers: { 'if-match': '"other"' } })).status).toBe(412)
      expect((await ask('DELETE', '/cache/none', { headers: { 'if-match': '*' } })).status).toBe(412)
      expect((await ask('GET', '/cache/k')).status).toBe(200)
      expect((await ask('DELETE', '/cache/k', { headers: { 'if-match': etag } })).status).toBe(200)
    })
  })

  describe('native cache API: codings', () => {
    it('gives what is asked for by weights, each with a tag of its own, made behind the write', async () => {
      const { ask } = await cacheApiHere()
      const value = JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ id: i, name: `product ${i % 7}` })))
      await ask('PUT', '/cache/k', { body: value, headers: JSON_TYPE })
      const get = (accept: string): Promise<Told> => ask('GET', '/cache/k', { headers: { 'accept-encoding': accept } })
      await expect.poll(async () => (await get('gzip')).headers.get('content-encoding')).toBe('gzip')
      const [gzip, br, plain] = [await get('gzip, br;q=0.5'), await get('br'), await get('identity')]

      expect(gunzipSync(gzip.bytes).toString()).toBe(value)
      expect(brotliDecompressSync(br.bytes).toString()).toBe(value)
      expect(plain).toMatchObject({ text: value })
      expect(plain.headers.get('content-encoding')).toBeNull()
      expect(new Set([gzip, br, plain].map((told) => told.headers.get('etag'))).size).toBe(3)
      const unchanged = await ask('GET', '/cache/k', { headers: { 'if-none-match': br.headers.get('etag') as string } })
      expect([unchanged.status, unchanged.headers.get('etag')]).toEqual([304, br.headers.get('etag')])
      const headers = { 'if-match': gzip.headers.get('etag') as string }
      expect((await ask('PUT', '/cache/k', { body: 'x', headers })).status).toBe(200)
    })

    it('answers 406 where every form is refused, and makes nothing of what does not pay', async () => {
      const { ask } = await cacheApiHere()
      await ask('PUT', '/cache/k', { body: 'small' })
      const told = await ask('GET', '/cache/k', { headers: { 'accept-encoding': 'identity;q=0' } })

      expect([told.status, code(told)]).toEqual([406, 'FC_CACHE_UNACCEPTABLE'])
      expect((await ask('GET', '/cache/k', { headers: { 'accept-encoding': 'gzip, br, zstd' } })).text).toBe('small')
    })
  })

  describe('native cache API: one cache', () => {
    it('shares entries, tags and namespaces with the library, both ways', async () => {
      const { ask, cache } = await cacheApiHere()
      await ask('PUT', '/cache/user%3A1?tags=user:1', { body: '{"name":"Ada"}', headers: JSON_TYPE })
      expect((await cache.get('user:1'))?.data).toEqual({ name: 'Ada' })
      await cache.namespace('shop').set('k', { a: 1 })
      expect((await ask('GET', '/cache/k?namespace=shop')).json).toEqual({ a: 1 })
      await cache.invalidate({ tags: ['user:1'] })
      expect((await ask('GET', '/cache/user%3A1')).status).toBe(404)
      await cache.namespace('shop').invalidate({ namespaces: ['shop'] })
      expect((await ask('GET', '/cache/k?namespace=shop')).status).toBe(404)
    })

    it('supersedes loads of the library under way', async () => {
      const { ask, cache } = await cacheApiHere()
      let finish: (value: string) => void = () => {}
      const loading = cache.fetch('k', () => new Promise<string>((resolve) => (finish = resolve)))
      await ask('PUT', '/cache/k', { body: 'new', headers: { 'content-type': 'text/plain' } })
      finish('old')
      await loading

      expect((await ask('GET', '/cache/k')).text).toBe('new')
      expect(cache.peek('k')).toBe('new')
    })

    it('says 406 to what bytes cannot say, and still lets it be replaced and deleted', async () => {
      const { ask, cache } = await cacheApiHere()
      await cache.set('k', new Map([[1, 2]]))
      const told = await ask('GET', '/cache/k')

      expect([told.status, code(told)]).toEqual([406, 'FC_VALUE_FORM'])
      const batch = await ask('POST', '/cache', { body: '{"get":["k"]}', headers: JSON_TYPE })
      expect(batch.json.get[0]?.status).toBe(406)
      expect((await ask('DELETE', '/cache/k')).json.deleted).toBe(true)
      await cache.set('k', new Map([[1, 2]]))
      expect((await ask('PUT', '/cache/k', { body: 'x' })).status).toBe(200)
    })

    it('reads its own writes by token, and nothing by a token of another log', async () => {
      const { ask } = await cacheApiHere()
      const token = (await ask('PUT', '/cache/k', { body: 'x' })).headers.get('forecache-token') as string
      const read = (given: string): Promise<Told> => ask('GET', '/cache/k', { headers: { 'forecache-token': given } })

      expect((await read(token)).status).toBe(200)
      const other = await read('another.1')
      expect([other.status, other.headers.get('cache-status')]).toEqual([404, 'forecache; detail=token'])
    })

    it('counts under a route of its own', async () => {
      const { ask, cache, surface } = await cacheApiHere()
      await ask('PUT', '/cache/k', { body: 'x' })
      await ask('GET', '/cache/k')
      await ask('GET', '/cache/none')

      expect(cache.engine.meter.routes[surface.contents.route]).toBe('cache-api')
      expect(cache.engine.meter.totals(surface.contents.route)).toMatchObject({ hits: 1, misses: 1 })
    })
  })
})
