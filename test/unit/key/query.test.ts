import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseKeyPolicy, type KeyPolicyInput } from '../../../src/key/policy.ts'
import { canonicalQuery, countedQuery } from '../../../src/key/query.ts'

const rules = (query: KeyPolicyInput['query'] = {}) => parseKeyPolicy({ query }).query
const canonical = (raw: string, query?: KeyPolicyInput['query']): string => canonicalQuery(rules(query), raw)

describe('query: what the origin is asked', () => {
  const counted = (raw: string, query?: KeyPolicyInput['query']): string => countedQuery(rules(query), raw)

  it('leaves out what does not count, and nothing else', () => {
    expect(counted('utm_source=x&b=2&a=1')).toBe('b=2&a=1')
    expect(counted('b=2&a=1&a=0', { keep: ['a'] })).toBe('a=1&a=0')
    expect(counted('utm_source=x')).toBe('')
    expect(counted('b=%41&&a=1')).toBe('b=%41&&a=1')
    expect(counted('utm_source=x&b;a=1', { keep: ['a'] })).toBe('utm_source=x&b;a=1')
  })

  it('holds nothing that the key leaves out, whatever the query', () => {
    const part = fc.stringMatching(/^[a-c.[\]%;&=+_0-9]{0,8}$/)
    const query = fc
      .array(fc.oneof(part, fc.constant('utm_x=1'), fc.constant('a=1'), fc.constant('b.c=1')), { maxLength: 6 })
      .map((all) => all.join('&'))
    fc.assert(
      fc.property(query, (raw) => {
        const declared = { keep: ['a'], drop: ['b'] }
        const asked = counted(raw, declared)
        // Asking again loses nothing more, and names the same key.
        expect(counted(asked, declared)).toBe(asked)
        expect(canonical(asked, declared)).toBe(canonical(raw, declared))
      }),
    )
  })
})

