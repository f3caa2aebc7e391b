import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { evaluateConditions, isConditional, notModifiedFields } from '../../../src/rules/conditional.ts'
import { isEntityTag, isStrongTag, matchesStrongly, matchesWeakly, parseTagList } from '../../../src/rules/entity-tag.ts'

const NOW = Date.UTC(2026, 10, 21)
const EARLY = 'Wed, 01 Jan 2020 00:00:00 GMT'
const LATE = 'Thu, 02 Jan 2020 00:00:00 GMT'
const judge = (request: Record<string, string>, stored: Record<string, string>, status = 200): string =>
  evaluateConditions(Fields.from(request), { status, fields: Fields.from(stored) }, NOW)

describe("a client's conditions on a stored response (RFC 9110 section 13, RFC 9111 section 4.3.2)", () => {
  it.each<[Record<string, string>, Record<string, string>, string]>([
    [{}, { etag: '"a"' }, 'full'],
    [{ 'if-none-match': '"a"' }, { etag: '"a"' }, 'not-modified'],
    [{ 'if-none-match': '"b"' }, { etag: '"a"' }, 'full'],
    [{ 'if-none-match': 'W/"a"' }, { etag: '"a"' }, 'not-modified'],
    [{ 'if-none-match': '"x", "a" , "y"' }, { etag: 'W/"a"' }, 'not-modified'],
    [{ 'if-none-match': '*' }, {}, 'not-modified'],
    [{ 'if-none-match': '"a"' }, {}, 'full'],
    [{ 'if-none-match': '"b"', 'if-modified-since': LATE }, { etag: '"a"', 'last-modified': EARLY }, 'full'],
    [{ 'if-none-match': '"a"', 'if-modified-since': EARLY }, { etag: '"a"', 'last-modified': LATE }, 'not-modified'],
    [{ 'if-modified-since': EARLY }, { 'last-modified': EARLY }, 'not-modified'],
    [{ 'if-modified-since': 'Wednesday, 01-Jan-20 00:00:00 GMT' }, { 'last-modified': EARLY }, 'not-modified'],
    [{ 'if-modified-since': EARLY }, { 'last-modified': LATE }, 'full'],
    [{ 'if-modified-since': EARLY }, { date: LATE }, 'full'],
    [{ 'if-modified-since': LATE }, { date: EARLY }, 'not-modified'],
    [{ 'if-modified-since': 'rubbish' }, { 'last-modified': EARLY }, 'full'],
    [{ 'if-match': '"a"' }, { etag: '"a"' }, 'full'],
    [{ 'if-match': 'W/"a"' }, { etag: 'W/"a"' }, 'origin'],
    [{ 'if-match': '"b"' }, { etag: '"a"' }, 'origin'],
    [{ 'if-match': '*' }, {}, 'full'],
    [{ 'if-match': '"a"', 'if-none-match': '"a"' }, { etag: '"a"' }, 'not-modified'],
    [{ 'if-unmodified-since': LATE }, { 'last-modified': EARLY }, 'full'],
    [{ 'if-unmodified-since': EARLY }, { 'last-modified': LATE }, 'origin'],
    [{ 'if-unmodified-since': LATE }, {}, 'origin'],
    [{ 'if-match': '"a"', 'if-unmodified-since': EARLY }, { etag: '"a"', 'last-modified': LATE }, 'full'],
  ])('asked %j of %j: %s', (request, stored, expected) => {
    expect(judge(request, stored)).toBe(expected)
  })

  it('are not about errors and redirects', () => {
    expect(judge({ 'if-none-match': '"a"' }, { etag: '"a"' }, 404)).toBe('full')
    expect(judge({ 'if-none-match': '*' }, {}, 301)).toBe('full')
  })

  it('are seen in the request', () => {
    expect(isConditional(Fields.from({ 'if-none-match': '"a"' }))).toBe(true)
    expect(isConditional(Fields.from({ range: 'bytes=0-' }))).toBe(false)
  })

  it('lead to a 304 without fields of the body', () => {
    const stored = Fields.from({
      etag: '"a"',
      vary: 'a',
      'content-type': 'a/b',
      'content-length': '4',
      'content-location': '/a',
      expires: '0',
    })
    expect(notModifiedFields(stored).names()).toEqual(['etag', 'vary', 'content-location', 'expires'])
  })

  it('never throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        judge({ 'if-none-match': a, 'if-modified-since': b }, { etag: b, 'last-modified': a })
        judge({ 'if-match': a, 'if-unmodified-since': b }, { etag: b, 'last-modified': a })
      }),
    )
  })
})

describe('entity tags (RFC 9110 section 8.8.3)', () => {
  it('compare strongly and weakly as the table there says', () => {
    const pairs = [
      ['W/"1"', 'W/"1"'],
      ['W/"1"', 'W/"2"'],
      ['W/"1"', '"1"'],
      ['"1"', '"1"'],
    ] as const
    expect(pairs.map(([a, b]) => [matchesStrongly(a, b), matchesWeakly(a, b)])).toEqual([
      [false, true],
      [false, false],
      [false, true],
      [true, true],
    ])
  })

  it('are strong only in their exact form', () => {
    expect(['"a"', '""', '"\u00fc"'].every(isStrongTag)).toBe(true)
    expect(['a', 'W/"a"', '"a', 'w/"a"', '"a b"', '"a""'].some(isStrongTag)).toBe(false)
    expect(isEntityTag('W/"a"')).toBe(true)
  })

  it('are listed with commas inside them kept', () => {
    expect(parseTagList('"a,b", W/"c" ,, d')).toEqual(['"a,b"', 'W/"c"', 'd'])
  })
})
