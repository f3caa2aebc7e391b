/** The native cache API over real sockets: many keys at once. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cacheApiHere as openApi, type CacheApiHere, type CacheApiWish, type Told } from '../support/cache-api-here.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const code = (told: Told): string => told.json.error.code

describe.each([
  ['without the lane', false],
  ['with the lane', true],
])('%s', (_where, lane) => {
  const cacheApiHere = (wish: CacheApiWish = {}): Promise<CacheApiHere> => openApi({ lane, ...wish })

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

      expect(told.json.set.map(({ status, error }) => [status, error?.code])).toEqual([
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
      expect(told.json.delete.map(({ status }) => status)).toEqual([400, 200])
      expect(told.json.get.map(({ status }) => status)).toEqual([200, 400])
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

      expect(told.json.get.map(({ status }) => status)).toEqual([200, 200, 413, 413])
      expect(told.json.get[2]?.error?.code).toBe('FC_CACHE_ANSWER_FULL')
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
          expect(told.json.get[0]?.json).toEqual(JSON.parse(JSON.stringify(json)))
          expect(told.json.get[1]?.text).toBe(text)
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
