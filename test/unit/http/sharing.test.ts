import { describe, expect, it } from 'vitest'
import { ForecacheError } from '../../../src/model/errors.ts'
import { DoorStand, gate, readReply, type Script, Valve } from '../../support/door-stand.ts'

const fresh = { 'cache-control': 'max-age=60', etag: '"1"' }

/** An origin that holds every answer until it is let go. */
function held(answer: (n: number) => Script): { stand: DoorStand; go: () => void } {
  const { passed, open } = gate()
  const stand = new DoorStand(async (_, n) => {
    await passed
    return answer(n)
  })
  return { stand, go: () => open() }
}

describe('HTTP door: sharing one answer', () => {
  it('asks the origin once for 100 clients of one absent resource', async () => {
    const { stand, go } = held((n) => ({ fields: fresh, body: `${n}` }))
    const all = Array.from({ length: 100 }, () => stand.get('/a'))
    await stand.settle()
    go()
    expect(new Set((await Promise.all(all)).map((got) => got.text))).toEqual(new Set(['1']))
    expect(stand.asks).toBe(1)
  })

  it('feeds followers from the first byte, and those who come late from the beginning', async () => {
    const valve = new Valve().push('12')
    const stand = new DoorStand(() => ({ fields: fresh, body: valve }))
    const [first, second] = await Promise.all([stand.open('/a'), stand.open('/a')])
    const reader = (second.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    expect(Buffer.from((await reader.next()).value as Uint8Array).toString()).toBe('12')
    valve.push('34')
    await stand.settle()
    const third = await stand.open('/a')
    valve.end()
    expect([(await readReply(first)).text, (await readReply(third)).text]).toEqual(['1234', '1234'])
    expect([third.head.fields.get('cache-status'), stand.asks]).toEqual(['forecache; fwd=uri-miss; ttl=60; collapsed', 1])
  })

  it.each<[string, Record<string, string>]>([
    ['private', { 'cache-control': 'private, max-age=60' }],
    ['no-store', { 'cache-control': 'no-store' }],
    ['no-cache', { 'cache-control': 'no-cache', etag: '"1"' }],
    ['max-age=0', { 'cache-control': 'max-age=0', etag: '"1"' }],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: '*' }],
    ['a cookie', { 'cache-control': 'max-age=60', 'set-cookie': 'id=1' }],
    ['neither lifetime nor validator', {}],
  ])('never hands an answer with %s to a second client', async (_, fields) => {
    const { stand, go } = held((n) => ({ fields, body: `${n}` }))
    const all = Array.from({ length: 20 }, () => stand.get('/a'))
    await stand.settle()
    go()
    const texts = (await Promise.all(all)).map((got) => got.text)
    expect([new Set(texts).size, stand.asks]).toEqual([20, 20])
  })

  it('does not hand the leader his cookies on to followers', async () => {
    const { stand, go } = held(() => ({ fields: { 'cache-control': 'public, max-age=60', 'set-cookie': 'id=1' }, body: 'b' }))
    const all = [stand.get('/a'), stand.get('/a')]
    await stand.settle()
    go()
    const [first, second] = await Promise.all(all)
    expect([first?.fields.has('set-cookie'), second?.fields.has('set-cookie'), stand.asks]).toEqual([true, false, 1])
  })

  it('does not hand an answer to an authorized request to anybody, unless it is public', async () => {
    const respond = (value: string) => held((n) => ({ fields: { 'cache-control': value }, body: `${n}` }))
    for (const [value, asks] of [
      ['max-age=60', 3],
      ['max-age=60, public', 1],
    ] as const) {
      const { stand, go } = respond(value)
      const all = [
        stand.get('/a', { fields: { authorization: 'Bearer 1' } }),
        stand.get('/a', { fields: { authorization: 'Bearer 2' } }),
        stand.get('/a'),
      ]
      await stand.settle()
      go()
      await Promise.all(all)
      expect(stand.asks).toBe(asks)
    }
  })

  it('hands followers only the variant that they select', async () => {
    const { passed, open } = gate()
    const stand = new DoorStand(async (head) => {
      await passed
      return { fields: { ...fresh, vary: 'Lang' }, body: `in ${head.fields.get('lang')}` }
    })
    const all = ['de', 'en', 'de', 'fr', 'en'].map((lang) => stand.get('/a', { fields: { lang } }))
    await stand.settle()
    open()
    expect((await Promise.all(all)).map((got) => got.text)).toEqual(['in de', 'in en', 'in de', 'in fr', 'in en'])
  })

  it('lets clients of an uncacheable resource go their own ways afterwards, without queueing', async () => {
    const gates = [gate(), gate(), gate()]
    const stand = new DoorStand(async (_, n) => {
      await gates[n - 1]?.passed
      return { fields: { 'cache-control': 'private' }, body: `${n}` }
    })
    gates[0]?.open()
    await stand.get('/a')
    const two = [stand.get('/a'), stand.get('/a')]
    await stand.settle()
    expect(stand.asks).toBe(3)
    gates[1]?.open()
    gates[2]?.open()
    await Promise.all(two)
    expect(stand.engine.flights.size).toBe(0)
  })

  it('stores again what was uncacheable and is no longer', async () => {
    const stand = new DoorStand((_, n) => ({ fields: { 'cache-control': n === 1 ? 'private' : 'max-age=60' }, body: `${n}` }))
    for (const text of ['1', '2', '2']) expect((await stand.get('/a')).text).toBe(text)
  })

  it('fails every waiting client with the origin, and lets the next one ask again', async () => {
    const { passed, open } = gate()
    const error = new ForecacheError('FC_ORIGIN_TIMEOUT', { ms: 1 })
    const stand = new DoorStand(async (_, n) => {
      await passed
      return n === 1 ? { error } : { fields: fresh, body: 'b' }
    })
    const all = [stand.get('/a'), stand.get('/a'), stand.get('/a')]
    await stand.settle()
    open()
    const settled = await Promise.allSettled(all)
    expect(settled.every((one) => one.status === 'rejected' && one.reason === error)).toBe(true)
    expect([(await stand.get('/a')).text, stand.asks]).toEqual(['b', 2])
  })

  it('breaks followers off with the body, and stores nothing', async () => {
    const valve = new Valve().push('12')
    const stand = new DoorStand((_, n) => (n === 1 ? { fields: fresh, body: valve } : { fields: fresh, body: 'whole' }))
    const all = [stand.get('/a'), stand.get('/a')]
    await stand.settle()
    valve.fail()
    for (const got of await Promise.all(all)) expect([got.text, got.broken === undefined]).toEqual(['12', false])
    expect((await stand.get('/a')).text).toBe('whole')
  })

  it('never lets a slow client hold a fill, nor other clients', async () => {
    const valve = new Valve()
    const stand = new DoorStand(() => ({ fields: fresh, body: valve }))
    await stand.open('/a') // reads nothing
    const quick = stand.get('/a')
    for (let i = 0; i < 50; i += 1) valve.push('x'.repeat(1000))
    valve.end()
    expect((await quick).text).toHaveLength(50_000)
    expect((await stand.get('/a')).cache).toBe('HIT')
  })

  it('cuts off a reader of a body too large to store that holds the others up', async () => {
    const valve = new Valve()
    const stand = new DoorStand(() => ({ fields: fresh, body: valve }), { limits: { maxBodyBytes: 4, laggardMs: 1000 } })
    const [slow, quick] = await Promise.all([stand.open('/a'), stand.open('/a')])
    const rest = readReply(quick)
    for (let i = 0; i < 10; i += 1) valve.push('1234')
    valve.end()
    await stand.settle()
    await stand.clock.advanceAsync(5000)
    expect((await rest).text).toHaveLength(40)
    expect((await readReply(slow)).broken).toBeDefined()
  })

  it('cancels the request to the origin when its only client goes before the head has come, where the route says so', async () => {
    const stand = new DoorStand(() => new Promise<Script>(() => {}), {
      routes: [{ name: 'r', match: { path: '/a' }, finish: false }],
    })
    const client = new AbortController()
    void stand.get('/a', { signal: client.signal }).catch(() => {})
    await stand.settle()
    client.abort(new Error('gone'))
    expect(stand.seen[0]?.signal.aborted).toBe(true)
  })

  it('answers each follower by his own conditions and ranges', async () => {
    const { stand, go } = held(() => ({ fields: fresh, body: '0123456789' }))
    const all = [
      stand.get('/a'),
      stand.get('/a', { fields: { 'if-none-match': '"1"' } }),
      stand.get('/a', { fields: { range: 'bytes=2-3' } }),
      stand.get('/a', { fields: { 'cache-control': 'max-age=0' } }),
    ]
    await stand.settle()
    go()
    const got = await Promise.all(all)
    expect(got.map((one) => [one.status, one.text])).toEqual([
      [200, '0123456789'],
      [304, ''],
      [206, '23'],
      [200, '0123456789'],
    ])
    expect(stand.asks).toBe(2)
  })

  it('holds no bytes when everything has ended', async () => {
    const stand = new DoorStand((_, n) => ({ fields: fresh, body: n % 2 === 0 ? new Valve().push('12').fail() : 'whole' }))
    for (let i = 0; i < 6; i += 1) await stand.get(`/${i}`)
    const stays = await stand.open('/none-left')
    await readReply(stays)
    expect(stand.engine.flights.size).toBe(0)
  })
})
