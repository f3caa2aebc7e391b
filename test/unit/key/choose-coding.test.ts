import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseCoding } from '../../../src/key/encoding.ts'

const ALL = ['br', 'zstd', 'gzip', 'identity']

describe('choosing among codings that stand ready (RFC 9110 section 12.5.3)', () => {
  it.each<[string | undefined, string | undefined]>([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['gzip, br', 'br'],
    ['gzip, br;q=0.9', 'gzip'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['identity;q=0', undefined],
    ['identity;q=0, *;q=0.1', 'br'],
    ['br;q=0, *', 'zstd'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip', 'gzip'],
    ['gzip;q=0.5, *;q=0.8', 'br'],
    ['deflate, compress', 'identity'],
    ['gzip;q=2', 'identity'],
    ['gzip;level=9', 'identity'],
    [', ,gzip,,', 'gzip'],
  ])('takes for %j: %s', (accept, coding) => {
    expect(chooseCoding(accept, ALL)).toBe(coding)
  })

  it('never takes what is refused, never less than the best weight, the first among equals, whatever is sent', () => {
    const weight = fc.integer({ min: 0, max: 1000 })
    const member = fc.tuple(fc.constantFrom(...ALL, '*', 'deflate', 'x-new'), weight)
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: ([name]) => name, maxLength: 7 }), fc.subarray(ALL), (given, available) => {
        const accept = given.map(([name, q]) => `${name};q=${(q / 1000).toFixed(3)}`).join(', ')
        const weights = new Map(given)
        const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? (name === 'identity' ? 0.5 : 0)

        const chosen = chooseCoding(accept, available)

        const best = Math.max(0, ...available.map(weightOf))
        expect(chosen).toBe(best === 0 ? undefined : available.find((name) => weightOf(name) === best))
      }),
    )
  })

  it('never throws, and gives only what is there', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z*;=q0-9., ]*$/)), (accept) => {
        const chosen = chooseCoding(accept, ALL)
        expect(chosen === undefined || ALL.includes(chosen)).toBe(true)
      }),
    )
  })
})
