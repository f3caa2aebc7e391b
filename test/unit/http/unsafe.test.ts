import { describe, expect, it } from 'vitest'
import { ForecacheError } from '../../../src/model/errors.ts'
import { DoorStand, type Respond } from '../../support/door-stand.ts'

const fresh = { 'cache-control': 'max-age=60' }
/** Reads give numbered answers; anything else gives what the test says. */
const over =
  (script: ReturnType<Respond>): Respond =>
  (head, n) =>
    head.method === 'GET' || head.method === 'QUERY' ? { fields: fresh, body: `${n}` } : script

async function cacheOf(stand: DoorStand, target: string, wish: Parameters<DoorStand['get']>[1] = {}): Promise<string> {
  return (await stand.get(target, { ...wish, fields: { ...wish.fields, 'cache-control': 'only-if-cached' } })).status === 200
    ? 'kept'
    : 'gone'
}

describe('HTTP door: unsafe methods (RFC 9111 section 4.4)', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH', 'UNKNOWN'])(
    'invalidates the target of a successful %s before answering',
    async (method) => {
      const stand = new DoorStand(over({ status: 204 }))
      await stand.get('/a?x=1')
      await stand.get('/a?x=2')
      const reply = await stand.open('/a?x=1', { method, body: 'x' })
      expect(stand.engine.memory.look('http://shop.test/a?x=1')).toBeUndefined()
      expect([reply.outcome.cache, await cacheOf(stand, '/a?x=2')]).toEqual(['BYPASS', 'kept'])
    },
  )

  it.each([400, 404, 409, 500, 503])('invalidates nothing when the answer is %d', async (status) => {
    const stand = new DoorStand(over({ status }))
    await stand.get('/a')
    await stand.get('/a', { method: 'PUT', body: 'x' })
    expect(await cacheOf(stand, '/a')).toBe('kept')
  })

  it('invalidates Location and Content-Location of the same origin, and nothing elsewhere', async () => {
    const fields = { location: '/b', 'content-location': 'http://shop.test/c' }
    const stand = new DoorStand(over({ status: 201, fields }))
    for (const target of ['/a', '/b', '/c', '/d']) await stand.get(target)
    await stand.get('/b', { authority: 'other.test' })
    await stand.get('/a', { method: 'POST', body: 'x' })
    expect([
      await cacheOf(stand, '/a'),
      await cacheOf(stand, '/b'),
      await cacheOf(stand, '/c'),
      await cacheOf(stand, '/d'),
    ]).toEqual(['gone', 'gone', 'gone', 'kept'])
    expect(await cacheOf(stand, '/b', { authority: 'other.test' })).toBe('kept')
  })

  it("does not let one origin invalidate what is another's", async () => {
    const stand = new DoorStand(over({ status: 200, fields: { location: 'http://other.test/b' } }))
    await stand.get('/b', { authority: 'other.test' })
    await stand.get('/a', { method: 'POST', body: 'x' })
    expect(await cacheOf(stand, '/b', { authority: 'other.test' })).toBe('kept')
  })

  it('reaches every key of the URL: dimensions, QUERY contents', async () => {
    const routes = [{ name: 'r', match: { path: '/a' }, key: { headers: ['Lang'] } }]
    const stand = new DoorStand(over({}), { routes })
    await stand.get('/a', { fields: { lang: 'de' } })
    await stand.get('/a', { fields: { lang: 'en' } })
    await stand.get('/a', { method: 'QUERY', body: '1', fields: { lang: 'de' } })
    const asks = stand.asks
    await stand.get('/a', { method: 'POST', body: 'x' })
    for (const lang of ['de', 'en']) expect(await cacheOf(stand, '/a', { fields: { lang } })).toBe('gone')
    await stand.get('/a', { method: 'QUERY', body: '1', fields: { lang: 'de' } })
    expect(stand.asks).toBe(asks + 2)
  })

  it('invalidates in doubt: when the answer broke off, it may have been carried out', async () => {
    for (const [code, state] of [
      ['FC_ORIGIN_BROKEN', 'gone'],
      ['FC_ORIGIN_TIMEOUT', 'gone'],
      ['FC_ORIGIN_REFUSED', 'kept'],
    ] as const) {
      const stand = new DoorStand(over({ error: new ForecacheError(code, { reason: 'x', ms: 1 }) }))
      await stand.get('/a')
      await expect(stand.get('/a', { method: 'POST', body: 'x' })).rejects.toMatchObject({ code })
      expect(await cacheOf(stand, '/a')).toBe(state)
    }
  })

  it('sends the content on and passes the answer through', async () => {
    const stand = new DoorStand(over({ status: 201, body: 'made', fields: { 'set-cookie': 'a=b' } }))
    const got = await stand.get('/a', { method: 'POST', body: 'content', fields: { authorization: 'x' } })
    expect([got.status, got.text, got.fields.get('set-cookie'), stand.seen[0]?.content]).toEqual([201, 'made', 'a=b', 'content'])
  })

  it("gives a POST's answer to GET only in the conformance profile, and only where RFC 9110 section 9.3.3 allows it", async () => {
    const fields = { 'cache-control': 'max-age=60', 'content-location': '/a' }
    const cases: [Record<string, string>, 'safe' | 'conformance', string][] = [
      [fields, 'conformance', 'kept'],
      [fields, 'safe', 'gone'],
      [{ ...fields, 'content-location': '/b' }, 'conformance', 'gone'],
      [{ 'content-location': '/a' }, 'conformance', 'gone'],
      [{ ...fields, 'cache-control': 'private, max-age=60' }, 'conformance', 'gone'],
    ]
    for (const [given, profile, expected] of cases) {
      const stand = new DoorStand(over({ fields: given, body: 'posted' }), { profile })
      await stand.get('/a', { method: 'POST', body: 'x' })
      expect(await cacheOf(stand, '/a')).toBe(expected)
    }
  })

  it('passes safe methods on that are not cached, and invalidates nothing', async () => {
    const stand = new DoorStand(over({ status: 200 }))
    await stand.get('/a')
    for (const method of ['OPTIONS', 'PROPFIND']) expect((await stand.get('/a', { method })).cache).toBe('BYPASS')
    expect(await cacheOf(stand, '/a')).toBe('kept')
  })
})

