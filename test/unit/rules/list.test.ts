import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isToken, parseDeltaSeconds, parseFieldNames, splitList, trimOws, unquote } from '../../../src/rules/list.ts'

describe('lists, tokens and quotations (RFC 9110 section 5.6)', () => {
  it('splits at commas outside quotations and drops empty members', () => {
    expect(splitList(' a , "b, \\" c" ,, d')).toEqual({ members: ['a', '"b, \\" c"', 'd'], broken: false })
    expect(splitList('a, "b')).toEqual({ members: ['a', '"b'], broken: true })
  })

  it('unquotes what is exactly one quotation', () => {
    expect([unquote('"a\\"b"'), unquote('""'), unquote('a'), unquote('"a'), unquote('"a"b"'), unquote('"a\\"')]).toEqual([
      'a"b',
      '',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('reads seconds from digits alone', () => {
    expect([
      parseDeltaSeconds('0'),
      parseDeltaSeconds('1.0'),
      parseDeltaSeconds('-1'),
      parseDeltaSeconds(''),
      parseDeltaSeconds('9'.repeat(30)),
    ]).toEqual([0, undefined, undefined, undefined, 2 ** 31])
  })

  it('reads field names or nothing', () => {
    expect(parseFieldNames('A, b,,a')).toEqual(['a', 'b'])
    expect(parseFieldNames('a b')).toBeUndefined()
    expect([isToken('a-b'), isToken(''), isToken('a b'), isToken('ü')]).toEqual([true, false, false, false])
  })

  it('trims blanks and tabs, no other white space', () => {
    expect(trimOws(' \ta\u00a0 ')).toBe('a\u00a0')
  })

  it('loses no character of any member', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '"', '\\', ' ') })), (parts) => {
        const value = parts.join(',')
        const { members, broken } = splitList(value)
        if (!broken) expect(members.join('').replaceAll(/[ ,]/g, '')).toBe(value.replaceAll(/[ ,]/g, ''))
      }),
    )
  })
})
