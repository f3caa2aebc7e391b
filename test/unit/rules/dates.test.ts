import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatHttpDate, parseHttpDate, singleDate } from '../../../src/rules/dates.ts'

const NOW = Date.UTC(2026, 10, 21)
const EXPECTED = Date.UTC(2050, 7, 18, 2, 1, 18)

describe('HTTP-date (RFC 9110 section 5.6.7)', () => {
  it.each([
    'Thu, 18 Aug 2050 02:01:18 GMT',
    'THU, 18 aug 2050 02:01:18 gMT',
    'Thursday, 18-Aug-50 02:01:18 GMT',
    'Thu Aug 18 02:01:18 2050',
  ])('reads %s', (text) => {
    expect(parseHttpDate(text, NOW)).toBe(EXPECTED)
  })

  it('reads a blank-padded day of asctime', () => {
    expect(parseHttpDate('Thu Aug  8 02:01:18 2050', NOW)).toBe(Date.UTC(2050, 7, 8, 2, 1, 18))
  })

  it.each([
    '0',
    '-1',
    '',
    'Thu, 18 Aug 2050 02:01:18 UTC',
    'Thu, 18 Aug 2050 02:01:18 AEST',
    'Thu, 18 Aug 50 02:01:18 GMT',
    'Thu 18 Aug 2050 02:01:18 GMT',
    'Thu, 18  Aug  2050 02:01:18 GMT',
    'Thu, 18-Aug-2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02.01.18 GMT',
    'Thu, 18 Aug 2050 2:01:18 GMT',
    'Thu, 31 Feb 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 24:00:00 GMT',
    'Thu, 18 Aug 2050 02:60:00 GMT',
    ' Thu, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02:01:18 GMT ',
    '2050-08-18T02:01:18Z',
    'Thursday, 18 Aug 2050 02:01:18 GMT',
  ])('refuses %j', (text) => {
    expect(parseHttpDate(text, NOW)).toBeUndefined()
  })

  it('puts a two-digit year that seems more than 50 years ahead into the past', () => {
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37))
    expect(parseHttpDate('Sunday, 06-Nov-76 08:49:37 GMT', NOW)).toBe(Date.UTC(2076, 10, 6, 8, 49, 37))
    expect(parseHttpDate('Sunday, 06-Nov-77 08:49:37 GMT', NOW)).toBe(Date.UTC(1977, 10, 6, 8, 49, 37))
  })

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseHttpDate(formatHttpDate(seconds * 1000), NOW)).toBe(seconds * 1000)
      }),
    )
  })

  it('never throws and never gives anything but a whole second', () => {
    const pieces = fc.constantFrom('Thu', ', ', '18', ' ', 'Aug', '2050', '02:01:18', 'GMT', '-', '99', ':')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const ms = parseHttpDate(parts.join(''), NOW)
        expect(ms === undefined || Number.isInteger(ms / 1000)).toBe(true)
      }),
    )
  })

  it('takes a field given twice only when both lines say the same', () => {
    const line = formatHttpDate(EXPECTED)
    expect(singleDate([line, line], NOW)).toBe(EXPECTED)
    expect(singleDate([line, formatHttpDate(EXPECTED + 1000)], NOW)).toBeUndefined()
    expect(singleDate([], NOW)).toBeUndefined()
  })
})
