import { hash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createHttpDoor } from '../../../src/http/door.ts'
import { Fields } from '../../../src/model/fields.ts'
import { bytesSource, gzipped, plainText, pressed, wordy } from '../../support/coded-origin.ts'
import { Press } from '../../../src/wire/press.ts'
import { ACCOUNT } from '../../../src/model/ledger.ts'
import { DoorStand, gate, type Got, type Respond, type Wish } from '../../support/door-stand.ts'

const json = { 'cache-control': 'max-age=60', 'content-type': 'application/json' }
const plain: Respond = (_, n) => ({ fields: { ...json, etag: `"v${n}"` }, body: wordy(`plain ${n}`) })
const chrome = 'gzip, deflate, br, zstd'

function stood(respond: Respond, options: ConstructorParameters<typeof DoorStand>[1] = {}): DoorStand {
  return new DoorStand(respond, { compress: true, ...options })
}

async function ask(stand: DoorStand, accept?: string, wish: Wish = {}): Promise<Got> {
  return stand.get('/a', { ...wish, fields: { 'accept-encoding': accept, ...wish.fields } })
}

/** Stored, and every coding made. */
async function warmed(respond: Respond = plain, accept?: string): Promise<DoorStand> {
  const stand = stood(respond)
  await ask(stand, accept)
  await pressed(stand)
  return stand
}

