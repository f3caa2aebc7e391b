/** Contents: bytes of a type, as every door sees them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Choices } from '../../../src/flow/choice.ts'
import { makeContent } from '../../../src/flow/content.ts'
import { Views } from '../../../src/flow/content-view.ts'
import { packValue } from '../../../src/flow/value.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('content: read as data', () => {
  it.each([
    ['application/json', '{"a":[1]}', { a: [1] }],
    ['application/json; charset=utf-8', '"x"', 'x'],
    ['application/problem+json', '[]', []],
    ['application/json', 'null', null],
    ['application/json', '{broken', '{broken'],
    ['text/plain', 'grüße', 'grüße'],
    ['text/html; charset="utf-8"', '<p>', '<p>'],
    ['application/xml', '<a/>', bytes('<a/>')],
    ['application/jsonish', '{}', bytes('{}')],
  ])('%s %s', (type, text, data) => {
    expect(makeContent(type, bytes(text)).read(true)).toEqual(data)
  })

  it('reads other charsets, and gives the bytes where they are no text', () => {
    expect(makeContent('text/plain; charset=iso-8859-1', Buffer.from('grüße', 'latin1')).read(true)).toBe('grüße')
    expect(makeContent('text/plain', Uint8Array.of(0xff)).read(true)).toEqual(Uint8Array.of(0xff))
    expect(makeContent('text/plain; charset=martian', bytes('x')).read(true)).toEqual(bytes('x'))
  })

  it('gives all readers one frozen value, or each a value of his own', () => {
    const content = makeContent('application/json', bytes('{"a":{"b":1}}'))
    const shared = content.read(true) as { a: object }

    expect(content.read(true)).toBe(shared)
    expect(Object.isFrozen(shared.a)).toBe(true)
    expect(content.read(false)).not.toBe(content.read(false))
    expect(Object.isFrozen(content.read(false))).toBe(false)
  })

  it('tells the text of JSON only where it is JSON', () => {
    expect(makeContent('application/json', bytes(' {"a": 1} ')).jsonText()).toBe(' {"a": 1} ')
    expect(makeContent('application/json', bytes('\ufeff1')).jsonText()).toBeUndefined()
    expect(makeContent('application/json', bytes('{,}')).jsonText()).toBeUndefined()
    expect(makeContent('application/json', Uint8Array.of(0x22, 0xff, 0x22)).jsonText()).toBeUndefined()
    expect(makeContent('text/plain', bytes('1')).jsonText()).toBeUndefined()
  })
})

describe('content: ETags and forms', () => {
  it('has one strong tag for the same bytes and type, another for other bytes, another type, another coding', () => {
    const content = makeContent('text/plain', bytes('x')).withCodings(new Map([['gzip', bytes('g')]]))
    const tags = [
      content.identity.etag,
      content.coded[0]?.etag,
      makeContent('text/plain', bytes('y')).identity.etag,
      makeContent('text/html', bytes('x')).identity.etag,
    ]

    expect(makeContent('text/plain', bytes('x')).identity.etag).toBe(tags[0])
    expect(new Set(tags).size).toBe(4)
    for (const tag of tags) expect(tag).toMatch(/^"[A-Za-z0-9_-]+"$/)
  })

  it('knows its own tags in whatever coding, and no others', () => {
    const content = makeContent('text/plain', bytes('x'))
    const { etag } = content.identity
    const inside = etag.slice(1, -1)

    expect([etag, `"${inside}-gzip"`, `"${inside}-br"`].map((tag) => content.hasTag(tag))).toEqual([true, true, true])
    for (const tag of [`W/${etag}`, inside, `"${inside}`, `"${inside}x"`, `"${inside}-"`, '""', `"${inside}-gzip" `])
      expect(content.hasTag(tag)).toBe(false)
  })

  it('is charged for every coding, and keeps the identity', () => {
    const content = makeContent('text/plain', bytes('x'.repeat(1000)))
    const coded = content.withCodings(
      new Map([
        ['gzip', Buffer.alloc(300)],
        ['br', Buffer.alloc(200)],
      ]),
    )

    expect(coded.bytes).toBeGreaterThanOrEqual(content.bytes + 500)
    expect(coded.body).toBe(content.body)
    expect(coded.offer).toBe('br,gzip,identity')
  })

  it.each([
    [undefined, 'identity'],
    ['gzip', 'gzip'],
    ['gzip, br', 'br'],
    ['br;q=0.1, gzip;q=0.9', 'gzip'],
    ['identity', 'identity'],
    ['*', 'br'],
    ['deflate', 'identity'],
    ['', 'identity'],
    ['not a list;;', 'identity'],
    ['identity;q=0, deflate', undefined],
    ['*;q=0', undefined],
    ['identity;q=0, gzip', 'gzip'],
  ])('chooses for Accept-Encoding %s', (accept, coding) => {
    const content = makeContent('text/plain', bytes('x')).withCodings(
      new Map([
        ['gzip', Buffer.alloc(300)],
        ['br', Buffer.alloc(200)],
      ]),
    )
    const choices = new Choices()

    expect(choices.choose(content, accept)?.coding).toBe(coding)
    expect(choices.choose(content, accept)?.coding).toBe(coding) // remembered
  })

  it('remembers a bounded number of texts and goes on choosing rightly', () => {
    const content = makeContent('text/plain', bytes('x')).withCodings(new Map([['gzip', bytes('g')]]))
    const choices = new Choices()

    for (let i = 0; i < 2000; i += 1) expect(choices.choose(content, `gzip, x${i}`)?.coding).toBe('gzip')
    expect(choices.choose(content, `x, ${'y'.repeat(500)}`)?.coding).toBe('identity')
  })
})

describe('content: views of what the library stored', () => {
  const views = new Views('freeze')
  const view = (data: unknown): { type: string; text: string } | undefined => {
    const content = views.of(packValue('freeze', 'k', data).stored)
    return content && { type: content.type, text: Buffer.from(content.body).toString() }
  }

  it.each([
    ['text', 'text/plain; charset=utf-8', 'text'],
    [Buffer.from('b'), 'application/octet-stream', 'b'],
    [{ a: [1, null, 'x'] }, 'application/json', '{"a":[1,null,"x"]}'],
    [7, 'application/json', '7'],
    [null, 'application/json', 'null'],
    [{ at: new Date(0) }, 'application/json', '{"at":"1970-01-01T00:00:00.000Z"}'],
  ])('shows %j as %s', (data, type, text) => {
    expect(view(data)).toEqual({ type, text })
  })

  it('shows nothing for undefined', () => {
    expect(view(undefined)).toBeUndefined()
  })

  it.each([
    [new Map([[1, 2]])],
    [{ deep: [new Set([1])] }],
    [1n],
    [{ n: Number.NaN }],
    [{ n: Number.POSITIVE_INFINITY }],
    [{ b: Buffer.from('x') }],
    ['\ud800'],
    [/x/],
  ])('refuses what JSON cannot say: %s', (data) => {
    expect(() => view(data)).toThrow(expect.objectContaining({ code: 'FC_VALUE_FORM', status: 406 }))
  })

  it('refuses a circle', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle

    expect(() => new Views('reference').of(circle)).toThrow(expect.objectContaining({ code: 'FC_VALUE_FORM' }))
  })

  it('remembers the view of an object that cannot change, and not of one that can', () => {
    const frozen = packValue('freeze', 'k', { a: 1 }).stored
    const open = { a: 1 }
    const byReference = new Views('reference')

    expect(views.of(frozen)).toBe(views.of(frozen))
    const before = byReference.of(open)
    open.a = 2
    expect(Buffer.from(byReference.of(open)?.body ?? []).toString()).toBe('{"a":2}')
    expect(Buffer.from(before?.body ?? []).toString()).toBe('{"a":1}')
  })

  it('says the same as the library for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (data) => {
        if (typeof data === 'string') return
        expect(JSON.parse(view(data)?.text ?? '')).toEqual(JSON.parse(JSON.stringify(data)))
      }),
    )
  })
})
