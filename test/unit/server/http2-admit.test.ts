/** The gate of HTTP/2: what nghttp2 lets through and two readers may read differently. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/model/errors.ts'
import { ForecacheError } from '../../../src/model/errors.ts'
import { admitHttp2, type Http2Limits } from '../../../src/server/http2-admit.ts'

const LIMITS: Http2Limits = {
  maxTargetBytes: 100,
  maxFields: 10,
  maxBodyBytes: 1000,
  maxHeadBytes: 2000,
  defaultAuthority: 'origin.test',
}
type Line = readonly [name: string, value: string]

const ASKED: readonly Line[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.test'],
  [':path', '/x?y'],
]

function admit(lines: readonly Line[], limits = LIMITS) {
  return admitHttp2(lines.flat(), limits, 'https')
}

/** The request with one pseudo-header field said differently, or left out. */
function asked(name: string, value?: string, more: readonly Line[] = []): readonly Line[] {
  const kept = ASKED.filter(([one]) => one !== name)
  return [...(value === undefined ? kept : [...kept, [name, value] as const]), ...more]
}

describe('http2 admit: what is let through', () => {
  it('is the head that HTTP/1 would have brought', () => {
    const head = admit([...ASKED, ['accept', '*/*'], ['te', 'trailers']])

    expect(head).toMatchObject({ method: 'GET', target: '/x?y', scheme: 'https', authority: 'a.test' })
    expect([...head.fields]).toEqual([
      ['accept', '*/*'],
      ['te', 'trailers'],
      ['host', 'a.test'],
    ])
  })

  it.each([
    ['a.test:443', 'a.test'],
    ['A.Test', 'a.test'],
    ['a.test:80', 'a.test:80'],
    ['[::1]:443', '[::1]'],
  ])('normalizes the authority %s', (given, kept) => {
    expect(admit(asked(':authority', given)).authority).toBe(kept)
  })

  it('takes Host where there is no :authority, and either where both say the same', () => {
    expect(admit(asked(':authority', undefined, [['host', 'b.test']])).authority).toBe('b.test')
    expect(admit([...ASKED, ['host', 'A.test:443']]).authority).toBe('a.test')
  })

  it('joins the crumbs of Cookie', () => {
    const head = admit([...ASKED, ['cookie', 'a=1'], ['cookie', 'b=2; c=3']])

    expect(head.fields.all('cookie')).toEqual(['a=1; b=2; c=3'])
  })

  it('takes OPTIONS of the server as a whole', () => {
    const lines = asked(':method', 'OPTIONS').map(([name, value]) => [name, name === ':path' ? '*' : value] as const)
    expect(admit(lines).target).toBe('*')
  })
})