describe('compression: codings made when a response is stored', () => {
  it('answers the first request as it came, and later ones in the coding they accept, without asking again', async () => {
    const stand = stood(plain)
    const first = await ask(stand, chrome)
    await pressed(stand)

    expect([first.cache, first.fields.get('content-encoding'), first.fields.get('vary')]).toEqual([
      'MISS',
      undefined,
      'Accept-Encoding',
    ])
    for (const [accept, coding] of [
      ['gzip', 'gzip'],
      ['br', 'br'],
      ['zstd', 'zstd'],
      [undefined, undefined],
      ['identity', undefined],
      ['gzip;q=0, br;q=0.1', 'br'],
      ['nonsense;;', undefined],
    ] as const) {
      const got = await ask(stand, accept)
      expect([got.cache, got.fields.get('content-encoding')], String(accept)).toEqual(['HIT', coding])
      expect(plainText(got)).toBe(wordy('plain 1'))
      expect(got.fields.get('content-length')).toBe(String(got.text.length))
      expect(got.fields.get('vary')).toBe('Accept-Encoding')
    }
    expect(stand.asks).toBe(1)
  })

  it('gives the smallest among equal weights', async () => {
    const stand = await warmed()
    const all = await Promise.all(['gzip', 'br', 'zstd'].map((accept) => ask(stand, accept)))
    const smallest = Math.min(...all.map(({ text }) => text.length))
    expect((await ask(stand, chrome)).text.length).toBe(smallest)
  })

  it('answers identity;q=0 in a coding, and what nobody can satisfy as it came: never 406', async () => {
    const stand = await warmed()
    expect((await ask(stand, 'identity;q=0, gzip')).fields.get('content-encoding')).toBe('gzip')
    expect((await ask(stand, '*;q=0')).status).toBe(200)
    expect((await ask(stand, 'identity;q=0, *')).fields.get('content-encoding')).toBeDefined()
  })

  it('gives each coding a strong tag of its own and takes out what is true of other bytes', async () => {
    const digest = { 'content-md5': 'x', 'repr-digest': 'y', 'content-digest': 'z', digest: 'w' }
    const stand = await warmed((head, n) => {
      const script = plain(head, n) as { fields: Record<string, string>; body: string }
      return { ...script, fields: { ...script.fields, ...digest, 'accept-ranges': 'bytes' } }
    })
    const answers = await Promise.all([undefined, 'gzip', 'br', 'zstd'].map((accept) => ask(stand, accept)))
    const tags = answers.map(({ fields }) => fields.get('etag'))
    expect(new Set(tags).size).toBe(4)
    expect(tags[0]).toBe('"v1"')
    for (const tag of tags.slice(1)) expect(tag).toMatch(/^"v1;fc-(?:gzip|br|zstd)\.[\w-]{8}"$/)
    for (const name of Object.keys(digest)) {
      expect(answers[0]?.fields.has(name)).toBe(true)
      for (const { fields } of answers.slice(1)) expect(fields.has(name)).toBe(false)
    }
  })

  it('makes the tag of a coding of its bytes, so that other bytes never bear it', async () => {
    const got = await ask(await warmed(), 'gzip')
    const mark = hash('sha256', Buffer.from(got.text, 'latin1'), 'base64url').slice(0, 8)
    expect(got.fields.get('etag')).toBe(`"v1;fc-gzip.${mark}"`)
  })

  it('keeps a weak tag, adds none, and offers no ranges where pieces cannot be told apart', async () => {
    for (const etag of ['W/"v"', undefined]) {
      const stand = await warmed(() => ({ fields: { ...json, etag, 'accept-ranges': 'bytes' }, body: wordy('x') }))
      const got = await ask(stand, 'br')
      expect([got.fields.get('etag'), got.fields.get('accept-ranges')]).toEqual([etag, 'none'])
    }
  })

  it.each<[string, Respond]>([
    ['no-transform', () => ({ fields: { ...json, 'cache-control': 'max-age=60, no-transform' }, body: wordy('x') })],
    ['a small body', () => ({ fields: json, body: wordy('x', 1399) })],
    ['a type that does not compress', () => ({ fields: { ...json, 'content-type': 'image/png' }, body: wordy('x') })],
    ['no type', () => ({ fields: { 'cache-control': 'max-age=60' }, body: wordy('x') })],
    ['an error', () => ({ status: 404, fields: json, body: wordy('x') })],
    ['a coding nobody knows', () => ({ fields: { ...json, 'content-encoding': 'dcb' }, body: wordy('x') })],
    ['two codings', () => ({ fields: { ...json, 'content-encoding': 'br, gzip' }, body: wordy('x') })],
    ['a signature', () => ({ fields: { ...json, 'signature-input': 'sig=()' }, body: wordy('x') })],
    ['a tag that looks like ours', () => ({ fields: { ...json, etag: '"x;fc-br.12345678"' }, body: wordy('x') })],
    ['a body that does not compress', () => ({ fields: json, body: bytesSource(randomish(4000)) })],
  ])('leaves %s alone', async (_, respond) => {
    const stand = await warmed(respond, chrome)
    const got = await ask(stand, chrome)
    expect([got.cache, got.fields.get('content-encoding')]).toEqual([
      'HIT',
      (await stand.get('/a')).fields.get('content-encoding'),
    ])
    expect(stand.asks).toBe(1)
  })

  it('leaves trailers alone', async () => {
    const stand = await warmed(() => ({ fields: json, body: wordy('x'), trailers: { check: '1' } }))
    expect((await ask(stand, 'br')).fields.has('content-encoding')).toBe(false)
  })

  it('is off unless it is asked for, by door or by route, and takes what the route says', async () => {
    const routes = [
      { name: 'r', match: { path: '/a' }, compress: { codings: ['gzip' as const], minBytes: '1B', types: ['image/*'] } },
    ]
    const off = new DoorStand(plain)
    const some = new DoorStand(() => ({ fields: { ...json, 'content-type': 'image/x' }, body: wordy('x', 200) }), { routes })
    const none = stood(plain, { routes: [{ ...routes[0], name: 'r', match: { path: '/a' }, compress: false }] })
    for (const stand of [off, some, none]) {
      await ask(stand, chrome)
      await pressed(stand)
    }
    expect((await ask(off, chrome)).fields.has('content-encoding')).toBe(false)
    expect((await ask(off, chrome)).fields.has('vary')).toBe(false)
    expect((await ask(some, chrome)).fields.get('content-encoding')).toBe('gzip')
    expect((await ask(none, chrome)).fields.has('content-encoding')).toBe(false)
  })

  it.each<[string, unknown]>([
    ['an unknown name', { level: 9 }],
    ['an unknown coding', { codings: ['lzma'] }],
    ['no codings', { codings: [] }],
    ['a type that is none', { types: ['json'] }],
    ['a word', 'yes'],
  ])('refuses %s', (_, compress) => {
    const { engine } = new DoorStand(plain)
    expect(() => createHttpDoor({ engine, compress: compress as boolean })).toThrow('FC_OPTION_')
  })

  it('counts what it makes, what it saves, and charges the bytes', async () => {
    const stand = stood(plain)
    await ask(stand)
    const before = stand.engine.memory.bytes
    await pressed(stand)
    const { body } = (await ask(stand, 'br')).reply
    expect(stand.engine.memory.bytes - before).toBeGreaterThan((body as Uint8Array).byteLength * 3)
    expect(stand.engine.meter.read('variantsMade')).toBe(3)
    expect(stand.engine.meter.read('variantsSavedBytes')).toBe(4000 - (body as Uint8Array).byteLength)
    stand.engine.invalidate({ all: true })
    stand.engine.memory.sweep(1000)
    expect(stand.engine.memory.bytes).toBe(0)
  })

  it('makes the codings of equal bodies once, and has them at once when the same body comes again', async () => {
    const stand = stood(() => ({ fields: { 'cache-control': 'max-age=10', 'content-type': 'text/css' }, body: wordy('same') }))
    await ask(stand, 'br')
    await pressed(stand)
    stand.clock.advance(11_000)
    expect((await ask(stand, 'br')).cache).toBe('MISS')
    expect(stand.door.desk.press.size).toBe(0)
    expect((await ask(stand, 'br')).fields.get('content-encoding')).toBe('br')
    await stand.get('/b')
    expect((await stand.get('/b', { fields: { 'accept-encoding': 'br' } })).fields.get('content-encoding')).toBe('br')
    expect(stand.asks).toBe(3)
  })

  it('answers HEAD by the representation that GET would have', async () => {
    const stand = await warmed()
    const got = await ask(stand, 'br')
    const head = await ask(stand, 'br', { method: 'HEAD' })
    for (const name of ['etag', 'content-length', 'content-encoding', 'vary'])
      expect(head.fields.get(name)).toBe(got.fields.get(name))
    expect(head.text).toBe('')
  })

  it('gives whoever asks for no transformation what came', async () => {
    const stand = await warmed()
    const got = await ask(stand, 'br', { fields: { 'cache-control': 'no-transform' } })
    expect([got.cache, got.fields.has('content-encoding')]).toEqual(['HIT', false])
  })

  it('shows the codings in explain', async () => {
    const stand = await warmed()
    const head = Fields.from()
    const view = stand.door.explain({ method: 'GET', target: '/a', scheme: 'http', authority: 'shop.test', fields: head })
    expect(view.response?.codings.map(({ coding }) => coding).sort()).toEqual(['br', 'gzip', 'identity', 'zstd'])
    expect(view.response?.codings[0]).toEqual({ coding: 'identity', bytes: 4000 })
  })
})

