import { describe, expect, it } from 'vitest'
import { ForecacheError } from '../../../src/model/errors.ts'
import { DoorStand, gate, type Respond } from '../../support/door-stand.ts'

const MODIFIED = 'Wed, 01 Jan 2020 00:00:00 GMT'
const refused = new ForecacheError('FC_ORIGIN_REFUSED', { reason: 'x' })
const stored = { 'cache-control': 'max-age=10', etag: '"1"', 'x-old': 'a' }

/** First a response to be stored, then what is given for each later request. */
function then(first: Record<string, string | string[]>, ...later: readonly ReturnType<Respond>[]): DoorStand {
  return new DoorStand((_, n) => (n === 1 ? { fields: first, body: 'old' } : (later[n - 2] ?? later.at(-1) ?? { status: 500 })))
}

describe('HTTP door: validation', () => {
  it('asks with the stored validators, renews by a 304, and serves the stored body with the new fields', async () => {
    const stand = then(
      { ...stored, 'last-modified': MODIFIED },
      { status: 304, fields: { 'x-new': 'b', 'cache-control': 'max-age=20', 'content-length': 99 } },
    )
    await stand.get('/a')
    stand.clock.advance(11_000)
    const got = await stand.get('/a')
    expect(stand.seen[1]?.head.fields.get('if-none-match')).toBe('"1"')
    expect(stand.seen[1]?.head.fields.get('if-modified-since')).toBe(MODIFIED)
    expect([
      got.status,
      got.cache,
      got.text,
      got.fields.get('x-old'),
      got.fields.get('x-new'),
      got.fields.get('content-length'),
      got.fields.get('age'),
    ]).toEqual([200, 'REFRESH', 'old', 'a', 'b', '3', '0'])
    stand.clock.advance(19_000)
    expect((await stand.get('/a')).cache).toBe('HIT')
  })

  it('fetches anew when a 304 speaks of another representation', async () => {
    const stand = then(stored, { status: 304, fields: { etag: '"2"' } }, { fields: { ...stored, etag: '"2"' }, body: 'new' })
    await stand.get('/a')
    stand.clock.advance(11_000)
    expect((await stand.get('/a')).text).toBe('new')
    expect(stand.seen[2]?.head.fields.has('if-none-match')).toBe(false)
    expect((await stand.get('/a')).text).toBe('new')
  })

  it("never lets the client's own conditions stand for the stored ones, and still meets them", async () => {
    const stand = then(stored, { status: 304, fields: {} })
    await stand.get('/a')
    stand.clock.advance(11_000)
    const other = await stand.get('/a', { fields: { 'if-none-match': '"other"' } })
    expect([other.status, other.text, stand.seen[1]?.head.fields.get('if-none-match')]).toEqual([200, 'old', '"1"'])
    expect((await stand.get('/a', { fields: { 'if-none-match': 'W/"1"' } })).status).toBe(304)
  })

  it('meets a condition on a miss without the origin seeing it, and stores the whole', async () => {
    const stand = then(stored)
    expect([
      (await stand.get('/a', { fields: { 'if-none-match': '"1"' } })).status,
      stand.seen[0]?.head.fields.has('if-none-match'),
    ]).toEqual([304, false])
    expect((await stand.get('/a')).text).toBe('old')
  })

  it('leaves If-Match and If-Unmodified-Since to the origin when they fail or what is stored is not fresh', async () => {
    const stand = then(stored, { status: 412 })
    await stand.get('/a')
    expect((await stand.get('/a', { fields: { 'if-match': '"1"' } })).status).toBe(200)
    expect((await stand.get('/a', { fields: { 'if-match': '"2"' } })).status).toBe(412)
    stand.clock.advance(11_000)
    expect((await stand.get('/a', { fields: { 'if-match': '"1"' } })).status).toBe(412)
    expect(stand.seen[2]?.head.fields.get('if-match')).toBe('"1"')
  })

  it('replaces what is stored by a new answer, and drops it when the new one is not to be stored', async () => {
    const stand = then(stored, { fields: { 'cache-control': 'no-store' }, body: 'secret' }, { fields: stored, body: 'new' })
    await stand.get('/a')
    stand.clock.advance(11_000)
    expect((await stand.get('/a')).text).toBe('secret')
    expect((await stand.get('/a')).text).toBe('new')
    expect(stand.seen[2]?.head.fields.has('if-none-match')).toBe(false)
  })

  it('forgets what a 304 says may no longer be stored, after serving it once', async () => {
    const stand = then(stored, { status: 304, fields: { 'cache-control': 'private' } }, { fields: stored, body: 'new' })
    await stand.get('/a')
    stand.clock.advance(11_000)
    expect((await stand.get('/a')).text).toBe('old')
    expect((await stand.get('/a')).text).toBe('new')
  })

  it('hands cookies of a 304 to the client who asked, never to others', async () => {
    const stand = then(stored, { status: 304, fields: { 'set-cookie': 'id=1', 'cache-control': 'public, max-age=10' } })
    await stand.get('/a')
    stand.clock.advance(11_000)
    expect((await stand.get('/a')).fields.all('set-cookie')).toEqual(['id=1'])
    expect((await stand.get('/a')).fields.has('set-cookie')).toBe(false)
  })

  it('validates a no-cache response for every request, each for himself', async () => {
    const stand = then({ 'cache-control': 'no-cache', etag: '"1"' }, { status: 304 })
    await stand.get('/a')
    const got = await Promise.all([stand.get('/a'), stand.get('/a'), stand.get('/a')])
    expect([got.map((one) => one.text), stand.asks]).toEqual([['old', 'old', 'old'], 4])
  })

  it('validates once for many clients of a response that has become stale', async () => {
    const stand = then(stored, { status: 304 })
    await stand.get('/a')
    stand.clock.advance(11_000)
    await Promise.all(Array.from({ length: 10 }, () => stand.get('/a')))
    expect(stand.asks).toBe(2)
  })

  it('does not renew a shared response by what an authorized client was told', async () => {
    const stand = then({ ...stored, 'cache-control': 'max-age=10' }, { status: 304 }, { fields: stored, body: 'new' })
    await stand.get('/a')
    stand.clock.advance(11_000)
    expect((await stand.get('/a', { fields: { authorization: 'x' } })).text).toBe('old')
    expect((await stand.get('/a')).text).toBe('new')
  })
})

