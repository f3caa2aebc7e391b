import { describe, expect, it } from 'vitest'
import { ForecacheError } from '../../../src/model/errors.ts'
import { DoorStand, gate, type Respond, Valve } from '../../support/door-stand.ts'

const fresh = { 'cache-control': 'max-age=60', etag: '"1"', 'content-type': 'text/plain' }
const plain: Respond = (_, n) => ({ fields: fresh, body: `body ${n}` })

describe('HTTP door: reading', () => {
  it('asks the origin once and answers the second request from the store, with its age', async () => {
    const stand = new DoorStand(plain)
    const first = await stand.get('/a')
    stand.clock.advance(2500)
    const second = await stand.get('/a')

    expect([first.cache, second.cache]).toEqual(['MISS', 'HIT'])
    expect([first.text, second.text]).toEqual(['body 1', 'body 1'])
    expect([first.fields.has('age'), second.fields.get('age')]).toEqual([false, '2'])
    expect(second.fields.get('cache-status')).toBe('forecache; hit; ttl=57')
    expect(second.fields.get('content-length')).toBe('6')
    expect(second.fields.get('x-cache')).toBe('HIT')
  })

  it('appends itself behind the Cache-Status that the origin sent', async () => {
    const stand = new DoorStand(() => ({ fields: { ...fresh, 'cache-status': 'up; hit' }, body: 'b' }))
    expect((await stand.get('/a')).fields.get('cache-status')).toBe('up; hit, forecache; fwd=uri-miss; fwd-status=200; stored')
    expect((await stand.get('/a')).fields.get('cache-status')).toMatch(/^up; hit, forecache; hit; ttl=/)
  })

  it('counts the delay of the origin and the Age it sent into the age', async () => {
    const held = gate()
    const stand = new DoorStand(async () => {
      await held.passed
      return { fields: { ...fresh, age: '10' }, body: 'b' }
    })
    const first = stand.get('/a')
    await stand.settle()
    stand.clock.advance(5000)
    held.open()
    expect((await first).fields.get('age')).toBe('10')
    stand.clock.advance(1000)
    expect((await stand.get('/a')).fields.get('age')).toBe('16')
  })

  it('serves no response past its lifetime, counted with its age', async () => {
    const stand = new DoorStand((_, n) => ({ fields: { 'cache-control': 'max-age=60', age: '55' }, body: `${n}` }))
    await stand.get('/a')
    stand.clock.advance(4999)
    expect((await stand.get('/a')).text).toBe('1')
    stand.clock.advance(1)
    expect((await stand.get('/a')).text).toBe('2')
  })

  it.each<[string, Record<string, string | string[]>]>([
    ['no-store', { 'cache-control': 'no-store, max-age=60' }],
    ['private', { 'cache-control': 'private, max-age=60' }],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: '*' }],
    ['no lifetime and no validator', {}],
    ['Set-Cookie without a word about sharing', { 'cache-control': 'max-age=60', 'set-cookie': 'a=b' }],
    ['a broken Cache-Control', { 'cache-control': 'max-age=60, x="' }],
    ['a targeted no-store', { 'cache-control': 'max-age=60', 'cdn-cache-control': 'no-store' }],
  ])('stores nothing of a response with %s', async (_, fields) => {
    const stand = new DoorStand((_head, n) => ({ fields, body: `${n}` }))
    expect([(await stand.get('/a')).text, (await stand.get('/a')).text]).toEqual(['1', '2'])
  })

  it('stores a response marked for shared caches without its cookies; its first client gets them', async () => {
    const stand = new DoorStand(() => ({
      fields: { 'cache-control': 'public, max-age=60', 'set-cookie': ['a=b', 'c=d'] },
      body: 'b',
    }))
    expect((await stand.get('/a')).fields.all('set-cookie')).toEqual(['a=b', 'c=d'])
    const hit = await stand.get('/a')
    expect([hit.cache, hit.fields.has('set-cookie')]).toEqual(['HIT', false])
  })

  it('keeps fields named by no-cache= and private= out of the store', async () => {
    const stand = new DoorStand(() => ({
      fields: { 'cache-control': 'max-age=60, no-cache="x-a", private="x-b"', 'x-a': '1', 'x-b': '2', 'x-c': '3' },
    }))
    expect((await stand.get('/a')).fields.get('x-a')).toBe('1')
    const hit = await stand.get('/a')
    expect([hit.fields.has('x-a'), hit.fields.has('x-b'), hit.fields.get('x-c')]).toEqual([false, false, '3'])
  })

  it.each(['no-cache', 'max-age=0'])('goes to the origin for a request with %s, and stores what comes', async (value) => {
    const stand = new DoorStand(plain)
    await stand.get('/a')
    stand.clock.advance(1)
    expect((await stand.get('/a', { fields: { 'cache-control': value } })).text).toBe('body 2')
    expect((await stand.get('/a')).text).toBe('body 2')
  })

  it('stores nothing of a request with no-store', async () => {
    const stand = new DoorStand(plain)
    const wish = { fields: { 'cache-control': 'no-store' } }
    expect([(await stand.get('/a', wish)).cache, (await stand.get('/a')).text]).toEqual(['BYPASS', 'body 2'])
  })

  it('answers only-if-cached with what is stored, else 504 without asking', async () => {
    const stand = new DoorStand(plain)
    const wish = { fields: { 'cache-control': 'only-if-cached' } }
    expect((await stand.get('/a', wish)).status).toBe(504)
    expect(stand.asks).toBe(0)
    await stand.get('/a')
    expect((await stand.get('/a', wish)).status).toBe(200)
  })

  it('serves stale to a client that accepts it, unless the response forbids it', async () => {
    const stand = new DoorStand((head, n) => ({
      fields: { 'cache-control': head.target === '/a' ? 'max-age=10' : 'max-age=10, must-revalidate' },
      body: `${n}`,
    }))
    await stand.get('/a')
    await stand.get('/b')
    stand.clock.advance(15_000)
    const wish = { fields: { 'cache-control': 'max-stale=10' } }
    expect((await stand.get('/a', wish)).cache).toBe('STALE')
    expect((await stand.get('/b', wish)).cache).toBe('MISS')
  })

  it('never answers a GET with content from the store, nor stores its answer', async () => {
    const stand = new DoorStand(plain)
    await stand.get('/a')
    const fat = await stand.get('/a', { body: 'x' })
    expect([fat.cache, fat.text, stand.seen[1]?.content]).toEqual(['BYPASS', 'body 2', 'x'])
    expect((await stand.get('/a')).text).toBe('body 1')
  })

  it('adds a Date to an answer without one and keeps it', async () => {
    const stand = new DoorStand(() => ({ fields: { ...fresh, date: undefined }, body: 'b' }))
    const first = await stand.get('/a')
    stand.clock.advance(5000)
    expect(first.fields.has('date')).toBe(true)
    expect((await stand.get('/a')).fields.get('date')).toBe(first.fields.get('date'))
  })

  it('forwards 1xx answers and never stores them', async () => {
    const stand = new DoorStand(() => ({
      fields: fresh,
      body: 'b',
      before: [{ status: 103, statusText: '', fields: stand.seen[0]?.head.fields as never }],
    }))
    await stand.get('/a')
    expect(stand.informed.map((one) => one.status)).toEqual([103])
    await stand.get('/a')
    expect(stand.informed).toHaveLength(1)
  })

  it('keeps keys apart by host, scheme, query and QUERY content', async () => {
    const stand = new DoorStand(plain)
    const texts = [
      await stand.get('/a'),
      await stand.get('/a', { authority: 'other.test' }),
      await stand.get('/a', { scheme: 'https' }),
      await stand.get('/a?b'),
      await stand.get('/a', { method: 'QUERY', body: '1' }),
      await stand.get('/a', { method: 'QUERY', body: '2' }),
      await stand.get('/a', { method: 'QUERY', body: '1', fields: { 'content-type': 'text/sql' } }),
    ].map((got) => got.text)
    expect(new Set(texts).size).toBe(7)
    const again = await stand.get('/a', { method: 'QUERY', body: '2' })
    expect([again.cache, again.text, stand.seen[5]?.content]).toEqual(['HIT', 'body 6', '2'])
  })

  it('passes a QUERY on whole when its content is larger than may be keyed', async () => {
    const stand = new DoorStand(plain, { limits: { maxContentBytes: 8 } })
    const body = 'x'.repeat(20)
    await stand.get('/a', { method: 'QUERY', body })
    expect([(await stand.get('/a', { method: 'QUERY', body })).cache, stand.seen[1]?.content]).toEqual(['BYPASS', body])
  })

  it('streams a body larger than is stored through, with back-pressure, and stores nothing', async () => {
    const valve = new Valve()
    const stand = new DoorStand(() => ({ fields: fresh, body: valve }), { limits: { maxBodyBytes: 10 } })
    const reply = await stand.open('/a')
    for (let i = 0; i < 20; i += 1) valve.push('12345')
    valve.end()
    await stand.settle()
    expect(valve.taken).toBeLessThan(8) // about what may be held, not all of it
    let text = ''
    for await (const chunk of reply.body as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString()
    expect(text).toHaveLength(100)
    await stand.settle()
    expect(stand.engine.memory.look('http://shop.test/a')?.kind).toBe('pass')
  })

  it('does not collect a body whose announced length is too large', async () => {
    const stand = new DoorStand(() => ({ fields: fresh, body: 'x'.repeat(20) }), { limits: { maxBodyBytes: 10 } })
    expect((await stand.get('/a')).fields.get('cache-status')).toContain('detail=too-large')
    expect((await stand.get('/a')).cache).toBe('MISS')
  })

  it.each<[string, (valve: Valve) => void, Record<string, string>]>([
    ['breaks off', (valve) => valve.push('12').fail(), {}],
    ['is shorter than announced', (valve) => valve.push('12').end(), { 'content-length': '5' }],
    ['is longer than announced', (valve) => valve.push('123456').end(), { 'content-length': '5' }],
  ])('stores nothing of a body that %s, and breaks off for its client', async (_, play, more) => {
    const stand = new DoorStand((_head, n) => {
      const valve = new Valve()
      if (n === 1) play(valve)
      return n === 1 ? { fields: { ...fresh, ...more }, body: valve } : { fields: fresh, body: 'whole' }
    })
    expect((await stand.get('/a')).broken).toBeDefined()
    expect((await stand.get('/a')).text).toBe('whole')
  })

  it('stores nothing of a body that only the end of the connection ended, except for conformance', async () => {
    const respond: Respond = (_, n) => ({ fields: fresh, body: `${n}`, endsByClose: true })
    const safe = new DoorStand(respond)
    const loose = new DoorStand(respond, { profile: 'conformance' })
    for (const stand of [safe, loose]) await stand.get('/a')
    expect([(await safe.get('/a')).text, (await loose.get('/a')).text]).toEqual(['2', '1'])
  })

  it('goes on with a fill whose client has gone, unless the route says otherwise', async () => {
    const valves: Valve[] = []
    const respond: Respond = () => {
      valves.push(new Valve().push('12'))
      return { fields: fresh, body: valves.at(-1) as Valve }
    }
    const routes = [{ name: 'short', match: { path: '/short' }, finish: false }]
    const stand = new DoorStand(respond, { routes })
    for (const target of ['/long', '/short']) {
      const reply = await stand.open(target)
      await (reply.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().return?.()
    }
    for (const valve of valves) valve.push('34').end()
    await stand.settle()
    expect([(await stand.get('/long')).cache, valves[1]?.cancelled]).toEqual(['HIT', true])
  })

  it('hands errors of the origin on, and remembers none of them', async () => {
    const refused = new ForecacheError('FC_ORIGIN_REFUSED', { reason: 'x' })
    const stand = new DoorStand((_, n) => (n === 1 ? { error: refused } : { fields: fresh, body: 'b' }))
    await expect(stand.get('/a')).rejects.toBe(refused)
    expect((await stand.get('/a')).text).toBe('b')
  })
})