describe('compression: where there is too much of it', () => {
  it('goes without when too much work waits, and what its origin selects by coding stays selected', async () => {
    const press = new Press({ concurrency: 1, maxBytes: 10 })
    const stand = stood(() => ({ fields: { ...json, vary: 'Accept-Encoding' }, body: wordy('x') }), { press })
    await ask(stand)
    expect([(await ask(stand)).cache, (await ask(stand, 'br')).cache]).toEqual(['HIT', 'MISS'])
    expect(stand.engine.meter.read('variantsShed')).toBe(2)
  })

  it('keeps the response when its codings would make it larger than an entry may be', async () => {
    const body = Buffer.from(randomish(20_000)).toString('base64')
    const stand = new DoorStand(
      () => ({ fields: json, body }),
      { compress: true },
      { memory: { maxBytes: '1MiB', maxEntryBytes: '60KiB' } },
    )
    await ask(stand)
    await pressed(stand)
    const [br, gzip] = [await ask(stand, 'br'), await ask(stand, 'gzip')]
    expect([br.cache, gzip.cache]).toEqual(['HIT', 'HIT'])
    expect([br, gzip].filter(({ fields }) => fields.has('content-encoding'))).toHaveLength(0)
    expect(stand.engine.memory.size).toBe(1)
  })

  it('keeps a coded response for those who select it when it would be too large unfolded', async () => {
    const { body, fields } = gzipped(wordy('x', 80_000))
    const respond: Respond = () => ({ fields: { ...json, ...fields, vary: 'Accept-Encoding' }, body })
    const stand = new DoorStand(respond, { compress: true }, { memory: { maxBytes: '1MiB', maxEntryBytes: '60KiB' } })
    await ask(stand, 'gzip')
    await pressed(stand)
    expect([(await ask(stand, 'gzip')).cache, (await ask(stand)).cache]).toEqual(['HIT', 'MISS'])
  })

  it('charges what waits to the ledger, and releases it', async () => {
    const stand = stood(plain)
    await ask(stand)
    expect(stand.engine.ledger.of(ACCOUNT.coding)).toBe(4000)
    await pressed(stand)
    expect(stand.engine.ledger.of(ACCOUNT.coding)).toBe(0)
  })

  it('does no work for a response that is gone when its turn comes', async () => {
    const press = new Press({ concurrency: 1, maxBytes: 1e6 })
    const { passed, open } = gate()
    void press.take(1, () => passed)
    const stand = stood(plain, { press })
    await ask(stand)
    stand.engine.invalidate({ all: true })
    open()
    await pressed(stand)
    expect([stand.engine.meter.read('variantsMade'), stand.engine.memory.size]).toEqual([0, 0])
  })
})

