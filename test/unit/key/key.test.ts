import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyRefusal, requestKey, searchKey, targetKey, variantKey } from '../../../src/key/key.ts'
import { parseNoVarySearch } from '../../../src/key/no-vary-search.ts'
import { parseKeyPolicy } from '../../../src/key/policy.ts'
import type { RequestHead } from '../../../src/model/exchange.ts'
import { Fields } from '../../../src/model/fields.ts'

type Given = Partial<Omit<RequestHead, 'fields'>> & { readonly fields?: Record<string, string | string[]> }

function head({ fields = {}, ...rest }: Given = {}): RequestHead {
  return { method: 'GET', target: '/', scheme: 'http', authority: 'shop.test', ...rest, fields: Fields.from(fields) }
}

describe('key: of a request without any policy', () => {
  it('is the exact target, sorted by nobody', () => {
    expect(requestKey(head({ target: '/a?b=1&a=2&utm_source=x' }))).toBe('http://shop.test/a?b=1&a=2&utm_source=x')
  })

  it('brings together only spellings that RFC 3986 calls equivalent', () => {
    expect(requestKey(head({ target: '/%7euser?x=%2f' }))).toBe('http://shop.test/~user?x=%2F')
    expect(requestKey(head({ target: '/a%2fb' }))).not.toBe(requestKey(head({ target: '/a/b' })))
  })

  it('keeps apart dot segments, double slashes, empty queries and case', () => {
    const targets = ['/a', '/a?', '/A', '//a', '/./a', '/b/../a', '/%2e/a', '/a/', '/a%00', '/a;x', '/a%3Bx']
    expect(new Set(targets.map((target) => requestKey(head({ target })))).size).toBe(targets.length)
  })

  it('keeps apart schemes and hosts', () => {
    const keys = [head(), head({ scheme: 'https' }), head({ authority: 'shop.test:81' }), head({ authority: 'other.test' })].map(
      (one) => requestKey(one),
    )
    expect(new Set(keys).size).toBe(4)
  })

  it('is shared by GET and HEAD, and needs a digest of the content for other methods', () => {
    expect(requestKey(head({ method: 'HEAD' }))).toBe(requestKey(head()))
    expect(requestKey(head({ method: 'QUERY' }))).toBeUndefined()
    expect(requestKey(head({ method: 'QUERY' }), undefined, 'd1')).not.toBe(
      requestKey(head({ method: 'QUERY' }), undefined, 'd2'),
    )
    expect(requestKey(head({ method: 'POST' }), undefined, 'd1')).not.toBe(requestKey(head({ method: 'QUERY' }), undefined, 'd1'))
  })

  it('is refused for targets and hosts that no valid request has', () => {
    const broken = [
      { target: '*' },
      { target: '/a b' },
      { target: '' },
      { authority: '' },
      { authority: 'a/b' },
      { authority: 'u@a' },
    ]
    expect(broken.filter((given) => requestKey(head(given)) !== undefined)).toEqual([])
    expect(keyRefusal(head({ target: '*' }))).toMatch(/not valid/)
  })

  it('begins with the target key, followed by a blank or nothing', () => {
    const policy = parseKeyPolicy({ headers: ['x-version'] })
    const request = head({ target: '/a?b=1', fields: { 'x-version': '2' } })
    expect(requestKey(request, policy)).toBe(`${targetKey(request, policy)} header.x-version=2`)
  })
})

