import { describe, expect, it } from 'vitest'
import { DoorStand, type Got, type Respond, Valve } from '../../support/door-stand.ts'

const BODY = '0123456789'
const whole = {
  'cache-control': 'max-age=60',
  etag: '"1"',
  'content-type': 'text/plain',
  'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT',
}

/** An origin that knows ranges. */
const ranging: Respond = (head) => {
  const match = /^bytes=(\d+)-(\d*)$/.exec(head.fields.get('range') ?? '')
  const current = head.fields.get('if-range')
  if (match === null || (current !== undefined && current !== '"1"')) return { fields: whole, body: BODY }
  const first = Number(match[1])
  const last = match[2] === '' ? BODY.length - 1 : Number(match[2])
  return { status: 206, fields: { ...whole, 'content-range': `bytes ${first}-${last}/10` }, body: BODY.slice(first, last + 1) }
}

async function full(respond: Respond = () => ({ fields: whole, body: BODY })): Promise<DoorStand> {
  const stand = new DoorStand(respond)
  await stand.get('/a')
  return stand
}

const ask = (stand: DoorStand, range: string, more: Record<string, string> = {}): Promise<Got> =>
  stand.get('/a', { fields: { range, ...more } })

describe('HTTP door: ranges of stored responses (RFC 9110 section 14)', () => {
  it('answers one range with 206', async () => {
    const got = await ask(await full(), 'bytes=2-4')
    expect([got.status, got.text, got.fields.get('content-range'), got.fields.get('content-length'), got.cache]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
      '3',
      'HIT',
    ])
    expect([got.fields.get('etag'), got.fields.has('age')]).toEqual(['"1"', true])
  })

  it('answers several as multipart/byteranges', async () => {
    const got = await ask(await full(), 'bytes=0-1,-2')
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(got.fields.get('content-type') ?? '')?.[1]
    expect(got.status).toBe(206)
    expect(got.text.split(`--${boundary}`)).toHaveLength(4)
    expect(got.fields.get('content-length')).toBe(String(got.text.length))
    expect([
      got.text.includes('bytes 0-1/10\r\n\r\n01\r\n'),
      got.text.includes('bytes 8-9/10\r\n\r\n89\r\n'),
      got.fields.has('content-range'),
    ]).toEqual([true, true, false])
  })

  it('answers 416 when none is there, with nothing of the response that another cache could keep', async () => {
    const got = await ask(await full(), 'bytes=10-')
    expect([
      got.status,
      got.text,
      got.fields.get('content-range'),
      got.fields.get('cache-control'),
      got.fields.has('etag'),
    ]).toEqual([416, '', 'bytes */10', 'no-store', false])
  })

  it.each(['bytes=4-2', 'items=0-1', 'bytes=a', 'bytes=0-9,0-9'])('answers the whole to %s', async (range) => {
    const got = await ask(await full(), range)
    expect([got.status, got.text]).toEqual([200, BODY])
  })

  it.each<[string, number]>([
    ['"1"', 206],
    ['"2"', 200],
    ['W/"1"', 200],
    [whole['last-modified'], 206],
    ['Thu, 02 Jan 2020 00:00:00 GMT', 200],
  ])('answers a range with If-Range: %s by %d', async (condition, status) => {
    expect((await ask(await full(), 'bytes=0-1', { 'if-range': condition })).status).toBe(status)
  })

  it('looks at conditions before ranges, and at ranges of GET and of success alone', async () => {
    const stand = await full()
    expect((await ask(stand, 'bytes=0-1', { 'if-none-match': '"1"' })).status).toBe(304)
    const head = await stand.get('/a', { method: 'HEAD', fields: { range: 'bytes=0-1' } })
    expect([head.status, head.fields.get('content-length')]).toEqual([200, '10'])
    const missing = await full(() => ({ status: 404, fields: whole, body: BODY }))
    expect([(await ask(missing, 'bytes=0-1')).status, missing.asks]).toEqual([404, 1])
  })

  it('validates what has become stale before it answers a range of it', async () => {
    const stand = new DoorStand((_, n) => (n === 1 ? { fields: whole, body: BODY } : { status: 304 }))
    await stand.get('/a')
    stand.clock.advance(61_000)
    const got = await ask(stand, 'bytes=0-1')
    expect([got.status, got.text, stand.seen[1]?.head.fields.has('range')]).toEqual([206, '01', false])
  })

  it('answers the range out of the new whole when validation brings one', async () => {
    const stand = new DoorStand((_, n) => ({ fields: { ...whole, etag: `"${n}"` }, body: n === 1 ? BODY : 'abcdefghij' }))
    await stand.get('/a')
    stand.clock.advance(61_000)
    expect((await ask(stand, 'bytes=0-1')).text).toBe('ab')
    stand.clock.advance(61_000)
    const old = await ask(stand, 'bytes=0-1', { 'if-range': '"2"' })
    expect([old.status, old.text]).toEqual([200, 'abcdefghij'])
  })

  it('gives the whole at once to who wanted a range of a body that proves too large to store', async () => {
    const valve = new Valve()
    const stand = new DoorStand((_, n) => ({ fields: whole, body: [BODY, valve, BODY.repeat(10)][n - 1] as string }), {
      limits: { maxBodyBytes: 20 },
    })
    await stand.get('/a')
    stand.clock.advance(61_000)
    const all = [ask(stand, 'bytes=0-1'), ask(stand, 'bytes=0-1')]
    for (let i = 0; i < 10; i += 1) valve.push(BODY)
    valve.end()
    for (const got of await Promise.all(all)) expect([got.status, got.text.length]).toEqual([200, 100])
  })

  it('never stores the answer to HEAD for GET, not even behind a stale one', async () => {
    const fields = { ...whole, 'cache-control': 'max-age=10, stale-while-revalidate=60' }
    const stand = new DoorStand((head) => ({
      fields: { ...fields, 'content-length': head.method === 'HEAD' ? undefined : 10 },
      body: BODY,
    }))
    await stand.get('/a')
    stand.clock.advance(12_000)
    await stand.get('/a', { method: 'HEAD' })
    await stand.settle()
    expect((await stand.get('/a')).text).toBe(BODY)
  })
})

