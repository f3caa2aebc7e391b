import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMatch } from '../../../src/resp/embedded-glob.ts'
import { addLongDoubles } from '../../../src/resp/embedded-long-double.ts'
import { doubleOf, looseDoubleOf } from '../../../src/resp/embedded-numbers.ts'
import { formatDouble } from '../../../src/wire/resp-double.ts'

describe('numbers as Redis prints and reads them', () => {
  it('prints what it reads, digit for digit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        expect(Object.is(doubleOf(formatDouble(value)), value)).toBe(true)
      }),
    )
  })

  it.each([
    [0.1, '0.10000000000000001'],
    [3, '3'],
    [-0, '-0'],
    [1e17, '1e+17'],
    [2 ** 56, '72057594037927936'],
    [1_000_000_000_000_000.25, '1000000000000000.2'],
    [5e-324, '4.9406564584124654e-324'],
    [Number.POSITIVE_INFINITY, 'inf'],
  ])('prints %d as %%.17g does', (value, text) => {
    expect(formatDouble(value)).toBe(text)
  })

  it('takes and refuses what strtod does, by where it is used', () => {
    expect(['1', '+1', '.5', '5.', '1e3', '0x10', 'inf', '-Infinity'].map(doubleOf)).toEqual([
      1,
      1,
      0.5,
      5,
      1000,
      16,
      Infinity,
      -Infinity,
    ])
    expect(['', ' 1', '1 ', 'x', '1e', 'nan', '1e400', '1e-400', '.'].map(doubleOf)).toEqual(
      Array.from({ length: 9 }, () => undefined),
    )
    expect(['', ' 1', '1e400'].map((text) => looseDoubleOf(text))).toEqual([0, 1, Infinity])
  })
})

describe('sums of 80-bit numbers', () => {
  it.each([
    ['10.5', '0.1', '10.6'],
    ['5.0e3', '2.0e2', '5200'],
    ['0', '0.1', '0.1'],
    ['3', '-1.5', '1.5'],
    ['-0.1', '0.1', '0'],
    ['1e100', '1', '9999999999999999999669353532207342619498699019828496079271391541752018669482644324418977840117055488'],
    ['0.00000000000000001', '0', '0.00000000000000001'],
    ['123456789012345678', '0.5', '123456789012345678.5'],
  ])('%s + %s = %s', (a, b, sum) => {
    expect(addLongDoubles(a, b)).toBe(sum)
  })

  it('agrees with whole numbers, whatever their size', () => {
    const whole = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        expect(addLongDoubles(String(a), String(b))).toBe(String(a + b))
      }),
    )
  })
})

describe('patterns as Redis matches them', () => {
  it.each([
    ['*', 'anything', true],
    ['*', '', false],
    ['', '', true],
    ['h?llo', 'hello', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hallo', true],
    ['h[a-b]llo', 'hbllo', true],
    ['[z-a]', 'm', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'aXcYb', false],
    ['[', 'x', false],
    ['[a', 'a', true],
    ['**a', 'bba', true],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(isMatch(pattern, text)).toBe(expected)
  })

  it('ends soon though stars are many', () => {
    expect(isMatch(`${'a*'.repeat(30)}b`, 'a'.repeat(200))).toBe(false)
  })
})