describe('http2 admit: what is refused', () => {
  it.each<[string, readonly Line[], ErrorCode]>([
    ['no :method', asked(':method'), 'FC_REQUEST_BAD'],
    ['no :path', asked(':path'), 'FC_REQUEST_BAD'],
    ['an empty :path', asked(':path', ''), 'FC_REQUEST_BAD'],
    ['no :scheme', asked(':scheme'), 'FC_REQUEST_BAD'],
    ["a :scheme that is not the connection's", asked(':scheme', 'http'), 'FC_REQUEST_BAD'],
    ['neither :authority nor Host', asked(':authority'), 'FC_REQUEST_BAD'],
    ['an empty :authority', asked(':authority', ''), 'FC_REQUEST_BAD'],
    ['a user in :authority', asked(':authority', 'me@a.test'), 'FC_REQUEST_BAD'],
    ['a path in :authority', asked(':authority', 'a.test/x'), 'FC_REQUEST_BAD'],
    [':authority and Host that differ', [...ASKED, ['host', 'b.test']], 'FC_REQUEST_BAD'],
    ['two Hosts', [...ASKED, ['host', 'a.test'], ['host', 'a.test']], 'FC_REQUEST_BAD'],
    ['a doubled :path', [...ASKED, [':path', '/other']], 'FC_REQUEST_BAD'],
    ['a pseudo-header field behind others', [...ASKED.slice(1), ['accept', '*/*'], [':method', 'GET']], 'FC_REQUEST_BAD'],
    [':protocol (RFC 8441)', [...ASKED, [':protocol', 'websocket']], 'FC_REQUEST_BAD'],
    ['an unknown pseudo-header field', [...ASKED, [':x', '1']], 'FC_REQUEST_BAD'],
    ['a whole URL as :path', asked(':path', 'https://a.test/'), 'FC_REQUEST_BAD'],
    ['a relative :path', asked(':path', 'x'), 'FC_REQUEST_BAD'],
    ['a fragment', asked(':path', '/x#y'), 'FC_REQUEST_BAD'],
    ['white space in :path', asked(':path', '/x y'), 'FC_REQUEST_BAD'],
    ['control characters in :path', asked(':path', '/x\u0001'), 'FC_REQUEST_BAD'],
    ['* for GET', asked(':path', '*'), 'FC_REQUEST_BAD'],
    ['CONNECT', asked(':method', 'CONNECT'), 'FC_REQUEST_METHOD'],
    ['TRACE', asked(':method', 'TRACE'), 'FC_REQUEST_METHOD'],
    ['Connection', [...ASKED, ['connection', 'close']], 'FC_REQUEST_BAD'],
    ['Keep-Alive', [...ASKED, ['keep-alive', '1']], 'FC_REQUEST_BAD'],
    ['Proxy-Connection', [...ASKED, ['proxy-connection', 'close']], 'FC_REQUEST_BAD'],
    ['Transfer-Encoding', [...ASKED, ['transfer-encoding', 'chunked']], 'FC_REQUEST_BAD'],
    ['Upgrade', [...ASKED, ['upgrade', 'websocket']], 'FC_REQUEST_BAD'],
    ['TE that says more than trailers', [...ASKED, ['te', 'gzip, trailers']], 'FC_REQUEST_BAD'],
    ['upper case in a name', [...ASKED, ['X-A', '1']], 'FC_REQUEST_BAD'],
    ['an empty name', [...ASKED, ['', '1']], 'FC_REQUEST_BAD'],
    ['a colon in a name', [...ASKED, ['x:y', '1']], 'FC_REQUEST_BAD'],
    ['a line break in a value', [...ASKED, ['x', '1\r\nhost: b']], 'FC_REQUEST_BAD'],
    ['NUL in a value', [...ASKED, ['x', '\0']], 'FC_REQUEST_BAD'],
    ['two Content-Lengths', [...ASKED, ['content-length', '1'], ['content-length', '1']], 'FC_REQUEST_BAD'],
    ['a Content-Length that is no number', [...ASKED, ['content-length', '+1']], 'FC_REQUEST_BAD'],
    ['two Authorizations', [...ASKED, ['authorization', 'Basic a'], ['authorization', 'Basic b']], 'FC_REQUEST_BAD'],
    ['content above the limit', [...ASKED, ['content-length', '1001']], 'FC_REQUEST_TOO_LARGE'],
    ['another expectation', [...ASKED, ['expect', 'a miracle']], 'FC_REQUEST_EXPECT'],
    ['a target above the limit', asked(':path', `/${'x'.repeat(100)}`), 'FC_TARGET_TOO_LONG'],
    ['too many fields', [...ASKED, ...Array.from({ length: 11 }, (_, i) => [`x-${i}`, '1'] as const)], 'FC_HEADERS_TOO_MANY'],
    ['a head above the limit', [...ASKED, ['x', 'y'.repeat(2000)]], 'FC_HEADERS_TOO_LARGE'],
  ])('refuses %s', (_, lines, code) => {
    expect(() => admit(lines)).toThrow(expect.objectContaining({ code }))
  })

  it('throws nothing but its own errors, and admits nothing that HTTP/1 could not say, whatever comes', () => {
    const name = fc.oneof(fc.constantFrom(':method', ':path', ':scheme', ':authority', 'host', 'cookie', 'te', 'x'), fc.string())
    const value = fc.oneof(fc.constantFrom('GET', '/', 'https', 'a.test', 'trailers'), fc.string())
    const lines = fc.array(fc.tuple(name, value), { maxLength: 12 })

    fc.assert(
      fc.property(fc.shuffledSubarray([...ASKED], { minLength: 3 }), lines, (pseudo, more) => {
        try {
          const { target, authority, fields } = admit([...pseudo, ...more])
          expect(target).toMatch(/^\/[\x21-\x7e]*$/)
          expect(fields.all('host')).toEqual([authority])
          for (const [one, text] of fields) expect(`${one}: ${text}`).not.toMatch(/[\r\n\0]|^[^:]*[A-Z ]/)
        } catch (error) {
          if (!(error instanceof ForecacheError)) throw error
        }
      }),
    )
  })
})