describe('HTTP door: parts (RFC 9110 section 15.3.7, RFC 9111 section 3.3)', () => {
  it('passes a range on that is not stored, keeps the part, and answers from it', async () => {
    const stand = new DoorStand(ranging)
    const first = await ask(stand, 'bytes=2-6')
    expect([first.status, first.text, first.cache]).toEqual([206, '23456', 'MISS'])
    const inside = await ask(stand, 'bytes=3-4')
    expect([inside.text, inside.cache, inside.fields.get('content-range')]).toEqual(['34', 'HIT', 'bytes 3-4/10'])
    expect([(await ask(stand, 'bytes=0-1')).cache, stand.asks]).toEqual(['MISS', 2])
  })

  it('puts parts of one strong tag together, and the whole serves everybody', async () => {
    const stand = new DoorStand(ranging)
    await ask(stand, 'bytes=0-4')
    await ask(stand, 'bytes=5-')
    const got = await stand.get('/a')
    expect([got.status, got.text, got.cache, got.fields.has('content-range'), stand.asks]).toEqual([200, BODY, 'HIT', false, 2])
  })

  it('asks for the rest of a part only, when the whole is wanted', async () => {
    const stand = new DoorStand(ranging)
    await ask(stand, 'bytes=0-4')
    const got = await stand.get('/a')
    expect([got.status, got.text, stand.seen[1]?.head.fields.get('range'), stand.seen[1]?.head.fields.get('if-range')]).toEqual([
      200,
      BODY,
      'bytes=5-',
      '"1"',
    ])
    expect((await stand.get('/a')).cache).toBe('HIT')
  })

  it('does not put parts of different tags together', async () => {
    const stand = new DoorStand((head, n) => ({
      status: 206,
      fields: { ...whole, etag: `"${n}"`, 'content-range': n === 1 ? 'bytes 0-4/10' : 'bytes 5-9/10' },
      body: head.fields.has('range') ? BODY.slice(0, 5) : BODY,
    }))
    await ask(stand, 'bytes=0-4')
    await ask(stand, 'bytes=5-')
    expect((await ask(stand, 'bytes=0-4')).cache).toBe('MISS')
  })

  it.each<[string, Record<string, string>, string]>([
    ['claims more bytes than it carries', { 'content-range': 'bytes 4-9/10' }, '01234'],
    ['has no Content-Range', {}, '01234'],
    ['has a Content-Range without length', { 'content-range': 'bytes 0-4/*' }, '01234'],
    ['is private', { 'content-range': 'bytes 0-4/10', 'cache-control': 'private' }, '01234'],
  ])('keeps no part that %s', async (_, fields, body) => {
    const stand = new DoorStand(() => ({ status: 206, fields: { ...whole, ...fields }, body }))
    await ask(stand, 'bytes=0-4')
    expect((await ask(stand, 'bytes=0-4')).cache).toBe('MISS')
  })

  it('never answers a plain GET with a part, and stores no 206 that nobody asked for', async () => {
    const stand = new DoorStand((_, n) =>
      n === 2
        ? { fields: whole, body: BODY }
        : { status: 206, fields: { ...whole, etag: undefined, 'content-range': 'bytes 0-4/10' }, body: BODY.slice(0, 5) },
    )
    await ask(stand, 'bytes=0-4')
    expect((await stand.get('/a')).text).toBe(BODY)
    const unasked = new DoorStand(() => ({
      status: 206,
      fields: { ...whole, 'content-range': 'bytes 0-4/10' },
      body: BODY.slice(0, 5),
    }))
    expect([(await unasked.get('/a')).status, (await unasked.get('/a')).cache]).toEqual([206, 'MISS'])
  })

  it('leaves a stored whole alone when a range of it has to be asked for', async () => {
    const stand = new DoorStand(ranging)
    await stand.get('/a')
    const got = await ask(stand, 'bytes=0-1', { 'cache-control': 'no-cache' })
    expect(got.text).toBe('01')
    expect((await stand.get('/a')).text).toBe(BODY)
  })
})
