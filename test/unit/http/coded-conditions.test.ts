import { describe, expect, it } from 'vitest'
import type { RequestHead } from '../../../src/model/exchange.ts'
import { gzipped, plainText, pressed, wordy } from '../../support/coded-origin.ts'
import { DoorStand, type Got, type Script } from '../../support/door-stand.ts'

const TEXT = wordy('some words')
const MODIFIED = 'Wed, 01 Jan 2020 00:00:00 GMT'
const fields = { 'cache-control': 'max-age=10', 'content-type': 'text/plain', etag: '"x"', 'last-modified': MODIFIED }

/** An origin with one state, its own tags, and what it was asked. */
class Origin {
  script: (head: RequestHead) => Script = (head) =>
    (head.fields.get('if-none-match') ?? '').split(', ').includes(this.tag ?? '-')
      ? { status: 304, fields: this.head }
      : { fields: this.head, body: TEXT }
  tag: string | undefined = '"x"'
  readonly stand = new DoorStand((head) => this.script(head), { compress: true })

  get head(): Record<string, string | undefined> {
    return { ...fields, etag: this.tag }
  }

  get(accept: string | undefined, more: Record<string, string | undefined> = {}, method = 'GET'): Promise<Got> {
    return this.stand.get('/a', { method, fields: { 'accept-encoding': accept, ...more } })
  }

  /** What the origin was asked last. */
  asked(name: string): string | undefined {
    return this.stand.seen.at(-1)?.head.fields.get(name)
  }

  async warmed(): Promise<this> {
    await this.get('br')
    await pressed(this.stand)
    return this
  }
}

describe('compression: a client’s conditions', () => {
  it('are judged by the representation that he would be given', async () => {
    const origin = await new Origin().warmed()
    const tag = (await origin.get('br')).fields.get('etag')
    expect(await shape(origin.get('br', { 'if-none-match': tag }))).toEqual([304, 'HIT', tag])
    expect((await origin.get('br', { 'if-none-match': '"x"' })).status).toBe(200)
    expect((await origin.get(undefined, { 'if-none-match': tag })).status).toBe(200)
    expect(await shape(origin.get(undefined, { 'if-none-match': '"x"' }))).toEqual([304, 'HIT', '"x"'])
    expect((await origin.get('br', { 'if-match': tag })).status).toBe(200)
    expect((await origin.get('br', { 'if-modified-since': MODIFIED })).status).toBe(304)
    expect((await origin.get('br', { 'if-none-match': tag })).fields.get('vary')).toBe('Accept-Encoding')
  })

  it('with a weak tag hold for every coding: the content is the same', async () => {
    const origin = new Origin()
    origin.tag = 'W/"x"'
    await origin.warmed()
    for (const accept of ['br', 'gzip', undefined])
      expect(await shape(origin.get(accept, { 'if-none-match': 'W/"x"' }))).toEqual([304, 'HIT', 'W/"x"'])
  })

  it('reach the origin by its own tags, and its 304 comes back by the client’s', async () => {
    const origin = await new Origin().warmed()
    const tag = (await origin.get('br')).fields.get('etag') as string
    const got = await origin.get('br', { 'if-none-match': tag, 'cache-control': 'no-store' })
    expect([origin.asked('if-none-match'), got.status, got.fields.get('etag'), got.cache]).toEqual([
      `${tag}, "x"`,
      304,
      tag,
      'BYPASS',
    ])
    const both = await origin.get('br', { 'if-none-match': `${tag}, "x"`, 'cache-control': 'no-store' })
    expect(both.fields.get('etag')).toBe('"x"')
  })

  it('of unsafe methods speak of the state that a representation was made of', async () => {
    const origin = await new Origin().warmed()
    const tag = (await origin.get('br')).fields.get('etag') as string
    origin.script = () => ({ status: 204 })
    await origin.get(undefined, { 'if-match': tag }, 'PUT')
    expect(origin.asked('if-match')).toBe('"x"')
    await origin.get(undefined, { 'if-match': `"y", ${tag}` }, 'DELETE')
    expect(origin.asked('if-match')).toBe('"y", "x"')
    await origin.get(undefined, { 'if-match': '*' }, 'PUT')
    expect(origin.asked('if-match')).toBe('*')
    await origin.get(undefined, { 'if-none-match': tag }, 'PUT')
    expect(origin.asked('if-none-match')).toBe(`${tag}, "x"`)
  })

  it('leave as they are where nothing is compressed', async () => {
    const stand = new DoorStand(() => ({ status: 204 }))
    await stand.get('/a', { method: 'PUT', fields: { 'if-match': '"x;fc-br.12345678"' } })
    expect(stand.seen[0]?.head.fields.get('if-match')).toBe('"x;fc-br.12345678"')
  })

  it('leave a precondition that fails to the origin, by the origin’s tags', async () => {
    const origin = await new Origin().warmed()
    origin.script = () => ({ status: 412 })
    expect((await origin.get('br', { 'if-match': '"y;fc-br.12345678"' })).status).toBe(412)
    expect(origin.asked('if-match')).toBe('"y"')
  })
})

