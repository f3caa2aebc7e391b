import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { invalidatedTargets, isCacheableMethod, isSafeMethod, sameOriginTarget } from '../../../src/rules/unsafe.ts'

const request = { method: 'POST', target: '/a/b?c=1', scheme: 'http', authority: 'shop.example', fields: Fields.from() } as const
const answer = (
  status: number,
  record: Record<string, string | string[]> = {},
): { status: number; statusText: string; fields: Fields } => ({
  status,
  statusText: '',
  fields: Fields.from(record),
})

describe('methods (RFC 9110 section 9.2.1)', () => {
  it('are safe only when known to be so, and case counts', () => {
    expect(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND'].every(isSafeMethod)).toBe(true)
    expect(['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH', 'get', 'PURGE'].some(isSafeMethod)).toBe(false)
    expect(['GET', 'HEAD', 'QUERY', 'POST', 'OPTIONS'].map(isCacheableMethod)).toEqual([true, true, true, false, false])
  })
})

describe('what an unsafe request invalidates (RFC 9111 section 4.4)', () => {
  it('is the target, and Location and Content-Location of the same origin', () => {
    const fields = {
      location: 'new',
      'content-location': ['/x?y', 'http://shop.example/z', 'http://other.example/no', '//other.example/no'],
    }
    expect(invalidatedTargets(request, answer(201, fields))).toEqual(['/a/b?c=1', '/a/new', '/x?y', '/z'])
  })

  it.each([400, 404, 500, 503, 100])('is nothing when the answer is %d', (status) => {
    expect(invalidatedTargets(request, answer(status, { location: '/x' }))).toEqual([])
  })

  it('is nothing when the method is safe', () => {
    expect(invalidatedTargets({ ...request, method: 'GET' }, answer(200))).toEqual([])
  })

  it('does not leave the origin by scheme, host, port or trickery', () => {
    const leaves = [
      'https://shop.example/',
      'http://shop.example:81/',
      '//evil',
      'http:\\\\evil',
      'javascript:alert(1)',
      'http://shop.example@evil/',
    ]
    expect(leaves.map((one) => sameOriginTarget(request, one))).toEqual(leaves.map(() => undefined))
    expect(sameOriginTarget(request, 'http://shop.example:80/p?q')).toBe('/p?q')
    expect(sameOriginTarget({ ...request, target: '*' }, '/p')).toBe('/p')
  })

  it('never throws on any reference', () => {
    fc.assert(fc.property(fc.string(), (value) => void invalidatedTargets(request, answer(200, { location: value }))))
  })
})
