import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { parseCacheControl } from '../../../src/rules/cache-control.ts'
import { lifetimeOf } from '../../../src/rules/freshness.ts'
import { fieldsToStore, partRefusal, type StoreRules, storeRefusal } from '../../../src/rules/storable.ts'
import { governingControl } from '../../../src/rules/targeted.ts'

const SAFE: StoreRules = { cookiesStay: true, authorizedByMustRevalidate: false, errorsNeedFreshness: true }
const LOOSE: StoreRules = { cookiesStay: false, authorizedByMustRevalidate: true, errorsNeedFreshness: false }
const LATITUDE = { heuristics: false, heuristicErrors: false, disconnectedMs: 0, staleWithSMaxage: false }

interface Case {
  readonly status?: number
  readonly fields?: Record<string, string>
  readonly request?: Record<string, string>
}

function candidate({
  status = 200,
  fields: record = { 'cache-control': 'max-age=60' },
  request = {},
}: Case): Parameters<typeof storeRefusal>[0] {
  const fields = Fields.from(record)
  const requestFields = Fields.from(request)
  const governing = governingControl(fields)
  const lifetime = lifetimeOf({ status, fields }, governing, { receivedWallMs: 0, latitude: LATITUDE })
  return {
    method: 'GET',
    requestFields,
    requestControl: parseCacheControl(requestFields.get('cache-control')),
    status,
    fields,
    governing,
    lifetime,
  }
}

const refusal = (given: Case, rules = SAFE): string | undefined => storeRefusal(candidate(given), rules)

describe('storing responses (RFC 9111 section 3)', () => {
  it.each<[Case, string | undefined]>([
    [{}, undefined],
    [{ fields: {} }, undefined], // a validator or nothing: whoever stores it decides
    [{ status: 299 }, undefined],
    [{ status: 599 }, undefined],
    [{ status: 599, fields: {} }, 'error'],
    [{ status: 302, fields: {} }, 'no-freshness'],
    [{ status: 302, fields: { 'cache-control': 'public' } }, undefined],
    [{ status: 206 }, 'status'],
    [{ status: 304 }, 'status'],
    [{ status: 103 }, 'malformed'],
    [{ status: 404, fields: {} }, 'error'],
    [{ status: 404 }, undefined],
    [{ fields: { 'cache-control': 'no-store, max-age=60' } }, 'no-store'],
    [{ fields: { 'cache-control': 'private, s-maxage=60, public' } }, 'private'],
    [{ fields: { 'cache-control': 'private="x", max-age=60' } }, undefined],
    [{ fields: { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=60' } }, undefined],
    [{ fields: { 'cache-control': 'max-age=60', 'cdn-cache-control': 'no-store' } }, 'no-store'],
    [{ fields: { 'cache-control': 'max-age=60, no-store, must-understand' } }, undefined],
    [{ status: 599, fields: { 'cache-control': 'max-age=60, no-store, must-understand' } }, 'not-understood'],
    [{ fields: { 'cache-control': 'max-age=60, x="' } }, 'malformed'],
    [{ request: { 'cache-control': 'no-store' } }, 'request-no-store'],
  ])('judges %j: %s', (given, expected) => {
    expect(refusal(given)).toBe(expected)
  })

  it.each([401, 407, 408, 412, 416, 421, 425, 429, 431])(
    'never stores %d: it is about the request, not the resource',
    (status) => {
      expect(refusal({ status })).toBe('status')
    },
  )
})

describe('answers to authorized requests (RFC 9111 section 3.5)', () => {
  const request = { authorization: 'Basic x' }

  it.each<[string, StoreRules, string | undefined]>([
    ['max-age=60', LOOSE, 'authorization'],
    ['max-age=60, public', SAFE, undefined],
    ['s-maxage=60', SAFE, undefined],
    ['max-age=60, must-revalidate', LOOSE, undefined],
    ['max-age=60, must-revalidate', SAFE, 'authorization'],
  ])('with %s under the rules given', (value, rules, expected) => {
    expect(refusal({ request, fields: { 'cache-control': value } }, rules)).toBe(expected)
  })
})

describe('Set-Cookie', () => {
  it('keeps a response out of a safe store unless it is marked for shared caches', () => {
    expect(refusal({ fields: { 'cache-control': 'max-age=60', 'set-cookie': 'a=b' } })).toBe('set-cookie')
    expect(refusal({ fields: { 'cache-control': 'max-age=60, public', 'set-cookie': 'a=b' } })).toBeUndefined()
    expect(refusal({ fields: { 'cache-control': 's-maxage=60', 'set-cookie': 'a=b' } })).toBeUndefined()
    expect(refusal({ fields: { 'cache-control': 'max-age=60, no-cache="set-cookie"', 'set-cookie': 'a=b' } })).toBeUndefined()
    expect(refusal({ fields: { 'cache-control': 'max-age=60', 'set-cookie': 'a=b' } }, LOOSE)).toBeUndefined()
  })

  it('never goes into a safe store', () => {
    const fields = Fields.from({ 'cache-control': 'public, max-age=60', 'set-cookie': ['a=b', 'c=d'], x: '1' })
    const { control } = governingControl(fields)
    expect(fieldsToStore(fields, control, SAFE).names()).toEqual(['cache-control', 'x'])
    expect(fieldsToStore(fields, control, LOOSE).all('set-cookie')).toEqual(['a=b', 'c=d'])
  })
})

describe('fields that are not stored (RFC 9111 sections 3.1 and 5.2.2)', () => {
  it('are those of the hop, of proxies, Age, and what no-cache= and private= name', () => {
    const fields = Fields.from({
      'cache-control': 'max-age=60, no-cache="a", private="B"',
      connection: 'x-hop',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      'proxy-authenticate': 'Basic',
      'proxy-authentication-info': 'x',
      age: '5',
      a: '1',
      b: '2',
      c: '3',
    })
    expect(fieldsToStore(fields, governingControl(fields).control, SAFE).names()).toEqual(['cache-control', 'c'])
  })
})

describe('parts (RFC 9111 section 3.3)', () => {
  it('are judged as the whole would be', () => {
    expect(partRefusal(candidate({ status: 206 }), SAFE)).toBeUndefined()
    expect(partRefusal(candidate({ status: 206, fields: { 'cache-control': 'private' } }), SAFE)).toBe('private')
  })
})
