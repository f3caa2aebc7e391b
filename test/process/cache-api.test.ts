/** The native cache API over real sockets, with the lane and without it: every method, condition, limit and error. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cacheApiHere as openApi, type CacheApiHere, type CacheApiWish, type Told } from '../support/cache-api-here.ts'
import { ask as askRaw, RawClient } from '../support/raw-client.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const code = (told: Told): string => told.json.error.code
const LOCAL = 'Host: localhost' as const

describe.each([
  ['without the lane', false],
  ['with the lane', true],
])('%s', (_where, lane) => {
  const cacheApiHere = (wish: CacheApiWish = {}): Promise<CacheApiHere> => openApi({ lane, ...wish })

  describe('native cache API: one value', () => {
    it('keeps any bytes with their type', async () => {
      const { ask } = await cacheApiHere()
      const body = Uint8Array.from({ length: 256 }, (_, i) => i)
      const put = await ask('PUT', '/cache/k?ttl=30s&stale=2m&onError=1h&tags=a,b', {
        body,
        headers: { 'content-type': 'image/png' },
      })
      const got = await ask('GET', '/cache/k')

      expect(put.status).toBe(201)
      expect(put.json).toEqual({
        token: put.headers.get('forecache-token'),
        etag: put.headers.get('etag'),
        bytes: 256,
        created: true,
        budget: { freshMs: 30_000, staleMs: 120_000, onErrorMs: 3_600_000 },
        tags: ['a', 'b'],
      })
      expect(got).toMatchObject({ status: 200, bytes: Buffer.from(body) })
      expect(Object.fromEntries(got.headers)).toMatchObject({
        'content-type': 'image/png',
        'content-length': '256',
        etag: put.headers.get('etag'),
        age: '0',
        'x-cache': 'HIT',
        'cache-status': 'forecache; hit; ttl=30',
        vary: 'accept-encoding',
        'cache-control': 'private, no-cache',
        'x-content-type-options': 'nosniff',
      })
    })

    it('answers 200 to a write over something, 201 otherwise, POST as PUT; an empty value is one', async () => {
      const { ask } = await cacheApiHere()

      expect((await ask('POST', '/cache/k', { body: 'a' })).status).toBe(201)
      expect((await ask('PUT', '/cache/k', { body: '' })).status).toBe(200)
      expect(await ask('GET', '/cache/k')).toMatchObject({ status: 200, text: '' })
      expect((await ask('GET', '/cache/k')).headers.get('content-type')).toBe('application/octet-stream')
    })

    it('answers HEAD as GET, without the value', async () => {
      const { ask, port } = await cacheApiHere()
      await ask('PUT', '/cache/k', { body: 'abc' })
      const got = await ask('GET', '/cache/k')
      const head = await askRaw(port, 'HEAD /cache/k', [LOCAL])

      expect(head).toMatchObject({ status: 200, text: '' })
      for (const name of ['content-length', 'content-type', 'etag', 'age', 'x-cache', 'cache-status', 'vary'])
        expect(head.get(name)).toBe(got.headers.get(name))
      expect(await askRaw(port, 'HEAD /cache/none', [LOCAL])).toMatchObject({ status: 404, text: '' })
    })

    it('tells a missing key with 404, and what the cache had to say', async () => {
      const { ask } = await cacheApiHere()
      const told = await ask('GET', '/cache/none')

      expect(told.status).toBe(404)
      expect(code(told)).toBe('FC_CACHE_ABSENT')
      expect(told.headers.get('x-cache')).toBe('MISS')
      expect(told.headers.get('cache-status')).toBe('forecache; detail=absent')
    })

    it('deletes, once and again, and tells what stood', async () => {
      const { ask } = await cacheApiHere()
      await ask('PUT', '/cache/k', { body: 'a' })
      const first = await ask('DELETE', '/cache/k')
      const second = await ask('DELETE', '/cache/k')

      expect([first.status, first.json.deleted, second.status, second.json.deleted]).toEqual([200, true, 200, false])
      expect(first.json.token).toBe(first.headers.get('forecache-token'))
      expect(second.json.token).not.toBe(first.json.token)
      expect((await ask('GET', '/cache/k')).status).toBe(404)
    })

    it('answers other methods 405 with what is allowed, never a DELETE', async () => {
      const { ask } = await cacheApiHere()
      const patched = await ask('PATCH', '/cache/k', { body: 'x' })

      expect([patched.status, code(patched)]).toEqual([405, 'FC_API_METHOD'])
      expect(patched.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'POST', 'PUT'])
      expect((await ask('GET', '/cache')).headers.get('allow')).toBe('POST')
      expect((await ask('DELETE', '/cache/k')).status).toBe(200)
    })

    it('takes any key, decoded once', async () => {
      const { ask } = await cacheApiHere()
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
          fc.uint8Array({ maxLength: 200 }),
          async (key, body) => {
            fc.pre(key.isWellFormed() && key !== '.' && key !== '..' && !/^https?:\/\//.test(key))
            const target = `/cache/${encodeURIComponent(key)}`
            expect([200, 201]).toContain((await ask('PUT', target, { body })).status)
            expect((await ask('GET', target)).bytes).toEqual(Buffer.from(body))
          },
        ),
        { numRuns: 150 },
      )
    })

    it('never takes a query for a part of a key', async () => {
      const { ask } = await cacheApiHere()
      await ask('PUT', '/cache/k%3Fnamespace%3Dshop', { body: 'another key' })
      await ask('PUT', '/cache/k?namespace=shop', { body: 'in the shop' })

      expect((await ask('GET', '/cache/k?namespace=shop')).text).toBe('in the shop')
      expect((await ask('GET', '/cache/k%3Fnamespace%3Dshop')).text).toBe('another key')
      expect((await ask('GET', '/cache/k%3Fnamespace=shop')).text).toBe('another key')
    })

    it.each([
      ['GET /cache/', 400, 'FC_CACHE_KEY'],
      ['GET /cache/%', 400, 'FC_REQUEST_BAD'],
      ['PUT /cache/%c3%28', 400, 'FC_REQUEST_BAD'],
      ['GET /cache/a/b', 404, 'FC_API_ROUTE'],
      ['GET /cache/k?ttl=1s', 400, 'FC_API_QUERY'],
      ['GET /cache/k?namespace=a%20b', 400, 'FC_API_QUERY'],
      ['DELETE /cache/k?soft=1', 400, 'FC_API_QUERY'],
      ['PUT /cache/k?ttl=1', 400, 'FC_API_QUERY'],
      ['PUT /cache/k?ttl=31d', 400, 'FC_API_QUERY'],
      ['PUT /cache/http%3A%2F%2Fshop%2Fa', 400, 'FC_CACHE_KEY'],
      ['DELETE /cache/https%3A%2F%2Fshop%2Fa', 400, 'FC_CACHE_KEY'],
      ['GET /cache/http%3A%2F%2Fshop%2Fa', 404, 'FC_CACHE_ABSENT'],
    ])('answers %s with %i %s', async (start, status, expected) => {
      const { port } = await cacheApiHere()
      const told = await askRaw(port, start, [LOCAL], start.startsWith('PUT') ? 'x' : undefined)

      expect([told.status, JSON.parse(told.text).error.code]).toEqual([status, expected])
    })

    it('refuses types and codings that it would have to give back wrongly', async () => {
      const { ask } = await cacheApiHere()

      expect(code(await ask('PUT', '/cache/k', { body: 'x', headers: { 'content-type': 'nonsense' } }))).toBe('FC_API_FIELD')
      const coded = await ask('PUT', '/cache/k', { body: 'x', headers: { 'content-encoding': 'gzip' } })
      expect([coded.status, code(coded)]).toEqual([415, 'FC_API_CODING'])
      expect((await ask('GET', '/cache/k')).status).toBe(404)
    })

    it('refuses what is too large before it is read, and what memory refuses behind it', async () => {
      const { ask, port } = await cacheApiHere({
        settings: { maxValue: 10_000 },
        cache: { memory: { maxBytes: 100_000, maxEntryBytes: 5000 } },
      })
      const told = await new RawClient(port).ask('PUT /cache/k', [LOCAL, 'Content-Length: 10001']).answer()

      expect([told.status, JSON.parse(told.text).error.code]).toEqual([413, 'FC_REQUEST_TOO_LARGE'])
      const chunked = await askRaw(
        port,
        'PUT /cache/k',
        [LOCAL, 'Transfer-Encoding: chunked'],
        `4e20\r\n${'x'.repeat(20_000)}\r\n0\r\n\r\n`,
      )
      expect(chunked.status).toBe(413)
      const full = await ask('PUT', '/cache/k', { body: 'x'.repeat(9000) })
      expect([full.status, code(full)]).toEqual([507, 'FC_CACHE_FULL'])
      expect((await ask('PUT', '/cache/k', { body: 'x'.repeat(1000) })).status).toBe(201)
    })

    it('keeps no page of a value from another origin, and lets none act in its own', async () => {
      const { ask } = await cacheApiHere()
      await ask('PUT', '/cache/page', {
        body: '<script>fetch("/v1/invalidate")</script>',
        headers: { 'content-type': 'text/html' },
      })
      const page = await ask('GET', '/cache/page')
      const foreign = await ask('PUT', '/cache/k', { body: 'x', headers: { origin: 'http://evil.test' } })

      expect(page.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
      expect([foreign.status, code(foreign)]).toEqual([403, 'FC_API_FOREIGN'])
    })

    it('needs a key where keys are configured', async () => {
      const { ask } = await cacheApiHere({ api: { keys: ['a-key-of-sixteen-letters'] } })
      const key = { 'x-api-key': 'a-key-of-sixteen-letters' }

      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) expect((await ask(method, '/cache/k')).status).toBe(401)
      expect((await ask('POST', '/cache', { body: '{}', headers: JSON_TYPE })).status).toBe(401)
      expect((await ask('PUT', '/cache/k', { body: 'x', headers: key })).status).toBe(201)
      expect((await ask('GET', '/openapi.json')).status).toBe(200)
    })
  })

  describe('native cache API: budgets', () => {
    it('ages, goes stale and ends by its windows', async () => {
      const { ask, clock } = await cacheApiHere()
      await ask('PUT', '/cache/k?ttl=10s&stale=20s&onError=30s', { body: 'x' })
      clock.advance(9999)
      expect((await ask('GET', '/cache/k')).headers.get('age')).toBe('9')
      clock.advance(1)
      const stale = await ask('GET', '/cache/k')
      expect([stale.status, stale.headers.get('x-cache'), stale.headers.get('age'), stale.text]).toEqual([
        200,
        'STALE',
        '10',
        'x',
      ])
      clock.advance(10_000)
      expect((await ask('GET', '/cache/k')).status).toBe(404)
      const reserve = await ask('GET', '/cache/k', { headers: { 'cache-control': 'max-stale' } })
      expect([reserve.status, reserve.headers.get('x-cache')]).toEqual([200, 'STALE'])
      expect((await ask('GET', '/cache/k', { headers: { 'cache-control': 'max-stale=0' } })).status).toBe(404)
      expect((await ask('PUT', '/cache/k', { body: 'y', headers: { 'if-none-match': '*' } })).status).toBe(201)
      clock.advance(60_001)
      expect((await ask('GET', '/cache/k', { headers: { 'cache-control': 'max-stale' } })).status).toBe(404)
    })

    it('takes fields in place of the query, and Cache-Control in place of both', async () => {
      const { ask } = await cacheApiHere()
      const headers = { 'forecache-ttl': '5s', 'forecache-stale': '6s', 'forecache-tags': 'a', 'forecache-namespace': 'shop' }
      const byField = await ask('PUT', '/cache/k', { body: 'x', headers })
      const byControl = await ask('PUT', '/cache/k', {
        body: 'x',
        headers: { 'cache-control': 'max-age=5, stale-while-revalidate=1' },
      })

      expect(byField.json.budget).toEqual({ freshMs: 5000, staleMs: 6000, onErrorMs: 6000 })
      expect(byField.json.tags).toEqual(['a'])
      expect(byControl.json.budget).toEqual({ freshMs: 5000, staleMs: 6000, onErrorMs: 6000 })
      expect((await ask('GET', '/cache/k?namespace=shop')).status).toBe(200)
    })
  })

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
      expect(batch.json.get[0].status).toBe(406)
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

  describe('native cache API: batches', () => {
    const batch = async (here: { ask: Awaited<ReturnType<typeof cacheApiHere>>['ask'] }, body: unknown): Promise<Told> =>
      here.ask('POST', '/cache', { body: JSON.stringify(body), headers: JSON_TYPE })

    it('deletes, sets and gets in this order, each item with its status', async () => {
      const here = await cacheApiHere()
      await here.ask('PUT', '/cache/old', { body: 'x' })
      const told = await batch(here, {
        delete: ['old', { key: 'k', namespace: 'shop' }],
        set: [
          { key: 'j', json: { a: 1 }, ttl: '10s', stale: '20s', tags: ['t'] },
          { key: 't', text: 'grüße', namespace: 'shop' },
          { key: 'b', base64: 'AAH/', type: 'image/png' },
          { key: 'n', json: null },
        ],
        get: ['j', { key: 't', namespace: 'shop' }, 'b', 'n', 'old'],
      })
      const { token, ...rest } = told.json

      expect(told.status).toBe(200)
      expect(told.headers.get('forecache-token')).toBe(token)
      const etag = expect.stringMatching(/^"[\w-]+"$/)
      expect(rest).toEqual({
        delete: [
          { key: 'old', status: 200, deleted: true },
          { key: 'k', namespace: 'shop', status: 200, deleted: false },
        ],
        set: [
          { key: 'j', status: 201, etag },
          { key: 't', namespace: 'shop', status: 201, etag },
          { key: 'b', status: 201, etag },
          { key: 'n', status: 201, etag },
        ],
        get: [
          { key: 'j', status: 200, etag, ageMs: 0, stale: false, type: 'application/json', json: { a: 1 } },
          {
            key: 't',
            namespace: 'shop',
            status: 200,
            etag,
            ageMs: 0,
            stale: false,
            type: 'text/plain; charset=utf-8',
            text: 'grüße',
          },
          { key: 'b', status: 200, etag, ageMs: 0, stale: false, type: 'image/png', base64: 'AAH/' },
          { key: 'n', status: 200, etag, ageMs: 0, stale: false, type: 'application/json', json: null },
          { key: 'old', status: 404, error: { code: 'FC_CACHE_ABSENT', message: expect.any(String) } },
        ],
      })
    })

    it('tells what is wrong with an item there, and carries the others out', async () => {
      const here = await cacheApiHere({ settings: { maxValue: 100, namespaces: 1 } })
      const set = [
        { key: 'ok', text: 'x' },
        { key: '', text: 'x' },
        { key: '\ud800', text: 'x' },
        { key: 'k', text: 'x', base64: 'AA==' },
        { key: 'k' },
        { key: 'k', base64: 'A' },
        { key: 'k', text: '\ud800' },
        { key: 'k', json: 1, type: 'text/plain' },
        { key: 'k', text: 'x', type: 'text/plain; charset=latin1' },
        { key: 'k', text: 'x', ttl: '5' },
        { key: 'k', text: 'x', tags: ['a b'] },
        { key: 'k', text: 'x', namespace: 'a b' },
        { key: 'k', text: 'x'.repeat(101) },
        { key: 'http://a/', text: 'x' },
        { key: 'ok', text: 'y', ifNoneMatch: '*' },
        { key: 'k', text: 'y', ifMatch: '*' },
        { key: 'k', text: 'x', namespace: 'one' },
        { key: 'k', text: 'x', namespace: 'two' },
      ]
      const told = await batch(here, { set, delete: ['http://a/', 'k'], get: ['ok', ''] })

      expect(
        told.json.set.map(({ status, error }: { status: number; error?: { code: string } }) => [status, error?.code]),
      ).toEqual([
        [201, undefined],
        [400, 'FC_CACHE_KEY'],
        [400, 'FC_CACHE_KEY'],
        ...Array.from({ length: 9 }, () => [400, 'FC_API_BODY']),
        [413, 'FC_CACHE_TOO_LARGE'],
        [400, 'FC_CACHE_KEY'],
        [412, 'FC_CACHE_CONDITION'],
        [412, 'FC_CACHE_CONDITION'],
        [201, undefined],
        [507, 'FC_CACHE_NAMESPACES'],
      ])
      expect(told.json.delete.map(({ status }: { status: number }) => status)).toEqual([400, 200])
      expect(told.json.get.map(({ status }: { status: number }) => status)).toEqual([200, 400])
    })

    it.each([
      ['no JSON', '{', JSON_TYPE],
      ['another type', '{"get":["a"]}', { 'content-type': 'text/plain' }],
      ['nothing named', '{}', JSON_TYPE],
      ['an unknown name', '{"fetch":["a"]}', JSON_TYPE],
      ['an unknown name in an item', '{"set":[{"key":"a","text":"x","ttk":"1s"}]}', JSON_TYPE],
      ['a number as a key', '{"get":[1]}', JSON_TYPE],
      ['too many keys', JSON.stringify({ get: Array.from({ length: 1001 }, () => 'k') }), JSON_TYPE],
      ['a bad namespace', '{"namespace":"a b","get":["k"]}', JSON_TYPE],
    ])('refuses %s as a whole', async (_, body, headers) => {
      const { ask } = await cacheApiHere()
      const told = await ask('POST', '/cache', { body, headers })

      expect([told.status, code(told)]).toEqual([400, 'FC_API_BODY'])
    })

    it('refuses a query', async () => {
      const { ask } = await cacheApiHere()

      expect(code(await ask('POST', '/cache?ttl=1s', { body: '{"get":["a"]}', headers: JSON_TYPE }))).toBe('FC_API_QUERY')
    })

    it('keeps its answer inside the limit', async () => {
      const here = await cacheApiHere({ settings: { maxBatch: 4000 } })
      for (const key of ['a', 'b', 'c'])
        await here.ask('PUT', `/cache/${key}`, { body: 'x'.repeat(1500), headers: { 'content-type': 'text/plain' } })
      const told = await batch(here, { get: ['a', 'b', 'c', 'a'] })

      expect(told.json.get.map(({ status }: { status: number }) => status)).toEqual([200, 200, 413, 413])
      expect(told.json.get[2].error.code).toBe('FC_CACHE_ANSWER_FULL')
      expect((await here.ask('POST', '/cache', { body: 'x'.repeat(4001), headers: JSON_TYPE })).status).toBe(413)
    })

    it('leaves values out that are known already', async () => {
      const here = await cacheApiHere()
      const { etag } = (await here.ask('PUT', '/cache/k', { body: 'x' })).json
      const told = await batch(here, { get: [{ key: 'k', ifNoneMatch: etag }] })

      expect(told.json.get).toEqual([{ key: 'k', status: 304, etag, ageMs: 0, stale: false }])
    })

    it('gives any JSON back as it was given', async () => {
      const here = await cacheApiHere()
      await fc.assert(
        fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary' }), async (json, text) => {
          fc.pre(text.isWellFormed())
          const told = await batch(here, {
            set: [
              { key: 'j', json },
              { key: 't', text },
            ],
            get: ['j', 't'],
          })
          expect(told.json.get[0].json).toEqual(JSON.parse(JSON.stringify(json)))
          expect(told.json.get[1].text).toBe(text)
        }),
        { numRuns: 100 },
      )
    })

    it('answers any body with 200, 400 or 413, never with 500', async () => {
      const { ask } = await cacheApiHere()
      const item = fc.oneof(
        fc.string(),
        fc.record({ key: fc.string({ unit: 'binary' }), text: fc.string(), ttl: fc.string() }, { requiredKeys: ['key'] }),
        fc.jsonValue({ maxDepth: 1 }),
      )
      const list = fc.array(item, { maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(
          fc.record({ get: list, set: list, delete: list, namespace: fc.string() }, { requiredKeys: [] }),
          async (body) => {
            const told = await ask('POST', '/cache', { body: JSON.stringify(body), headers: JSON_TYPE })
            expect([200, 400]).toContain(told.status)
            if (told.status === 200) expect(told.json.token).toEqual(expect.any(String))
          },
        ),
        { numRuns: 300 },
      )
    })
  })
})
