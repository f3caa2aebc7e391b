import { describe, expect, it } from 'vitest'
import { MAX_SETS } from '../../../src/http/stored.ts'
import { DoorStand, type Respond } from '../../support/door-stand.ts'

const fresh = { 'cache-control': 'max-age=60' }
const byLang: Respond = (head, n) => ({ fields: { ...fresh, vary: 'Lang' }, body: `${head.fields.get('lang') ?? '-'} ${n}` })

describe('HTTP door: variants (RFC 9111 section 4.1)', () => {
  it('keeps one response for each value, absence included', async () => {
    const stand = new DoorStand(byLang)
    const read = async (lang?: string): Promise<string> => (await stand.get('/a', { fields: { lang } })).text
    expect([await read('de'), await read('en'), await read(), await read('')]).toEqual(['de 1', 'en 2', '- 3', ' 4'])
    expect([await read('de'), await read('en'), await read(), await read('')]).toEqual(['de 1', 'en 2', '- 3', ' 4'])
    expect(stand.asks).toBe(4)
  })

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['a separator', { a: '1|2', b: '' }, { a: '1', b: '2|' }],
    ['a quote', { a: '1","b":"2' }, { a: '1', b: '2' }],
    ['a comma', { a: '1, b', b: '2' }, { a: '1', b: 'b, 2' }],
    ['absence', { a: '' }, { b: '' }],
  ])('is not fooled by %s in a value', async (_, first, second) => {
    const stand = new DoorStand((_head, n) => ({ fields: { ...fresh, vary: 'A, B' }, body: `${n}` }))
    expect([(await stand.get('/a', { fields: first })).text, (await stand.get('/a', { fields: second })).text]).toEqual([
      '1',
      '2',
    ])
  })

  it('follows a resource that begins, changes or stops to vary', async () => {
    const sets = [undefined, 'Lang', 'Tier', undefined]
    const stand = new DoorStand((_, n) => ({ fields: { 'cache-control': 'max-age=10', vary: sets[n - 1] }, body: `${n}` }))
    for (let n = 1; n <= 4; n += 1) {
      expect((await stand.get('/a', { fields: { lang: 'de', tier: 'x' } })).text).toBe(`${n}`)
      expect((await stand.get('/a', { fields: { lang: 'de', tier: 'x' } })).text).toBe(`${n}`)
      stand.clock.advance(11_000)
    }
  })

  it('keeps at most so many sets of names under one key', async () => {
    const stand = new DoorStand((head, n) => ({ fields: { ...fresh, vary: `V${head.fields.get('n')}` }, body: `${n}` }))
    for (let n = 0; n < MAX_SETS + 4; n += 1)
      await stand.get('/a', { fields: { n: String(n), [`v${n}`]: '1', 'cache-control': 'no-cache' } })
    expect((await stand.get('/a', { fields: { v0: '1' } })).cache).toBe('MISS')
    expect((await stand.get('/a', { fields: { [`v${MAX_SETS + 2}`]: '1' } })).cache).toBe('HIT')
  })

  it.each<[string, (stand: DoorStand) => unknown]>([
    ['its URL', (stand) => stand.engine.invalidate({ urls: ['http://shop.test/a'] })],
    ['its key', (stand) => stand.engine.invalidate({ keys: ['http://shop.test/a'] })],
    ['an unsafe method', (stand) => stand.get('/a', { method: 'DELETE' })],
    ['everything', (stand) => stand.engine.invalidate({ all: true })],
    ['a prefix', (stand) => stand.engine.invalidate({ prefixes: ['http://shop.test/'] })],
  ])('loses all variants with the invalidation of %s', async (_, invalidate) => {
    const stand = new DoorStand((head, n) => (head.method === 'GET' ? byLang(head, n) : {}))
    for (const lang of ['de', 'en', 'fr']) await stand.get('/a', { fields: { lang } })
    await invalidate(stand)
    for (const lang of ['de', 'en', 'fr']) expect((await stand.get('/a', { fields: { lang } })).cache).toBe('MISS')
  })

  it('does not find variants of before again when the key comes back', async () => {
    const stand = new DoorStand(byLang)
    for (const lang of ['de', 'en']) await stand.get('/a', { fields: { lang } })
    stand.engine.invalidate({ keys: ['http://shop.test/a'] })
    await stand.get('/a', { fields: { lang: 'de' } })
    expect((await stand.get('/a', { fields: { lang: 'en' } })).text).toBe('en 4')
  })

  it('calls all variants stale after a soft invalidation of the key', async () => {
    const stand = new DoorStand(byLang)
    for (const lang of ['de', 'en']) await stand.get('/a', { fields: { lang } })
    stand.engine.invalidate({ urls: ['http://shop.test/a'], soft: true })
    for (const lang of ['de', 'en']) expect((await stand.get('/a', { fields: { lang } })).cache).toBe('MISS')
  })

  it('answers a Vary by the key where the route has the field in it', async () => {
    const routes = [{ name: 'r', match: { path: '/a' }, key: { headers: ['Lang'] } }]
    const stand = new DoorStand(byLang, { routes })
    expect([
      (await stand.get('/a', { fields: { lang: 'de' } })).text,
      (await stand.get('/a', { fields: { lang: 'en' } })).text,
    ]).toEqual(['de 1', 'en 2'])
    expect(stand.engine.memory.look('http://shop.test/a header.lang=de')?.kind).toBe('value')
  })
})

describe('HTTP door: No-Vary-Search', () => {
  const respond: Respond = (head, n) => ({
    fields: { ...fresh, 'no-vary-search': 'key-order, params=("utm")' },
    body: `${head.target} ${n}`,
  })

  it('finds an answer by every URL that differs only where the answer says so', async () => {
    const stand = new DoorStand(respond)
    await stand.get('/a?x=1&y=2&utm=3')
    expect((await stand.get('/a?y=2&x=1')).cache).toBe('HIT')
    expect((await stand.get('/a?x=1&y=2&utm=9')).cache).toBe('HIT')
    expect((await stand.get('/a?x=1&y=3')).cache).toBe('MISS')
    expect((await stand.get('/b?x=1&y=2')).cache).toBe('MISS')
  })

  it.each<[string, (stand: DoorStand) => unknown]>([
    ['the URL that brought it', (stand) => stand.engine.invalidate({ urls: ['http://shop.test/a?x=1&utm=3'] })],
    ['another URL of the path', (stand) => stand.get('/a?x=1', { method: 'POST' })],
  ])('loses it with %s', async (_, invalidate) => {
    const stand = new DoorStand(respond)
    await stand.get('/a?x=1&utm=3')
    await invalidate(stand)
    expect((await stand.get('/a?x=1&utm=4')).cache).toBe('MISS')
  })

  it('goes back to exact URLs when the origin no longer says so', async () => {
    const stand = new DoorStand((head, n) => (n === 1 ? respond(head, n) : { fields: fresh, body: `${n}` }))
    await stand.get('/a?utm=1')
    stand.clock.advance(61_000)
    await stand.get('/a?utm=2')
    expect([(await stand.get('/a?utm=2')).cache, (await stand.get('/a?utm=3')).cache]).toEqual(['HIT', 'MISS'])
  })
})