describe('HTTP door: failing origins', () => {
  it.each([500, 502, 503, 504])('serves stale inside stale-if-error when the origin answers %d', async (status) => {
    const stand = then({ ...stored, 'cache-control': 'max-age=10, stale-if-error=20' }, { status })
    await stand.get('/a')
    stand.clock.advance(29_000)
    const got = await stand.get('/a')
    expect([got.status, got.cache, got.text, got.fields.get('age')]).toEqual([200, 'STALE', 'old', '29'])
    stand.clock.advance(2000)
    expect((await stand.get('/a')).status).toBe(status)
  })

  it('serves stale inside stale-if-error when the origin cannot be reached, and then leaves it alone for a while', async () => {
    const stand = then({ 'cache-control': 'max-age=10, stale-if-error=60' }, { error: refused })
    await stand.get('/a')
    stand.clock.advance(11_000)
    expect([(await stand.get('/a')).text, (await stand.get('/a')).text, stand.asks]).toEqual(['old', 'old', 2])
    stand.clock.advance(5000)
    await stand.get('/a')
    expect(stand.asks).toBe(3)
  })

  it.each([
    'max-age=10',
    'max-age=10, stale-if-error=60, must-revalidate',
    's-maxage=10, stale-if-error=60',
    'no-cache, stale-if-error=60',
  ])('serves nothing stale with %s', async (value) => {
    const stand = then({ etag: '"1"', 'cache-control': value }, { error: refused })
    await stand.get('/a')
    stand.clock.advance(11_000)
    await expect(stand.get('/a')).rejects.toThrow(ForecacheError)
  })

  it('says 504 where what is stored had to be validated (RFC 9111 section 5.2.2.2)', async () => {
    const stand = then({ ...stored, 'cache-control': 'max-age=10, must-revalidate' }, { error: refused })
    await stand.get('/a')
    stand.clock.advance(11_000)
    await expect(stand.get('/a')).rejects.toMatchObject({ code: 'FC_ORIGIN_UNPROVEN', status: 504 })
  })

  it('serves stale unasked only in the conformance profile, and only when cut off', async () => {
    const respond: Respond = (_, n) =>
      n === 1 ? { fields: { 'cache-control': 'max-age=10' }, body: 'old' } : n === 2 ? { status: 503 } : { error: refused }
    const stand = new DoorStand(respond, { profile: 'conformance' }, { backoff: { first: 0 } })
    await stand.get('/a')
    stand.clock.advance(11_000)
    expect((await stand.get('/a')).status).toBe(503)
    expect((await stand.get('/a')).text).toBe('old')
  })
})