describe('query: one canonical form', () => {
  it('sorts parameters by name and keeps the order of repeated ones', () => {
    expect(canonical('b=2&a=1')).toBe('a=1&b=2')
    expect(canonical('b=2&a=2&b=1&a=1')).toBe('a=2&a=1&b=2&b=1')
  })

  it('decodes unreserved escapes, upper-cases the others and never decodes reserved ones', () => {
    expect(canonical('a=%7e%41&b=%2f%3a')).toBe('a=~A&b=%2F%3A')
    expect(canonical('a=%26b=1')).not.toBe(canonical('a=&b=1'))
  })

  it('keeps apart what origins may tell apart', () => {
    const pairs = [
      ['a', 'a='],
      ['a=1+2', 'a=1%202'],
      ['a=1%2B2', 'a=1+2'],
      ['A=1', 'a=1'],
      ['a[]=1', 'a%5B%5D=1'],
    ] as const
    expect(pairs.filter(([one, other]) => canonical(one) === canonical(other))).toEqual([])
  })

  it('brings them together where that is declared', () => {
    expect(canonical('a', { bareIsEmpty: true })).toBe(canonical('a=', { bareIsEmpty: true }))
    expect(canonical('a=1+2', { plusIsSpace: true })).toBe(canonical('a=1%202', { plusIsSpace: true }))
    expect(canonical('c=EUR&d=X', { ignoreCase: ['c'] })).toBe('c=eur&d=X')
  })

  it('keeps the order of parameters that an origin may take for one', () => {
    expect(canonical('a[]=1&a%5B%5D=2')).not.toBe(canonical('a%5B%5D=2&a[]=1'))
    expect(canonical('a=1&a[x]=2')).not.toBe(canonical('a[x]=2&a=1'))
    expect(canonical('Page=1&page=2')).not.toBe(canonical('page=2&Page=1'))
    expect(canonical('sort[price]=asc&sort[name]=asc')).not.toBe(canonical('sort[name]=asc&sort[price]=asc'))
  })

  it('leaves out declared defaults, but not where the parameter is repeated', () => {
    const query = { defaults: { currency: 'USD', page: 1 } }
    expect(canonical('currency=USD&page=1&q=x', query)).toBe('q=x')
    expect(canonical('currency=usd', query)).toBe('currency=usd')
    expect(canonical('currency=USD&currency=EUR', query)).toBe('currency=USD&currency=EUR')
    expect(canonical('currency=USD&Currency=EUR', query)).toBe('currency=USD&Currency=EUR')
    expect(canonical('currency=', query)).toBe('currency=')
  })

  it("strips tracking parameters by default, by a list of one's own, or not at all", () => {
    expect(canonical('utm_source=a&q=1&fbclid=2&gclid=3&utm%5Fmedium=4')).toBe('q=1')
    expect(canonical('utm_source=a&ref=b&q=1', { tracking: ['ref'] })).toBe('q=1&utm_source=a')
    expect(canonical('utm_source=a', { tracking: false })).toBe('utm_source=a')
  })

  it('counts only what keep names, and everything an origin may take for it', () => {
    expect(canonical('q=1&x=2', { keep: ['q'] })).toBe('q=1')
    expect(canonical('q[]=1&Q=3&x=2', { keep: ['q'] })).toBe('q[]=1&Q=3')
    expect(canonical('x=1', { keep: [] })).toBe('')
    expect(canonical('session_id=1&x=2', { drop: ['session_*'] })).toBe('x=2')
  })

  it('leaves a query with semicolons as it is: some origins split there', () => {
    expect(canonical('utm_source=x;q=1&a=2')).toBe('utm_source=x;q=1&a=2')
  })

  it('neither sorts nor reduces where some origins rename parameters', () => {
    expect(canonical('b.c=1&a=2', { keep: ['a'] })).toBe('b.c=1&a=2')
    expect(canonical('b%20c=1&a=2', { keep: ['a'] })).toBe('b%20c=1&a=2')
    expect(canonical('b%ff=1&a=2')).toBe('b%FF=1&a=2')
  })

  it('takes repeated values as a set where that is declared', () => {
    expect(canonical('tag=b&tag=a', { unordered: ['tag'] })).toBe('tag=a&tag=b')
    expect(canonical('tag=b&tag[]=a', { unordered: ['tag'] })).toBe('tag=b&tag[]=a')
  })

  it('does not take apart what is larger than any honest query', () => {
    const many = Array.from({ length: 300 }, (_, i) => `p${300 - i}=1`).join('&')
    expect(canonical(many)).toBe(many)
  })

  it('gives one form to every order of distinct parameters', () => {
    const pairs = fc.uniqueArray(
      fc.tuple(
        fc.stringMatching(/^[a-z]{1,5}$/),
        fc.webQueryParameters().map((q) => q.replace(/[&;]/g, '')),
      ),
      {
        selector: ([name]) => name,
        minLength: 1,
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(pairs, fc.infiniteStream(fc.nat()), (given, order) => {
        const shuffled = given
          .map((pair) => [order.next().value, pair] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, pair]) => pair)
        const spell = (list: readonly (readonly [string, string])[]): string =>
          list.map(([name, value]) => `${name}=${value}`).join('&')
        expect(canonical(spell(shuffled), { tracking: false })).toBe(canonical(spell(given), { tracking: false }))
      }),
    )
  })

  it('never shares between queries that URLSearchParams groups differently', () => {
    const query = fc.array(
      fc.constantFrom('a=1', 'a=2', 'b=1', 'a', 'a=', 'b=%26', 'a%3D=1', 'A=1', 'a[]=1', '%61=1', '', 'b=%7e'),
      { maxLength: 5 },
    )
    const meaning = (raw: string): string => {
      const groups = new Map<string, string[]>()
      for (const [name, value] of new URLSearchParams(raw)) groups.set(name, [...(groups.get(name) ?? []), value])
      return JSON.stringify([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    fc.assert(
      fc.property(query, query, (one, other) => {
        const [left, right] = [one.join('&'), other.join('&')]
        if (canonical(left) === canonical(right)) expect(meaning(left)).toBe(meaning(right))
      }),
      { numRuns: 2000 },
    )
  })

  it('survives any text and comes to rest after one pass', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (raw) => {
        const once = canonical(raw, { ignoreCase: ['a'], defaults: { b: '1' } })
        expect(canonical(once, { ignoreCase: ['a'], defaults: { b: '1' } })).toBe(once)
      }),
      { numRuns: 1000 },
    )
  })
})
