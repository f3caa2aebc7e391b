import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCookie } from '../../../src/key/cookie.ts'
import { chooseEncoding } from '../../../src/key/encoding.ts'
import { createLocaleChoice } from '../../../src/key/locale.ts'
import { Fields } from '../../../src/model/fields.ts'

describe('locale: the offered language a request asks for', () => {
  const { choose } = createLocaleChoice(['en', 'de', 'de-CH', 'zh-Hant'], 'en')

  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['DE-ch', 'de-CH'],
    ['de-AT', 'de'],
    ['fr, de;q=0.4', 'de'],
    ['en;q=0.1, de;q=0.9', 'de'],
    ['zh-Hant-CN-x-private1', 'zh-Hant'],
    ['zh', 'en'],
    ['*', 'en'],
    ['de;q=0', 'en'],
    ['de-CH;q=0, de', 'de'],
    ['de;q=2', 'en'],
    ['fr, *;q=0.5', 'en'],
    ['de-a-x', 'de'],
  ])('%s → %s', (accept, tag) => {
    expect(choose(accept)).toBe(tag)
    expect(choose(accept)).toBe(tag) // the remembered answer
  })

  it('answers one of the offered for any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (accept) => {
        expect(['en', 'de', 'de-CH', 'zh-Hant']).toContain(choose(accept))
      }),
    )
  })
})

describe('encoding: the offered coding a request takes', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['gzip, br', 'br'],
    ['br;q=0.5, gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['identity', 'identity'],
    ['identity;q=1, gzip;q=0.5', 'identity'],
    ['zstd', 'identity'],
    ['identity;q=0, zstd', undefined],
    ['*;q=0', undefined],
    ['gzip;q=0', 'identity'],
    ['gzip;q=abc', undefined],
  ])('%s → %s', (accept, coding) => {
    expect(chooseEncoding(['br', 'gzip'], accept)).toBe(coding)
  })
})

describe('cookie: one value out of many', () => {
  it('reads by exact name over several lines and marks what comes twice', () => {
    expect(readCookie(Fields.from({ cookie: 'xa=1; a=2=3; b' }), 'a')).toBe('2=3')
    expect(readCookie(Fields.from({ cookie: ['b=1', 'a=2'] }), 'a')).toBe('2')
    expect(readCookie(Fields.from({ cookie: 'b=1' }), 'a')).toBeUndefined()
    expect(readCookie(Fields.from({}), 'a')).toBeUndefined()
    expect(typeof readCookie(Fields.from({ cookie: 'a=1; a=1' }), 'a')).toBe('symbol')
  })
})
