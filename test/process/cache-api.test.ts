/** The native cache API over real sockets, with the lane and without it: values, methods, limits, errors, budgets. */
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
})
