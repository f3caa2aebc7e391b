import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseNoVarySearch, relaxedQuery, spellNoVarySearch } from '../../../src/key/no-vary-search.ts'

const relaxed = (header: string, query: string): string => {
  const rules = parseNoVarySearch(header)
  if (rules === undefined) throw new Error(`expected rules: ${header}`)
  return relaxedQuery(query, rules)
}

describe('No-Vary-Search: the header', () => {
  it('says nothing when absent, malformed, contradictory or default', () => {
    const idle = [
      undefined,
      '',
      'params=?0',
      'params=()',
      'params="a"',
      'params=(a)',
      'params=(1)',
      'key-order=1',
      'except=("a")',
      'params=("a"), except=("b")',
      'params, except',
      'key-order=?0',
      '"',
      'params=("a"',
    ]
    expect(idle.filter((value) => parseNoVarySearch(value) !== undefined)).toEqual([])
  })

  it('reads order, ignored names and exceptions, and skips what it does not know', () => {
    expect(parseNoVarySearch('key-order, params, except=("b" "a"), future=1')).toEqual({
      anyOrder: true,
      ignored: 'all',
      except: ['a', 'b'],
    })
    expect(parseNoVarySearch('params=("x" "%C3%A9")')).toEqual({ anyOrder: false, ignored: ['x', 'é'], except: [] })
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (value) => {
        parseNoVarySearch(value)
      }),
    )
  })
})

describe('No-Vary-Search: equal queries', () => {
  it('leaves out ignored names in any spelling', () => {
    expect(relaxed('params=("a b")', 'a+b=1&a%20b=2&c=3')).toBe('c=3')
    expect(relaxed('params, except=("id")', 'id=1&x=2&y')).toBe('id=1')
  })

  it('keeps order unless key-order allows any, and then keeps that of repeated names', () => {
    expect(relaxed('params=("z")', 'b=1&a=2')).not.toBe(relaxed('params=("z")', 'a=2&b=1'))
    expect(relaxed('key-order', 'b=1&a=2&b=0')).toBe(relaxed('key-order', 'a=2&b=1&b=0'))
    expect(relaxed('key-order', 'b=1&b=0')).not.toBe(relaxed('key-order', 'b=0&b=1'))
  })

  it('compares as form parsing does', () => {
    expect(relaxed('key-order', 'a=1+2')).toBe(relaxed('key-order', 'a=1%202'))
    expect(relaxed('key-order', 'a')).toBe(relaxed('key-order', 'a='))
    expect(relaxed('key-order', 'a=%FF')).not.toBe(relaxed('key-order', 'a=%FE'))
    expect(relaxed('key-order', 'a=%26b%3D1')).not.toBe(relaxed('key-order', 'a=&b=1'))
  })

  it('calls equal exactly those queries that URLSearchParams reads alike', () => {
    const query = fc
      .array(fc.constantFrom('a=1', 'b=+', 'b=%20', 'a', 'a=', 'c=%26', '%61=1', 'é=1', '%C3%A9=1', ''), { maxLength: 5 })
      .map((parts) => parts.join('&'))
    const rules = parseNoVarySearch('params=("zz")')
    if (rules === undefined) throw new Error('expected rules')
    fc.assert(
      fc.property(query, query, (one, other) => {
        const same = JSON.stringify([...new URLSearchParams(one)]) === JSON.stringify([...new URLSearchParams(other)])
        expect(relaxedQuery(one, rules) === relaxedQuery(other, rules)).toBe(same)
      }),
      { numRuns: 1000 },
    )
  })

  it('spells different rules differently, without blanks', () => {
    const texts = [
      'key-order',
      'params',
      'key-order, params',
      'params=("a")',
      'params=("a" "b")',
      'params=("a,b")',
      'params=("*")',
      'params, except=("a")',
      'params=("a b")',
    ].map((header) => spellNoVarySearch(parseNoVarySearch(header) as never))
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts.join('')).not.toMatch(/\s/)
  })
})
