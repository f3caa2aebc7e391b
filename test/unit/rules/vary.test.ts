import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { MAX_VARY_NAMES, parseVary, selectingValues, selectsLanguage, variantText } from '../../../src/rules/vary.ts'

const vary = (value: string | string[]): ReturnType<typeof parseVary> => parseVary(Fields.from({ vary: value }))
const one = (name: string, value: string | string[] | undefined, form: 'strict' | 'loose' = 'strict'): string | null =>
  selectingValues([name], Fields.from({ [name]: value }), form)[0] as string | null

describe('Vary (RFC 9111 section 4.1)', () => {
  it('gives sorted, lower-cased names without doubles', () => {
    expect(vary(['Foo, Bar', 'foo,, BAZ'])).toEqual(['bar', 'baz', 'foo'])
    expect(parseVary(Fields.from())).toEqual([])
    expect(vary('')).toEqual([])
  })

  it.each(['*', '*, *', ', *', '*, Foo', 'Foo, *', 'a b', 'a;b', '"a"'])('never matches with %s', (value) => {
    expect(vary(value)).toBe('*')
  })

  it('never matches when it names more fields than are kept', () => {
    expect(vary(Array.from({ length: MAX_VARY_NAMES + 1 }, (_, i) => `f${i}`))).toBe('*')
  })

  it('tells absence from an empty value, and combines lines', () => {
    expect(one('foo', undefined)).toBeNull()
    expect(one('foo', '')).toBe('')
    expect(one('foo', ['1', '2'])).toBe(one('foo', '1, 2'))
  })

  it('compares unknown fields as they are in the strict form, without list white space in the loose one', () => {
    expect(one('foo', '1,2')).not.toBe(one('foo', '1, 2'))
    expect(one('foo', '1,2', 'loose')).toBe(one('foo', ' 1 ,  2 ', 'loose'))
    expect(one('foo', '"1, 2"', 'loose')).not.toBe(one('foo', '"1,2"', 'loose'))
  })

  it.each([
    ['accept-encoding', 'gzip, br', 'br;q=1.0,GZIP'],
    ['accept-language', 'de, en;q=0.5', 'DE ,  en; q=0.50'],
  ])('keeps the meaning of %s and nothing else', (name, a, b) => {
    expect(one(name, a)).toBe(one(name, b))
  })

  it('keeps the order of languages apart where it may be read as preference', () => {
    expect(one('accept-language', 'en, de')).not.toBe(one('accept-language', 'de, en'))
    expect(one('accept-language', 'en, de', 'loose')).toBe(one('accept-language', 'de, en', 'loose'))
    expect(one('accept-encoding', 'gzip;q=0')).not.toBe(one('accept-encoding', 'gzip'))
  })

  it('leaves a weighted list alone that does not parse', () => {
    expect(one('accept-encoding', 'gzip;q=2, br')).toBe('gzip;q=2, br')
  })

  it('takes a language for selected only when nothing else is wanted as much', () => {
    const stored = Fields.from({ 'content-language': 'de' })
    const asks = (value: string): boolean => selectsLanguage(Fields.from({ 'accept-language': value }), stored)
    expect([asks('fr;q=0.5, de;q=1.0'), asks('de'), asks('de, en'), asks('en'), asks('')]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect(selectsLanguage(Fields.from({ 'accept-language': 'de' }), Fields.from({ 'content-language': 'de, en' }))).toBe(false)
  })

  it('gives two different sets of names and values never the same text', () => {
    const values = fc.array(
      fc.tuple(
        fc.constantFrom('a', 'b', 'a","b'),
        fc.option(fc.string({ unit: fc.constantFrom('"', ',', '[', ']', '|', 'n', 'null', '\\') })),
      ),
      {
        maxLength: 3,
      },
    )
    fc.assert(
      fc.property(values, values, (a, b) => {
        const text = (pairs: typeof a): string =>
          variantText(
            pairs.map(([name]) => name),
            pairs.map(([, value]) => value),
          )
        expect(text(a) === text(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
    )
  })

  it('never throws on any Vary or value', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, given) => {
        const names = vary(value)
        const request = Fields.from({ 'accept-language': given, 'accept-encoding': given, foo: given })
        selectingValues(names === '*' ? ['accept-language', 'accept-encoding', 'foo'] : names, request, 'loose')
        selectsLanguage(request, Fields.from({ 'content-language': value }))
      }),
    )
  })
})