describe('compression: answers that come coded', () => {
  const coded =
    (vary?: string): Respond =>
    (_, n) => {
      const { body, fields } = gzipped(wordy(`coded ${n}`))
      return { fields: { ...json, ...fields, vary, etag: `"c${n}"` }, body }
    }

  it.each([undefined, 'Accept-Encoding', 'Lang, accept-encoding'])('serves every coding of it (Vary: %s)', async (vary) => {
    const stand = await warmed(coded(vary), 'gzip, br')
    for (const accept of ['gzip', 'br', 'zstd', undefined, chrome]) {
      const got = await ask(stand, accept)
      expect([got.cache, plainText(got)], String(accept)).toEqual(['HIT', wordy('coded 1')])
      expect(got.fields.get('vary')?.toLowerCase()).toContain('accept-encoding')
    }
    expect((await ask(stand, 'gzip')).fields.get('etag')).toBe('"c1"')
    expect((await ask(stand)).fields.get('etag')).toMatch(/^"c1;fc-identity\./)
    expect(stand.asks).toBe(1)
    expect(stand.engine.memory.size).toBe(vary === undefined ? 1 : 2)
  })

  it('keeps apart what the origin selects by other fields', async () => {
    const stand = stood((head) => {
      const { body, fields } = gzipped(wordy(`lang ${head.fields.get('lang')}`))
      return { fields: { ...json, ...fields, vary: 'Accept-Encoding, Lang' }, body }
    })
    for (const lang of ['de', 'en']) {
      await ask(stand, 'gzip', { fields: { lang } })
      await pressed(stand)
    }
    for (const lang of ['de', 'en']) expect(plainText(await ask(stand, 'br', { fields: { lang } }))).toBe(wordy(`lang ${lang}`))
    expect(stand.asks).toBe(2)
  })

  it('is fetched anew once for each kind of client at most, however many of them wait', async () => {
    const { passed, open } = gate()
    let held = false
    const stand = stood(async (head, n) => {
      const took = (head.fields.get('accept-encoding') ?? '').includes('gzip')
      const { body, fields } = gzipped(wordy(`coded ${n}`))
      if (held) await passed
      return { fields: { ...json, vary: 'Accept-Encoding', ...(took ? fields : {}) }, body: took ? body : wordy(`plain ${n}`) }
    })
    await ask(stand, 'gzip, br')
    await pressed(stand)
    stand.clock.advance(61_000)
    held = true
    const kinds = ['gzip', chrome, 'gzip, deflate', undefined, 'identity', 'br']
    const waiting = Array.from({ length: 120 }, (_, i) => ask(stand, kinds[i % kinds.length]))
    await stand.settle()
    expect(stand.asks).toBe(2)
    open()
    const answers = await Promise.all(waiting)
    for (const got of answers) expect(plainText(got)).toMatch(/^(?:coded|plain) [2-9]/)
    expect(stand.asks).toBeLessThanOrEqual(5)
  })

  it('is shared while it comes in by those who take its coding, however they spell it', async () => {
    const stand = stood(coded('Accept-Encoding'))
    const answers = await Promise.all(['gzip, br', 'gzip', chrome, 'x-gzip;q=0.5'].map((accept) => ask(stand, accept)))
    expect(answers.map((got) => plainText(got))).toEqual(Array.from({ length: 4 }, () => wordy('coded 1')))
    expect(stand.asks).toBe(1)
  })

  it('misses, for clients of other codings, until it is decoded', async () => {
    const stand = stood(coded('Accept-Encoding'))
    await ask(stand, 'gzip')
    expect((await ask(stand, 'gzip')).cache).toBe('HIT')
    expect((await ask(stand)).cache).toBe('MISS')
  })

  it.each<[string, Uint8Array]>([
    ['is broken', Buffer.from('not gzip at all')],
    ['unfolds to more than the route stores', gzipSync('0'.repeat(2 * 1024 * 1024))],
  ])('stays as it came when it %s', async (_, bytes) => {
    const stand = await warmed(
      () => ({ fields: { ...json, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, body: bytesSource(bytes) }),
      'gzip',
    )
    expect((await ask(stand, 'gzip')).cache).toBe('HIT')
    expect((await ask(stand)).cache).toBe('MISS')
    expect(stand.engine.meter.read('variantsFailed')).toBeGreaterThan(0)
  })

  it('lets a plain answer to who took no coding stand for all, once its codings are made', async () => {
    const stand = await warmed((_, n) => ({ fields: { ...json, vary: 'Accept-Encoding' }, body: wordy(`${n}`) }))
    for (const accept of [chrome, 'gzip', undefined, 'identity;q=0, br']) expect((await ask(stand, accept)).cache).toBe('HIT')
    expect(stand.asks).toBe(1)
    expect((await ask(stand, 'identity;q=0')).cache).toBe('MISS')
  })

  it.each<[string, string, number, string | undefined]>([
    ['a plain answer to who took codings: it may have been chosen by more', 'br', 4000, 'gzip'],
    ['a plain answer to who took any coding', '*', 4000, undefined],
    ['a small plain answer', 'identity', 1000, 'gzip'],
  ])('keeps apart %s', async (_, first, bytes, second) => {
    const stand = await warmed((_, n) => ({ fields: { ...json, vary: 'Accept-Encoding' }, body: wordy(`${n}`, bytes) }), first)
    expect((await ask(stand, second)).cache).toBe('MISS')
    expect(plainText(await ask(stand, first))).toBe(wordy('1', bytes))
  })

  it('leaves the coding to the key where a route declares it', async () => {
    const routes = [{ name: 'r', match: { path: '/a' }, key: { encoding: ['gzip'] } }]
    const stand = stood(coded('Accept-Encoding'), { routes })
    await ask(stand, 'gzip')
    await pressed(stand)
    expect((await ask(stand)).cache).toBe('MISS')
  })
})

function randomish(bytes: number): Uint8Array {
  let seed = 42
  return Uint8Array.from({ length: bytes }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed >>> 24
  })
}
