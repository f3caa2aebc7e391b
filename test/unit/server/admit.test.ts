/** The gate: which heads are unambiguous. What the strict parser refuses already is tested in test/process. */
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/model/errors.ts'
import { type AdmitLimits, admit } from '../../../src/server/admit.ts'

const LIMITS: AdmitLimits = { maxTargetBytes: 100, maxFields: 10, maxBodyBytes: 1000, defaultAuthority: 'origin.test' }

function head(start: string, lines: readonly string[], version = '1.1') {
  const [method = '', url = ''] = start.split(' ')
  const rawHeaders = lines.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
  return { method, url, rawHeaders, httpVersion: version }
}

describe('admit: what is let through', () => {
  it('takes the scheme of the connection and drops the default port of that scheme alone', () => {
    expect(admit(head('GET /', ['Host: a:443']), LIMITS, 'https')).toMatchObject({ scheme: 'https', authority: 'a' })
    expect(admit(head('GET /', ['Host: a:80']), LIMITS, 'https').authority).toBe('a:80')
    expect(admit(head('GET https://a/x', ['Host: a']), LIMITS, 'https').target).toBe('/x')
    expect(() => admit(head('GET http://a/x', ['Host: a']), LIMITS, 'https')).toThrow('another scheme')
  })

  it('passes a target on byte for byte', () => {
    for (const target of ['/a/../b', '/a/%2e%2e/b', '/%2F', '//x', '/a;b', '/a?b=%26&&c', '/\\x', '/{}|^`', '/a%', '/.']) {
      expect(admit(head(`GET ${target}`, ['Host: a']), LIMITS).target).toBe(target)
    }
  })

  it.each([
    ['A.Test', 'a.test'],
    ['a.test:80', 'a.test'],
    ['a.test:8080', 'a.test:8080'],
    ['[::1]:8080', '[::1]:8080'],
    ['127.0.0.1', '127.0.0.1'],
    ['under_score.test', 'under_score.test'],
  ])('reads Host %s as %s and passes it on so', (given, authority) => {
    const admitted = admit(head('GET /', [`Host: ${given}`]), LIMITS)

    expect(admitted.authority).toBe(authority)
    expect(admitted.fields.all('host')).toEqual([authority])
  })

  it('takes absolute-form whose authority is the Host', () => {
    expect(admit(head('GET http://A.test:80/x?y', ['Host: a.test']), LIMITS)).toMatchObject({
      target: '/x?y',
      authority: 'a.test',
    })
    expect(admit(head('GET http://a.test', ['Host: a.test']), LIMITS).target).toBe('/')
    expect(admit(head('GET http://a.test?y', ['Host: a.test']), LIMITS).target).toBe('/?y')
  })

  it('stands in for the host that HTTP/1.0 does not name', () => {
    expect(admit(head('GET /', [], '1.0'), LIMITS)).toMatchObject({ authority: 'origin.test' })
  })

  it('keeps content-length and chunked', () => {
    expect(admit(head('POST /', ['Host: a', 'Content-Length: 1000']), LIMITS).fields.first('content-length')).toBe('1000')
    expect(() => admit(head('POST /', ['Host: a', 'Transfer-Encoding: Chunked']), LIMITS)).not.toThrow()
  })
})

