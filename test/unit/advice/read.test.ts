import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isIdentifier, Patterns } from '../../../src/advice/patterns.ts'
import { createClfReader, parseLogTime } from '../../../src/advice/read-clf.ts'
import { createJsonReader } from '../../../src/advice/read-json.ts'

describe('lines of the common and combined formats', () => {
  const read = createClfReader()

  it('are read with user, size, referrer and agent', () => {
    const line =
      '10.0.0.1 - ann [17/May/2015:10:05:03 +0200] "GET /a/b?c=1 HTTP/1.1" 200 1234 "http://x/ \\"y\\"" "Agent \\"7\\""'

    expect(read(line)).toEqual({
      atMs: Date.UTC(2015, 4, 17, 8, 5, 3),
      method: 'GET',
      target: '/a/b?c=1',
      status: 200,
      bytes: 1234,
      client: '10.0.0.1',
      digest: '',
      traits: [
        ['user', 'ann'],
        ['header:user-agent', 'Agent \\"7\\"'],
      ],
    })
  })

  it.each([
    ['10.0.0.1 - - [17/May/2015:10:05:03 +0000] "HEAD / HTTP/1.0" 304 -', { method: 'HEAD', status: 304, bytes: 0, traits: [] }],
    ['shop.example:80 10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /x HTTP/1.0" 200 5', { target: '/x', bytes: 5, traits: [] }],
  ])('may be short or bear a host: %s', (line, part) => {
    expect(read(line)).toMatchObject(part)
  })

  it.each(['', 'nonsense', '- - - [x] "GET / HTTP/1.1" 200 1', '1 - - [17/May/2015:10:05:03 +0000] "\\x16\\x03" 400 0'])(
    'are no request when they hold none: %s',
    (line) => {
      expect(read(line)).toBeUndefined()
    },
  )

  it('never make the reader throw', () => {
    const part = fc.constantFrom('"', '[', ']', ' ', '\\', '17/May/2015:10:05:03 +0000', 'GET', '/', '200', '-', 'é')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        read(parts.join(''))
      }),
    )
  })

  it('have times with zones', () => {
    expect(parseLogTime('01/Jan/2026:00:00:00 -0130')).toBe(Date.UTC(2026, 0, 1, 1, 30))
    expect(parseLogTime('01/Foo/2026:00:00:00 +0000')).toBeNaN()
  })
})

describe('lines of JSON', () => {
  it('are read by the usual names, with fields and cookies of the request', () => {
    const read = createJsonReader()
    const line = JSON.stringify({
      time_iso8601: '2026-01-01T00:00:00Z',
      request: 'GET /a?b=1 HTTP/1.1',
      status: '200',
      body_bytes_sent: '12',
      remote_addr: '::1',
      sent_http_etag: '"x"',
      http_accept_language: 'de',
      cookie_theme: 'dark',
      sent_http_cache_control: 'max-age=60',
      connection_requests: 1,
    })

    expect(read(line)).toEqual({
      atMs: Date.UTC(2026, 0, 1),
      method: 'GET',
      target: '/a?b=1',
      status: 200,
      bytes: 12,
      client: '::1',
      digest: '"x"',
      traits: [
        ['header:accept-language', 'de'],
        ['cookie:theme', 'dark'],
      ],
      notes: { cacheControl: 'max-age=60', ofConnection: 1 },
    })
  })

  it('are read by names that are given', () => {
    const read = createJsonReader({ target: 'req.link', time: 'when', 'header.accept-language': 'req.lang' })

    expect(read('{"when":1767225600,"req":{"link":"https://shop/a?b","lang":"fr"}}')).toMatchObject({
      atMs: 1_767_225_600_000,
      target: '/a?b',
      traits: [['header:accept-language', 'fr']],
    })
  })

  it('refuse a name that is not known', () => {
    expect(() => createJsonReader({ adress: 'x' })).toThrow(/FC_OPTION_UNKNOWN/)
  })

  it('never make the reader throw', () => {
    const read = createJsonReader()
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        read(text)
        read(`{"time":1,"url":"/x","headers":${text},"cookies":${text}}`)
      }),
    )
  })
})

describe('patterns of paths', () => {
  it.each(['42', '0190d3c2-8f1e-7cc3-98c4-dc0c0c07398f', 'a3f9c2d417bb', 'sku-12345', 'app.3f2a1b9c.js'])(
    'take %s for a value',
    (segment) => {
      expect(isIdentifier(segment)).toBe(true)
    },
  )

  it.each(['products', 'v1', 'v2', 'oauth2', 's3', 'api', 'robots.txt'])('take %s for a name', (segment) => {
    expect(isIdentifier(segment)).toBe(false)
  })

  it('keep many endpoints that are asked for often apart, and put words that are values together', () => {
    const patterns = new Patterns()
    const endpoints = Array.from(
      { length: 40 },
      (_, at) => `endpoint${String.fromCharCode(97 + (at % 26))}${at < 26 ? 'x' : 'y'}`,
    )
    for (let round = 0; round < 20; round += 1) for (const name of endpoints) patterns.learn(`/api/${name}`)
    const words = Array.from({ length: 300 }, (_, at) => `red-${String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26))}`)
    for (const word of words) patterns.learn(`/blog/${word}/comments`)
    patterns.fix()

    expect(new Set(endpoints.map((name) => patterns.match(`/api/${name}`))).size).toBe(40)
    expect(new Set(words.map((word) => patterns.match(`/blog/${word}/comments`)))).toEqual(new Set(['/blog/:id/comments']))
    expect(patterns.match('/users/17/orders/4')).toBe('/users/:id/orders/:id2')
  })
})