describe('compression: validation at the origin', () => {
  it('renews every coding by one 304, without making any of them again', async () => {
    const origin = await new Origin().warmed()
    const tags = await Promise.all(['br', 'gzip', undefined].map(async (one) => (await origin.get(one)).fields.get('etag')))
    origin.stand.clock.advance(11_000)
    expect([(await origin.get('gzip')).cache, origin.asked('if-none-match')]).toEqual(['REFRESH', '"x"'])
    expect(origin.stand.door.desk.press.size).toBe(0)
    for (const [at, accept] of ['br', 'gzip', undefined].entries()) {
      const got = await origin.get(accept)
      expect([got.cache, got.fields.get('etag'), plainText(got)]).toEqual(['HIT', tags[at], TEXT])
    }
    expect(origin.stand.asks).toBe(2)
  })

  it('takes new fields into every coding', async () => {
    const origin = await new Origin().warmed()
    origin.stand.clock.advance(11_000)
    origin.script = () => ({ status: 304, fields: { ...fields, 'x-news': '1' } })
    await origin.get('gzip')
    for (const accept of ['br', 'gzip', undefined]) expect((await origin.get(accept)).fields.get('x-news')).toBe('1')
  })

  it('answers the client of a coding with its 304 when the origin renews', async () => {
    const origin = await new Origin().warmed()
    const tag = (await origin.get('br')).fields.get('etag')
    origin.stand.clock.advance(11_000)
    expect(await shape(origin.get('br', { 'if-none-match': tag }))).toEqual([304, 'REFRESH', tag])
  })

  it('asks for the coding that stands, so that an origin with a tag for each coding can answer 304', async () => {
    const origin = perCoding()
    await origin.get('gzip, br')
    await pressed(origin.stand)
    origin.stand.clock.advance(11_000)
    expect((await origin.get('br, gzip;q=0.1')).cache).toBe('REFRESH')
    expect([origin.asked('accept-encoding'), origin.asked('if-none-match')]).toEqual(['gzip', '"gz"'])
    origin.stand.clock.advance(11_000)
    const got = await origin.get('br')
    expect([origin.asked('accept-encoding'), got.cache, got.fields.get('content-encoding')]).toEqual(['br', 'MISS', undefined])
  })

  it('fetches anew when the origin renews with a word that forbids what was made', async () => {
    const origin = perCoding()
    await origin.get('gzip')
    await pressed(origin.stand)
    origin.stand.clock.advance(11_000)
    const before = origin.script
    origin.script = (head) =>
      head.fields.has('if-none-match') ? { status: 304, fields: { 'cache-control': 'max-age=10, no-transform' } } : before(head)
    const got = await origin.get(undefined)
    expect([got.status, got.fields.get('content-encoding'), got.text]).toEqual([200, undefined, TEXT])
  })

  it('does not take a HEAD of another coding for news about what stands', async () => {
    const origin = perCoding()
    await origin.get('gzip')
    await pressed(origin.stand)
    await origin.get(undefined, { 'cache-control': 'no-cache' }, 'HEAD')
    expect((await origin.get('gzip')).cache).toBe('HIT')
  })

  it('serves every coding stale when the origin fails', async () => {
    const origin = new Origin()
    origin.stand.respond = () => ({ fields: { ...fields, 'cache-control': 'max-age=1, stale-if-error=60' }, body: TEXT })
    await origin.warmed()
    origin.stand.clock.advance(5000)
    origin.stand.respond = () => ({ status: 503 })
    const got = await origin.get('br')
    expect([got.cache, got.fields.get('content-encoding'), plainText(got)]).toEqual(['STALE', 'br', TEXT])
  })
})