describe('admit: what is refused', () => {
  it.each<[string, string, string[], string, ErrorCode]>([
    ['no Host', 'GET /', [], '1.1', 'FC_REQUEST_BAD'],
    ['two Hosts', 'GET /', ['Host: a', 'Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['an empty Host', 'GET /', ['Host: '], '1.1', 'FC_REQUEST_BAD'],
    ['a Host with a path', 'GET /', ['Host: a/b'], '1.1', 'FC_REQUEST_BAD'],
    ['a Host with user info', 'GET /', ['Host: x@a'], '1.1', 'FC_REQUEST_BAD'],
    ['a Host list', 'GET /', ['Host: a, b'], '1.1', 'FC_REQUEST_BAD'],
    ['a Host with a space', 'GET /', ['Host: a b'], '1.1', 'FC_REQUEST_BAD'],
    ['a Host with no port behind the colon', 'GET /', ['Host: a:'], '1.1', 'FC_REQUEST_BAD'],
    ['a Host with a port out of range', 'GET /', ['Host: a:99999'], '1.1', 'FC_REQUEST_BAD'],
    ['a Host that is encoded', 'GET /', ['Host: a%2eb'], '1.1', 'FC_REQUEST_BAD'],
    ['another authority in absolute-form', 'GET http://b/', ['Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['another port in absolute-form', 'GET http://a:81/', ['Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['another scheme in absolute-form', 'GET https://a/', ['Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['user info in absolute-form', 'GET http://x@a/', ['Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['absolute-form without Host', 'GET http://a/', [], '1.1', 'FC_REQUEST_BAD'],
    ['asterisk-form of GET', 'GET *', ['Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['a fragment', 'GET /#x', ['Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['bytes beyond ASCII in the target', 'GET /é', ['Host: a'], '1.1', 'FC_REQUEST_BAD'],
    ['authority-form', 'CONNECT a:80', ['Host: a'], '1.1', 'FC_REQUEST_METHOD'],
    ['TRACE', 'TRACE /', ['Host: a'], '1.1', 'FC_REQUEST_METHOD'],
    ['HTTP/2.0 as text', 'GET /', ['Host: a'], '2.0', 'FC_REQUEST_VERSION'],
    ['HTTP/0.9', 'GET /', ['Host: a'], '0.9', 'FC_REQUEST_VERSION'],
    ['two lengths', 'POST /', ['Host: a', 'Content-Length: 3', 'Content-Length: 3'], '1.1', 'FC_REQUEST_BAD'],
    ['a length list', 'POST /', ['Host: a', 'Content-Length: 3, 3'], '1.1', 'FC_REQUEST_BAD'],
    ['a signed length', 'POST /', ['Host: a', 'Content-Length: +3'], '1.1', 'FC_REQUEST_BAD'],
    [
      'length and chunked together',
      'POST /',
      ['Host: a', 'Content-Length: 3', 'Transfer-Encoding: chunked'],
      '1.1',
      'FC_REQUEST_BAD',
    ],
    [
      'two transfer codings',
      'POST /',
      ['Host: a', 'Transfer-Encoding: identity', 'Transfer-Encoding: chunked'],
      '1.1',
      'FC_REQUEST_BAD',
    ],
    ['another transfer coding', 'POST /', ['Host: a', 'Transfer-Encoding: gzip, chunked'], '1.1', 'FC_REQUEST_CODING'],
    ['a transfer coding in HTTP/1.0', 'POST /', ['Host: a', 'Transfer-Encoding: chunked'], '1.0', 'FC_REQUEST_BAD'],
    ['two Authorizations', 'GET /', ['Host: a', 'Authorization: Basic a', 'Authorization: Basic b'], '1.1', 'FC_REQUEST_BAD'],
    ['two Content-Types', 'POST /', ['Host: a', 'Content-Type: a/b', 'Content-Type: c/d'], '1.1', 'FC_REQUEST_BAD'],
    ['content above the limit', 'POST /', ['Host: a', 'Content-Length: 1001'], '1.1', 'FC_REQUEST_TOO_LARGE'],
    ['a target above the limit', `GET /${'x'.repeat(100)}`, ['Host: a'], '1.1', 'FC_TARGET_TOO_LONG'],
    ['too many fields', 'GET /', ['Host: a', ...Array.from({ length: 10 }, (_, i) => `x-${i}: 1`)], '1.1', 'FC_HEADERS_TOO_MANY'],
  ])('refuses %s', (_, start, lines, version, code) => {
    expect(() => admit(head(start, lines, version), LIMITS)).toThrow(expect.objectContaining({ code }))
  })
})
