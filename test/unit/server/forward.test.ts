/** Forwarding fields: written by us, believed only from trusted proxies. */
import { describe, expect, it } from 'vitest'
import type { RequestHead } from '../../../src/model/exchange.ts'
import { Fields } from '../../../src/model/fields.ts'
import { forward, parseTrust } from '../../../src/server/forward.ts'
import { peerAddress } from '../../../src/server/peer.ts'

const RULES = { isTrusted: parseTrust([]), pseudonym: 'forecache-abc123' }
const TRUSTING = { isTrusted: parseTrust(['loopback', '10.0.0.0/8', '2001:db8::/32']), pseudonym: 'forecache-abc123' }

function request(fields: Record<string, string | string[]>, method = 'GET'): RequestHead {
  return { method, target: '/', scheme: 'http', authority: 'a.test', fields: Fields.from({ host: 'a.test', ...fields }) }
}

function told(
  fields: Record<string, string | string[]>,
  rules = RULES,
  address = '192.0.2.1',
  method = 'GET',
): Record<string, string> {
  return Object.fromEntries([...forward(request(fields, method), { address, version: '1.1' }, rules).fields])
}

describe('forward: a client that is not trusted', () => {
  it('is described by its connection alone', () => {
    expect(told({})).toEqual({
      host: 'a.test',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.test',
      forwarded: 'for=192.0.2.1;host="a.test";proto=http',
      via: '1.1 forecache-abc123',
    })
  })

  it('cannot choose any field that origins build answers from', () => {
    const claims = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '1',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-scheme': 'https',
      forwarded: 'host=evil',
      'x-real-ip': '6.6.6.6',
      'x-original-url': '/admin',
      'x-rewrite-url': '/admin',
      'x-host': 'evil',
      'x-http-method-override': 'POST',
      'x-method-override': 'DELETE',
      'true-client-ip': '6.6.6.6',
      proxy: 'http://evil',
      'proxy-authorization': 'Basic x',
    }

    expect(told(claims)).toEqual(told({}))
  })

  it('cannot choose them by writing _ for - either', () => {
    expect(
      told({
        x_forwarded_host: 'evil',
        'x_forwarded-for': '6.6.6.6',
        content_length: '5',
        transfer_encoding: 'chunked',
        x_original_url: '/admin',
        host_: 'b',
      }),
    ).toEqual({
      ...told({}),
      host_: 'b',
    })
  })

  it('may name another method on an unsafe request, which is never keyed as another', () => {
    expect(told({ 'x-http-method-override': 'PUT' }, RULES, '192.0.2.1', 'POST')).toHaveProperty('x-http-method-override', 'PUT')
  })

  it('loses hop-by-hop fields and what Connection names, but nothing that frames or routes', () => {
    const fields = told(
      {
        connection: 'close, x-mine, host, content-length, authorization',
        'x-mine': '1',
        te: 'trailers',
        upgrade: 'h2c',
        'keep-alive': '5',
        'proxy-connection': 'close',
        'content-length': '3',
        authorization: 'Basic a',
      },
      RULES,
      '192.0.2.1',
      'POST',
    )

    expect(fields).toEqual({ ...told({}), 'content-length': '3', authorization: 'Basic a' })
  })

  it('cannot remove our own fields by naming them in Connection', () => {
    expect(told({ connection: 'x-forwarded-for, x-forwarded-host, via, forwarded' })).toEqual(told({}))
  })
})

