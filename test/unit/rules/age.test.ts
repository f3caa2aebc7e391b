import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { ageOffsetMs, ageSeconds, parseAge } from '../../../src/rules/age.ts'
import { formatHttpDate } from '../../../src/rules/dates.ts'

const NOW = Date.UTC(2026, 10, 21, 12)

describe('Age (RFC 9111 sections 4.2.3 and 5.1)', () => {
  it.each<[string | string[], number]>([
    ['30', 30],
    ['abc', 0],
    ['-7200', 0],
    ['7200.0', 0],
    ['7200, 0', 7200],
    ['0, 7200', 0],
    [['7200', '0'], 7200],
    ['7200;foo=1', 0],
    ['2147483649', 2 ** 31],
    ['', 0],
  ])('reads %j as %d seconds', (value, seconds) => {
    expect(parseAge(Fields.from({ age: value }))).toBe(seconds)
  })

  it('is the larger of the Age received and what Date says', () => {
    const fields = Fields.from({ date: formatHttpDate(NOW - 20_000), age: 5 })
    expect(ageOffsetMs(fields, { receivedWallMs: NOW, delayMs: 0 })).toBe(20_000)
    expect(ageOffsetMs(fields.set('age', '25'), { receivedWallMs: NOW, delayMs: 0 })).toBe(25_000)
  })

  it('does not count the delay twice: it lies behind the moment of sending already', () => {
    const fields = Fields.from({ date: formatHttpDate(NOW - 20_000) })
    expect(ageOffsetMs(fields, { receivedWallMs: NOW, delayMs: 3000 })).toBe(17_000)
  })

  it('makes no response older for having been sent late within a second', () => {
    const fields = Fields.from({ date: formatHttpDate(NOW) })
    expect(ageOffsetMs(fields, { receivedWallMs: NOW + 999, delayMs: 0 })).toBe(0)
  })

  it('is never negative, whatever a fast or broken clock says', () => {
    expect(ageOffsetMs(Fields.from({ date: formatHttpDate(NOW + 60_000) }), { receivedWallMs: NOW, delayMs: 0 })).toBe(0)
    expect(ageOffsetMs(Fields.from({ date: 'foo' }), { receivedWallMs: NOW, delayMs: 0 })).toBe(0)
  })

  it('is written in whole seconds, rounded down', () => {
    expect([ageSeconds(0), ageSeconds(1999), ageSeconds(2000)]).toEqual(['0', '1', '2'])
  })

  it('never throws on any value', () => {
    fc.assert(fc.property(fc.string(), (value) => void expect(parseAge(Fields.from({ age: value }))).toBeGreaterThanOrEqual(0)))
  })
})