describe('HTTP door: cache groups (RFC 9875) and surrogate tags', () => {
  const respond: Respond = (head, n) => {
    if (head.method === 'POST') return { fields: { 'cache-group-invalidation': '"g"' } }
    if (head.method === 'GET' && head.target === '/get')
      return { fields: { ...fresh, 'cache-group-invalidation': '"g"' }, body: `${n}` }
    return {
      fields: {
        ...fresh,
        'cache-groups': head.target === '/a' ? '"g", "h"' : '"h"',
        'surrogate-key': 's1 s2',
        'cache-tag': 't1, t2',
        xkey: 'x1',
      },
      body: `${n}`,
    }
  }

  it('empties the named groups of its own origin after an unsafe request', async () => {
    const stand = new DoorStand(respond)
    for (const authority of ['shop.test', 'other.test']) for (const target of ['/a', '/b']) await stand.get(target, { authority })
    await stand.get('/elsewhere', { method: 'POST', body: 'x' })
    expect([
      await cacheOf(stand, '/a'),
      await cacheOf(stand, '/b'),
      await cacheOf(stand, '/a', { authority: 'other.test' }),
    ]).toEqual(['gone', 'kept', 'kept'])
  })

  it('does not listen to a safe request', async () => {
    const stand = new DoorStand(respond)
    await stand.get('/a')
    await stand.get('/get')
    expect(await cacheOf(stand, '/a')).toBe('kept')
  })

  it.each(['s1', 's2', 't1', 't2', 'x1'])('invalidates by the tag %s', async (tag) => {
    const stand = new DoorStand(respond)
    await stand.get('/a')
    expect(stand.engine.invalidate({ tags: [tag] }).matched).toBe(1)
    expect(await cacheOf(stand, '/a')).toBe('gone')
  })

  it('does not store what it could not invalidate', async () => {
    const stand = new DoorStand(() => ({
      fields: { ...fresh, 'surrogate-key': Array.from({ length: 600 }, (_, i) => `t${i}`).join(' ') },
    }))
    expect((await stand.get('/a')).fields.get('cache-status')).toContain('detail=tags')
    expect(await cacheOf(stand, '/a')).toBe('gone')
  })
})
