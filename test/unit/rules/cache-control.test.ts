import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CacheControl, parseCacheControl } from '../../../src/rules/cache-control.ts'

const parse = (value: string): CacheControl => parseCacheControl(value)

describe('Cache-Control (RFC 9111 section 5.2)', () => {
  it('says nothing when it is absent', () => {
    expect(parseCacheControl(undefined)).toMatchObject({ noStore: false, maxAge: undefined, broken: false })
  })

  it.each([
    ['No-StOrE', { noStore: true }],
    ['max-age=60, s-maxage=10', { maxAge: 60, sMaxAge: 10 }],
    ['MaX-aGe=60', { maxAge: 60 }],
    ['max-age="60"', { maxAge: 60 }],
    ['max-age=003600', { maxAge: 3600 }],
    [
      'public, must-revalidate, proxy-revalidate, must-understand',
      { isPublic: true, mustRevalidate: true, proxyRevalidate: true, mustUnderstand: true },
    ],
    ['stale-while-revalidate=5, stale-if-error=7', { staleWhileRevalidate: 5, staleIfError: 7 }],
    ['only-if-cached, min-fresh=3', { onlyIfCached: true, minFresh: 3 }],
    ['max-stale', { maxStale: Infinity }],
    ['max-stale=9', { maxStale: 9 }],
    [',,max-age=1,,', { maxAge: 1 }],
  ])('reads %s', (value, expected) => {
    expect(parse(value)).toMatchObject(expected)
  })

  it.each([
    'max-age',
    'max-age=',
    'max-age=-1',
    "max-age='60'",
    'max-age=60.5',
    'max-age=6a',
    'max-age =60',
    'max-age= 60',
    'max-age=60 s',
  ])('takes the invalid lifetime %s as stale (section 4.2.1)', (value) => {
    expect(parse(value).maxAge).toBe(0)
  })

  it('ignores invalid permissions to serve stale', () => {
    expect(parse('stale-while-revalidate=x, stale-if-error=-1, max-stale=x')).toMatchObject({
      staleWhileRevalidate: undefined,
      staleIfError: undefined,
      maxStale: undefined,
    })
  })

  it('takes the shorter of two lifetimes, wherever it stands', () => {
    expect(parse('max-age=1800, max-age=1').maxAge).toBe(1)
    expect(parse('max-age=1, max-age=1800').maxAge).toBe(1)
    expect(parse('s-maxage=x, s-maxage=9').sMaxAge).toBe(0)
  })

  it('does not read directives inside a quotation', () => {
    expect(parse('extension="max-age=3600, no-store", max-age=1')).toMatchObject({ maxAge: 1, noStore: false })
  })

  it('does not trust anything once a quotation is not closed', () => {
    expect(parse('x="a, max-age=60')).toMatchObject({ broken: true, maxAge: undefined })
    expect(parse('max-age=60, x="')).toMatchObject({ broken: true })
  })

  it.each([
    ['no-cache="a, B"', { noCache: false, noCacheFields: ['a', 'b'] }],
    ['no-cache=a', { noCache: false, noCacheFields: ['a'] }],
    ['private="set-cookie"', { isPrivate: false, privateFields: ['set-cookie'] }],
    ['no-cache=""', { noCache: true }],
    ['no-cache="a b"', { noCache: true }],
    ['private="a", private', { isPrivate: true, privateFields: ['a'] }],
  ])('reads the qualified form %s', (value, expected) => {
    expect(parse(value)).toMatchObject(expected)
  })

  it('counts seconds beyond 2^31 as 2^31', () => {
    expect(parse('max-age=99999999999').maxAge).toBe(2 ** 31)
  })

  it('never throws, and never reads no-store away, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (before, after) => {
        const clean = (text: string): string => text.replaceAll('"', '')
        const parsed = parse(`${clean(before)}, no-store, ${clean(after)}`)
        expect(parsed.noStore).toBe(true)
      }),
    )
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', 'a', '1', '-', 'no-store', 'max-age') }),
        (text) => {
          const parsed = parse(text)
          for (const seconds of [parsed.maxAge, parsed.sMaxAge, parsed.staleIfError]) {
            expect(seconds === undefined || (seconds >= 0 && seconds <= 2 ** 31)).toBe(true)
          }
        },
      ),
    )
  })
})