describe('forward: a connection under TLS', () => {
  const secure = (fields: Record<string, string>, authority = 'a.test'): RequestHead => ({
    ...request(fields),
    scheme: 'https',
    authority,
  })

  it('says https, whatever a stranger claims, and names HTTP/2 in Via', () => {
    const head = forward(secure({ 'x-forwarded-proto': 'http' }), { address: '192.0.2.1', version: '2' }, RULES)

    expect(head).toMatchObject({ scheme: 'https', authority: 'a.test' })
    expect(head.fields.get('x-forwarded-proto')).toBe('https')
    expect(head.fields.get('forwarded')).toBe('for=192.0.2.1;host="a.test";proto=https')
    expect(head.fields.get('via')).toBe('2 forecache-abc123')
  })

  it('says what a trusted proxy says, and drops the default port of that', () => {
    const head = forward(secure({ 'x-forwarded-proto': 'http' }, 'a.test:80'), { address: '127.0.0.1', version: '1.1' }, TRUSTING)

    expect(head).toMatchObject({ scheme: 'http', authority: 'a.test' })
  })
})

describe('forward: a trusted proxy', () => {
  it('is believed about the client and the scheme, and appended to', () => {
    const head = forward(
      request({ 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', forwarded: 'for=203.0.113.9' }),
      { address: '10.1.2.3', version: '1.1' },
      TRUSTING,
    )

    expect(head.scheme).toBe('https')
    expect(head.fields.get('x-forwarded-for')).toBe('203.0.113.9, 10.1.2.3')
    expect(head.fields.get('x-forwarded-proto')).toBe('https')
    expect(head.fields.get('forwarded')).toBe('for=203.0.113.9, for=10.1.2.3;host="a.test";proto=https')
  })

  it('is understood where it speaks X-Forwarded-For alone', () => {
    expect(told({ 'x-forwarded-for': '203.0.113.9, 2001:db8::1' }, TRUSTING, '10.1.2.3').forwarded).toBe(
      'for=203.0.113.9, for="[2001:db8::1]", for=10.1.2.3;host="a.test";proto=http',
    )
  })

  it('is not believed about the host, which must be the one that is keyed', () => {
    expect(told({ 'x-forwarded-host': 'evil' }, TRUSTING, '127.0.0.1')['x-forwarded-host']).toBe('a.test')
  })

  it('drops the default port of the scheme it tells', () => {
    const head = forward(
      { ...request({ 'x-forwarded-proto': 'https' }), authority: 'a.test:443' },
      { address: '127.0.0.1', version: '1.1' },
      TRUSTING,
    )

    expect(head).toMatchObject({ scheme: 'https', authority: 'a.test' })
    expect(head.fields.all('host')).toEqual(['a.test'])
  })

  it('cannot pass on a chain that is none', () => {
    expect(told({ 'x-forwarded-for': '"><script>' }, TRUSTING, '127.0.0.1')['x-forwarded-for']).toBe('127.0.0.1')
    expect(told({ 'x-forwarded-for': 'x'.repeat(5000) }, TRUSTING, '127.0.0.1')['x-forwarded-for']).toBe('127.0.0.1')
    expect(told({ 'x-forwarded-proto': 'gopher' }, TRUSTING, '127.0.0.1')['x-forwarded-proto']).toBe('http')
  })

  it('is known by network, in both families', () => {
    expect(TRUSTING.isTrusted('2001:db8::5')).toBe(true)
    expect(TRUSTING.isTrusted('2001:db9::5')).toBe(false)
    expect(TRUSTING.isTrusted('unknown')).toBe(false)
  })

  it.each(['300.0.0.1', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'example.com', ''])('is not %s', (given) => {
    expect(() => parseTrust([given])).toThrow(/expected an address/)
  })
})

describe('forward: the way', () => {
  it('adds itself to Via', () => {
    expect(told({ via: '1.1 front' }).via).toBe('1.1 front, 1.1 forecache-abc123')
  })

  it('refuses a request that came back', () => {
    expect(() => told({ via: '1.1 front, 1.1 forecache-abc123' })).toThrow(expect.objectContaining({ code: 'FC_REQUEST_LOOP' }))
  })

  it('unwraps IPv4 inside IPv6 and quotes IPv6', () => {
    expect(peerAddress('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(peerAddress('fe80::1%eth0')).toBe('fe80::1')
    expect(told({}, RULES, '2001:db8::1').forwarded).toBe('for="[2001:db8::1]";host="a.test";proto=http')
  })
})