describe('compression: ranges', () => {
  const part = (more: Record<string, string | undefined> = {}): Record<string, string | undefined> => ({
    range: 'bytes=10-19',
    ...more,
  })

  it('are cut out of the body without a coding, under its tag', async () => {
    const origin = await new Origin().warmed()
    for (const accept of ['br', undefined]) {
      const got = await origin.get(accept, part())
      expect([got.status, got.text, got.fields.get('etag'), got.fields.has('content-encoding')]).toEqual([
        206,
        TEXT.slice(10, 20),
        '"x"',
        false,
      ])
    }
  })

  it('are cut out of the representation that If-Range names', async () => {
    const origin = await new Origin().warmed()
    const whole = await origin.get('br')
    const tag = whole.fields.get('etag')
    const got = await origin.get('br', part({ 'if-range': tag }))
    expect([got.status, got.text, got.fields.get('etag'), got.fields.get('content-encoding')]).toEqual([
      206,
      whole.text.slice(10, 20),
      tag,
      'br',
    ])
    expect(got.fields.get('content-range')).toBe(`bytes 10-19/${whole.text.length}`)
    expect((await origin.get('br', part({ 'if-range': '"x"' }))).text).toBe(TEXT.slice(10, 20))
  })

  it('give the whole when If-Range names another state, or bytes of another version', async () => {
    const origin = await new Origin().warmed()
    for (const tag of ['"y"', '"x;fc-br.00000000"', 'W/"x"'])
      expect((await origin.get('br', part({ 'if-range': tag }))).status).toBe(200)
  })

  it('are not cut by a date, or without any tag, for who accepts several codings: a date is the same for all', async () => {
    const origin = await new Origin().warmed()
    expect((await origin.get('br', part({ 'if-range': MODIFIED }))).status).toBe(200)
    expect((await origin.get(undefined, part({ 'if-range': MODIFIED }))).status).toBe(206)
    const untagged = new Origin()
    untagged.tag = undefined
    await untagged.warmed()
    expect((await untagged.get('br', part())).status).toBe(200)
    expect((await untagged.get('identity', part())).status).toBe(206)
  })

  it('keep that rule for the first answer, when no coding stands yet', async () => {
    const origin = new Origin()
    origin.tag = undefined
    origin.stand.respond = () => ({ fields: origin.head, body: TEXT })
    expect((await origin.get('br', part())).status).toBe(200)
  })

  it('send If-Range with the tag of a coding to the origin as it is: it must fail there', async () => {
    const origin = new Origin()
    await origin.get('br', part({ 'if-range': '"x;fc-br.12345678"' }))
    expect(origin.asked('if-range')).toBe('"x;fc-br.12345678"')
  })
})

/** An origin that codes by itself and has a tag for each coding. */
function perCoding(): Origin {
  const origin = new Origin()
  origin.script = (head) => {
    const gzip = (head.fields.get('accept-encoding') ?? '').includes('gzip')
    const own = { ...fields, etag: gzip ? '"gz"' : '"plain"', vary: 'Accept-Encoding' }
    if (head.fields.get('if-none-match') === own.etag) return { status: 304, fields: own }
    if (!gzip) return { fields: own, body: TEXT }
    const coded = gzipped(TEXT)
    return { fields: { ...own, ...coded.fields }, body: coded.body }
  }
  return origin
}

async function shape(getting: Promise<Got>): Promise<unknown[]> {
  const { status, cache, fields: got } = await getting
  return [status, cache, got.get('etag')]
}