describe('HTTP door: refreshing behind a stale answer (RFC 5861 section 3)', () => {
  const window = { 'cache-control': 'max-age=10, stale-while-revalidate=10', etag: '"1"' }

  it('serves stale at once and refreshes once, however many ask', async () => {
    const { passed, open } = gate()
    const stand = new DoorStand(async (_, n) => {
      if (n > 1) await passed
      return { fields: window, body: `${n}` }
    })
    await stand.get('/a')
    stand.clock.advance(12_000)
    const got = await Promise.all(Array.from({ length: 5 }, () => stand.get('/a')))
    await stand.settle()
    expect([got.map((one) => `${one.cache} ${one.text}`), stand.asks]).toEqual([Array(5).fill('STALE 1'), 2])
    open()
    await stand.settle()
    expect((await stand.get('/a')).text).toBe('2')
  })

  it('serves nothing stale past the window', async () => {
    const stand = then(window, { fields: window, body: 'new' })
    await stand.get('/a')
    stand.clock.advance(20_000)
    expect((await stand.get('/a')).text).toBe('new')
  })

  it('keeps a failing origin from being asked at every request', async () => {
    const stand = then(window, { error: refused })
    await stand.get('/a')
    stand.clock.advance(12_000)
    for (let i = 0; i < 5; i += 1) {
      expect((await stand.get('/a')).text).toBe('old')
      await stand.settle()
    }
    expect(stand.asks).toBe(2)
  })

  it('leaves s-maxage strict unless the route says otherwise', async () => {
    const fields = { 'cache-control': 's-maxage=10, stale-while-revalidate=10' }
    const routes = [{ name: 'loose', match: { path: '/loose' }, staleWithSMaxage: true }]
    const stand = new DoorStand((_, n) => ({ fields, body: `${n}` }), { routes })
    for (const target of ['/a', '/loose']) await stand.get(target)
    stand.clock.advance(12_000)
    expect([(await stand.get('/a')).cache, (await stand.get('/loose')).cache]).toEqual(['MISS', 'STALE'])
  })
})

describe('HTTP door: HEAD', () => {
  it('is answered from what GET stored', async () => {
    const stand = then(stored)
    await stand.get('/a')
    const head = await stand.get('/a', { method: 'HEAD' })
    expect([head.cache, head.status, head.text, head.fields.get('content-length')]).toEqual(['HIT', 200, '', '3'])
  })

  it('is written through otherwise, and stores nothing for GET', async () => {
    const stand = new DoorStand((_, n) => ({ fields: stored, body: `${n}` }))
    await stand.get('/a', { method: 'HEAD' })
    expect([stand.seen[0]?.head.method, (await stand.get('/a')).text]).toEqual(['HEAD', '2'])
  })

  it('renews what is stored when its validators agree, and removes it when they do not', async () => {
    for (const [etag, text, asks] of [
      ['"1"', 'old', 2],
      ['"2"', 'new', 3],
    ] as const) {
      const stand = then(stored, { fields: { ...stored, etag, 'content-length': 3 } }, { fields: stored, body: 'new' })
      await stand.get('/a')
      stand.clock.advance(11_000)
      await stand.get('/a', { method: 'HEAD' })
      expect([(await stand.get('/a')).text, stand.asks]).toEqual([text, asks])
    }
  })
})
