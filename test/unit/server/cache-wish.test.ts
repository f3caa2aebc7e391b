/** What a writer says of a value: query, fields, Cache-Control; nothing is guessed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ForecacheError } from '../../../src/model/errors.ts'
import { Fields } from '../../../src/model/fields.ts'
import { readNamespace, readQuery, readWish, type Wish, WRITE_NAMES } from '../../../src/server/cache-wish.ts'

const SETTINGS = { ttl: 60_000, maxTtl: 3_600_000 }

function wish(query: string, fields: Record<string, string> = {}): Wish {
  return readWish(readQuery(new URLSearchParams(query), WRITE_NAMES), Fields.from(fields), SETTINGS)
}

const budget = (freshMs: number, staleMs = freshMs, onErrorMs = staleMs) => ({ freshMs, staleMs, onErrorMs })

describe('cache wish: windows', () => {
  it.each([
    ['', {}, budget(60_000)],
    ['ttl=30s', {}, budget(30_000)],
    ['ttl=30s&stale=2m&onError=1h', {}, budget(30_000, 120_000, 3_600_000)],
    ['ttl=1.5s', {}, budget(1500)],
    ['stale=2m', {}, budget(60_000, 120_000)],
    ['', { 'forecache-ttl': '5s', 'forecache-stale': '6s', 'forecache-on-error': '7s' }, budget(5000, 6000, 7000)],
    ['ttl=1s', { 'forecache-ttl': '5s', 'forecache-stale': '6s' }, budget(1000, 6000)],
    ['', { 'cache-control': 'max-age=10' }, budget(10_000)],
    ['', { 'cache-control': 'max-age=10, s-maxage=20' }, budget(20_000)],
    ['', { 'cache-control': 'max-age=10, stale-while-revalidate=5, stale-if-error=60' }, budget(10_000, 15_000, 70_000)],
    ['', { 'cache-control': 'max-age=10, stale-while-revalidate=50, stale-if-error=6' }, budget(10_000, 60_000, 60_000)],
    ['ttl=1s', { 'cache-control': 'max-age=10' }, budget(1000)],
    ['', { 'cache-control': 'no-cache' }, budget(60_000)],
  ])('reads "%s" %j', (query, fields, expected) => {
    expect(wish(query, fields as Record<string, string>).budget).toEqual(expected)
  })

  it.each([
    ['ttl=30', {}, 'FC_API_QUERY', /unit/],
    ['ttl=0s', {}, 'FC_API_QUERY', /above 0/],
    ['ttl=-1s', {}, 'FC_API_QUERY', /unit/],
    ['ttl=', {}, 'FC_API_QUERY', /unit/],
    ['ttl=1e3s', {}, 'FC_API_QUERY', /unit/],
    ['ttl=2h', {}, 'FC_API_QUERY', /maxTtl/],
    ['ttl=1s&onError=2h', {}, 'FC_API_QUERY', /maxTtl/],
    ['stale=10s', {}, 'FC_API_QUERY', /must nest/],
    ['ttl=10s&onError=5s', {}, 'FC_API_QUERY', /must nest/],
    ['ttl=1s&ttl=2s', {}, 'FC_API_QUERY', /more than once/],
    ['tll=1s', {}, 'FC_API_QUERY', /known: ttl, stale/],
    ['', { 'forecache-ttl': '30' }, 'FC_API_FIELD', /forecache-ttl/],
    ['', { 'forecache-on-error': '1s' }, 'FC_API_FIELD', /forecache-on-error/],
    ['', { 'cache-control': 'max-age=0' }, 'FC_API_FIELD', /above 0/],
    ['', { 'cache-control': 'max-age=4000' }, 'FC_API_FIELD', /maxTtl/],
    ['', { 'cache-control': 'no-store' }, 'FC_API_FIELD', /no-store/],
    ['ttl=1s', { 'cache-control': 'no-store' }, 'FC_API_FIELD', /no-store/],
    ['', { 'cache-control': 'max-age="1' }, 'FC_API_FIELD', /quotation/],
  ])('refuses "%s" %j with %s', (query, fields, code, text) => {
    const refused = (): Wish => wish(query, fields as Record<string, string>)

    expect(refused).toThrow(expect.objectContaining({ code, status: 400 }))
    expect(refused).toThrow(text)
  })

  it('reads any nesting windows as they are, and no others', () => {
    const window = fc.integer({ min: 1, max: 3_600_000 })
    fc.assert(
      fc.property(window, window, window, (fresh, stale, onError) => {
        const query = `ttl=${fresh}ms&stale=${stale}ms&onError=${onError}ms`
        if (fresh <= stale && stale <= onError) expect(wish(query).budget).toEqual(budget(fresh, stale, onError))
        else expect(() => wish(query)).toThrow(/must nest/)
      }),
    )
  })
})

describe('cache wish: tags and namespaces', () => {
  it('splits tags at commas, once each', () => {
    expect(wish('tags=a,b, c,,a').tags).toEqual(['a', 'b', 'c'])
    expect(wish('', { 'forecache-tags': 'x, y' }).tags).toEqual(['x', 'y'])
    expect(wish('tags=').tags).toEqual([])
  })

  it.each([['a%20b'], ['x'.repeat(1025)], [Array.from({ length: 513 }, (_, i) => `t${i}`).join(',')]])(
    'refuses tags that are none, or too many',
    (tags) => {
      expect(() => wish(`tags=${tags}`)).toThrow(expect.objectContaining({ code: 'FC_API_QUERY' }))
    },
  )

  it('reads a namespace from the query, else from its field', () => {
    const fields = Fields.from({ 'forecache-namespace': 'shop' })

    expect(readNamespace(new Map(), Fields.from())).toBe('')
    expect(readNamespace(new Map(), fields)).toBe('shop')
    expect(readNamespace(new Map([['namespace', 'other']]), fields)).toBe('other')
    expect(() => readNamespace(new Map([['namespace', 'a b']]), fields)).toThrow(
      expect.objectContaining({ code: 'FC_API_QUERY' }),
    )
    expect(() => readNamespace(new Map(), Fields.from({ 'forecache-namespace': '' }))).toThrow(/FC_API_FIELD/)
  })
})

describe('cache wish: anything', () => {
  const name = fc.oneof(fc.constantFrom(...WRITE_NAMES, 'namespace'), fc.string({ maxLength: 8 }))
  const value = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('30s', '1h', '0s', 'a,b', '9'.repeat(400) + 's'))

  it('is read into a nested budget inside the limits, or refused with 400', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), fc.option(value, { nil: undefined }), (pairs, control) => {
        try {
          const read = wish(new URLSearchParams(pairs).toString(), control === undefined ? {} : { 'cache-control': control })
          const { freshMs, staleMs, onErrorMs } = read.budget
          expect(0 < freshMs && freshMs <= staleMs && staleMs <= onErrorMs && onErrorMs <= SETTINGS.maxTtl).toBe(true)
        } catch (error) {
          if (!(error instanceof ForecacheError)) throw error
          expect(error.status).toBe(400)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
