import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { connectionNames, endToEnd, storableFields } from '../../../src/rules/hop.ts'

describe('fields of the hop (RFC 9110 section 7.6.1, RFC 9111 section 3.1)', () => {
  it('go no further, nor does what Connection names', () => {
    const fields = Fields.from({
      connection: ['close, X-A', 'x-b'],
      'keep-alive': '1',
      te: 'trailers',
      'transfer-encoding': 'chunked',
      upgrade: 'h2c',
      'proxy-connection': 'close',
      'x-a': '1',
      'x-b': '2',
      'x-c': '3',
      trailer: 'x-t',
    })
    expect(endToEnd(fields).names()).toEqual(['x-c', 'trailer'])
  })

  it('leaves fields of a proxy to be forwarded, but not to be stored', () => {
    const fields = Fields.from({ 'proxy-authenticate': 'Basic', 'proxy-authentication-info': 'x', a: '1', b: '2' })
    expect(endToEnd(fields).names()).toEqual(['proxy-authenticate', 'proxy-authentication-info', 'a', 'b'])
    expect(storableFields(fields, ['b']).names()).toEqual(['a'])
  })

  it('cannot be used to take away what frames, routes or guards a message', () => {
    const names = [
      'host',
      'content-length',
      'cache-control',
      'authorization',
      'vary',
      'set-cookie',
      'cookie',
      'etag',
      'content-encoding',
    ]
    const fields = Fields.from({ connection: names.join(','), ...Object.fromEntries(names.map((name) => [name, '1'])) })
    expect(endToEnd(fields).names()).toEqual(names)
  })

  it('keeps the order and every line of what stays', () => {
    const fields = Fields.fromRaw(['B', '1', 'A', '2', 'b', '3'])
    expect(endToEnd(fields).raw()).toEqual(['b', '1', 'a', '2', 'b', '3'])
  })

  it('reads any Connection without throwing', () => {
    fc.assert(fc.property(fc.string(), (value) => void connectionNames(Fields.from({ connection: value }))))
  })
})