describe('key: dimensions', () => {
  it('tells apart declared headers and cookies, absent and empty, and nothing else', () => {
    const policy = parseKeyPolicy({ headers: ['X-Version'], cookies: ['theme'] })
    const key = (fields: Record<string, string>) => requestKey(head({ fields }), policy)
    expect(new Set([key({}), key({ 'x-version': '' }), key({ 'x-version': '1' }), key({ cookie: 'theme=dark' })]).size).toBe(4)
    expect(key({ 'x-version': ' 1 ', cookie: 'id=7; theme=dark' })).toBe(key({ 'x-version': '1', cookie: 'theme=dark; id=8' }))
    expect(key({ 'x-other': '1' })).toBe(key({}))
  })

  it('lower-cases a value only where the field is case-insensitive', () => {
    const policy = parseKeyPolicy({ headers: ['x-requested-with', 'x-version'] })
    const key = (fields: Record<string, string>) => requestKey(head({ fields }), policy)
    expect(key({ 'x-requested-with': 'XMLHttpRequest' })).toBe(key({ 'x-requested-with': 'xmlhttprequest' }))
    expect(key({ 'x-version': 'A' })).not.toBe(key({ 'x-version': 'a' }))
  })

  it('cannot be forged by blanks and equals signs in a value', () => {
    const policy = parseKeyPolicy({ headers: ['a', 'b'] })
    expect(requestKey(head({ fields: { a: '1 header.b=2' } }), policy)).not.toBe(
      requestKey(head({ fields: { a: '1', b: '2' } }), policy),
    )
  })

  it('never shows a credential: long cookies and credential fields stand in keys as digests', () => {
    const policy = parseKeyPolicy({ headers: ['authorization'], cookies: ['session'] })
    const key = (token: string) =>
      requestKey(head({ fields: { authorization: `Bearer ${token}`, cookie: `session=${token}` } }), policy)
    expect(key('0123456789abcdef')).not.toContain('0123456789abcdef')
    expect(key('0123456789abcdef')).toBe(key('0123456789abcdef'))
    expect(key('0123456789abcdef')).not.toBe(key('0123456789abcdeg'))
  })

  it('gives no key to an ambiguous cookie', () => {
    const policy = parseKeyPolicy({ cookies: ['theme'] })
    expect(requestKey(head({ fields: { cookie: 'theme=a; theme=b' } }), policy)).toBeUndefined()
    expect(keyRefusal(head({ fields: { cookie: 'theme=a; theme=b' } }), policy)).toBe('cookie theme came more than once')
  })

  it('shares within a tier and never between tiers', () => {
    const policy = parseKeyPolicy({
      tier: { header: 'x-tier', tiers: { gold: 'premium', silver: 'premium', none: 'free' }, anonymous: 'free' },
    })
    const key = (fields: Record<string, string | string[]>) => requestKey(head({ fields }), policy)
    expect(key({ 'x-tier': 'gold', authorization: 'Bearer a' })).toBe(key({ 'x-tier': 'silver', authorization: 'Bearer b' }))
    expect(key({ 'x-tier': 'gold' })).not.toBe(key({ 'x-tier': 'none' }))
    expect(key({})).toBe(key({ 'x-tier': 'none' }))
  })

  it('gives no key to an unknown tier, to two tiers, to credentials without a tier, and never shows a token', () => {
    const policy = parseKeyPolicy({ tier: { header: 'x-tier', tiers: ['free', 'premium'], anonymous: 'free' } })
    const unknown = [
      { 'x-tier': 'root' },
      { 'x-tier': ['free', 'premium'] },
      { authorization: 'Bearer a' },
      { 'x-tier': 'Premium' },
    ]
    expect(unknown.filter((fields) => requestKey(head({ fields }), policy) !== undefined)).toEqual([])
    expect(keyRefusal(head({ fields: { 'x-tier': 'root' } }), policy)).toBe('the auth tier is unknown')
    expect(requestKey(head({ fields: { 'x-tier': 'free', authorization: 'Bearer secret' } }), policy)).not.toContain('secret')
  })

  it('gives no key where a function throws or answers no declared tier', () => {
    const thrower = parseKeyPolicy({
      tier: {
        from: () => {
          throw new Error('no')
        },
        tiers: ['free'],
        anonymous: 'free',
      },
    })
    const liar = parseKeyPolicy({ tier: { from: () => 'root', tiers: ['free'] }, by: { arm: () => 'a' } })
    const silent = parseKeyPolicy({ by: { arm: () => undefined } })
    for (const policy of [thrower, liar, silent]) expect(requestKey(head(), policy)).toBeUndefined()
  })

  it('counts only flags that are declared, in any order', () => {
    const policy = parseKeyPolicy({ flags: { header: 'x-flags', known: ['a', 'b'] } })
    const key = (flags: string) => requestKey(head({ fields: { 'x-flags': flags } }), policy)
    expect(key('b,a,zzz')).toBe(key('a, b'))
    expect(key('a')).not.toBe(key('b'))
    expect(key('zzz')).toBe(requestKey(head(), policy))
  })

  it('chooses the language and coding from the offered list', () => {
    const policy = parseKeyPolicy({ locale: { offered: ['en', 'de'], default: 'en' }, encoding: ['br', 'gzip'] })
    const key = (language: string, coding = 'gzip') =>
      requestKey(head({ fields: { 'accept-language': language, 'accept-encoding': coding } }), policy)
    expect(key('de-AT, en;q=0.5')).toBe(key('fr, de;q=0.9'))
    expect(key('de')).not.toBe(key('en'))
    expect(key('xx')).toBe(key('en'))
    expect(key('de', 'gzip, br')).toBe(key('de', 'br;q=1.0'))
    expect(key('de', 'identity;q=0, zstd')).toBeUndefined()
    expect([...policy.covers].sort()).toEqual(['accept-encoding', 'accept-language'])
  })

  it('never gives one key to requests that differ in a declared dimension', () => {
    const policy = parseKeyPolicy({ headers: ['a', 'b'], cookies: ['c'], tier: { header: 't', tiers: ['x', 'y'] } })
    const text = fc.option(
      fc.stringMatching(/^[ -:<-~]{0,6}$/).filter((s) => !s.includes(',')),
      { nil: undefined },
    )
    const request = fc.record({
      a: text,
      b: text,
      c: fc.option(fc.stringMatching(/^[ -:<-~]{0,6}$/), { nil: undefined }),
      t: fc.constantFrom('x', 'y'),
    })
    const meaning = (r: { a: string | undefined; b: string | undefined; c: string | undefined; t: string }) =>
      JSON.stringify([r.a?.trim() ?? null, r.b?.trim() ?? null, r.c?.trim() ?? null, r.t])
    const key = (r: { a: string | undefined; b: string | undefined; c: string | undefined; t: string }) => {
      const fields = Fields.from({ a: r.a, b: r.b, t: r.t, cookie: r.c === undefined ? undefined : `c=${r.c}` })
      return requestKey({ ...head(), fields }, policy)
    }
    fc.assert(
      fc.property(request, request, (one, other) => {
        expect(key(one) === key(other)).toBe(meaning(one) === meaning(other))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('key: of variants and of relaxed queries', () => {
  it('tells variants apart from each other and from their primary key', () => {
    const primary = requestKey(head()) as string
    expect(new Set([primary, variantKey(primary, '[["a",null]]'), variantKey(primary, '[["a",""]]')]).size).toBe(3)
  })

  it('finds an answer by a query that differs only where its No-Vary-Search allows', () => {
    const rules = parseNoVarySearch('key-order, params=("ref")')
    if (rules === undefined) throw new Error('expected rules')
    const key = (target: string) => searchKey(head({ target }), rules)
    expect(key('/a?x=1&y=2&ref=z')).toBe(key('/a?y=2&x=1'))
    expect(key('/a?x=1&y=2')).not.toBe(key('/b?x=1&y=2'))
    expect(key('/a?x=1')).not.toBe(requestKey(head({ target: '/a?x=1' })))
  })
})

describe('key: policies', () => {
  it('are refused when they name something unknown, with its path', () => {
    expect(() => parseKeyPolicy({ querry: {} } as never)).toThrow(/FC_OPTION_UNKNOWN: key\.querry/)
    expect(() => parseKeyPolicy({ tier: { tiers: ['a'] } })).toThrow(/key\.tier: give exactly one of header, cookie, from/)
    expect(() => parseKeyPolicy({ locale: { offered: ['en'], default: 'de' } })).toThrow(/default must be one of offered/)
    expect(() => parseKeyPolicy({ headers: ['a b'] })).toThrow(/FC_OPTION_/)
  })
})
