import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { formatHttpDate } from '../../../src/rules/dates.ts'
import { type FreshnessLatitude, lifetimeOf, staleWindowsOf } from '../../../src/rules/freshness.ts'
import { governingControl } from '../../../src/rules/targeted.ts'

const NOW = Date.UTC(2026, 10, 21, 12)
const STRICT: FreshnessLatitude = { heuristics: false, heuristicErrors: false, disconnectedMs: 0, staleWithSMaxage: false }
const GUESSING: FreshnessLatitude = { ...STRICT, heuristics: true, heuristicErrors: true }
const at = (seconds: number): string => formatHttpDate(NOW + seconds * 1000)

function lifetime(record: Record<string, string | string[]>, latitude = STRICT, status = 200): { ms: number; explicit: boolean } {
  const fields = Fields.from(record)
  return lifetimeOf({ status, fields }, governingControl(fields), { receivedWallMs: NOW, latitude })
}

function windows(value: string, latitude = STRICT): ReturnType<typeof staleWindowsOf> {
  return staleWindowsOf(governingControl(Fields.from({ 'cache-control': value })), latitude)
}

describe('freshness lifetime (RFC 9111 section 4.2.1)', () => {
  it.each<[Record<string, string | string[]>, number]>([
    [{ 'cache-control': 'max-age=60' }, 60_000],
    [{ 'cache-control': 'max-age=60, s-maxage=5' }, 5000],
    [{ 'cache-control': 'max-age=1, s-maxage=60', expires: '0' }, 60_000],
    [{ 'cache-control': 'max-age=60', expires: at(-10) }, 60_000],
    [{ expires: at(30), date: at(0) }, 30_000],
    [{ expires: at(300), date: at(400) }, 0],
    [{ expires: at(30), date: 'foo' }, 30_000],
    [{ expires: '0', date: at(0) }, 0],
    [{ expires: [at(30), at(31)], date: at(0) }, 0],
    [{ 'cache-control': 'max-age=60, x="' }, 0],
    [{ 'cache-control': 'max-age=5', 'cdn-cache-control': 'max-age=9' }, 9000],
    [{ expires: at(30), date: at(0), 'cdn-cache-control': 'foo' }, 0],
  ])('of %j is %d ms', (record, ms) => {
    expect(lifetime(record).ms).toBe(ms)
  })

  it('tells what the origin said, even invalidly, from what it did not', () => {
    expect(lifetime({ expires: '0' }).explicit).toBe(true)
    expect(lifetime({}).explicit).toBe(false)
  })
})

describe('heuristic freshness (RFC 9111 section 4.2.2)', () => {
  it('is not used where nothing may be guessed', () => {
    expect(lifetime({ 'last-modified': at(-1000), date: at(0) }).ms).toBe(0)
  })

  it('is a tenth of the time since Last-Modified, at most a day', () => {
    expect(lifetime({ 'last-modified': at(-1000), date: at(0) }, GUESSING).ms).toBe(100_000)
    expect(lifetime({ 'last-modified': at(-100 * 86_400), date: at(0) }, GUESSING).ms).toBe(86_400_000)
    expect(lifetime({ 'last-modified': at(10), date: at(0) }, GUESSING).ms).toBe(0)
  })

  it('is for the statuses of RFC 9110 section 15.1, and for others where public says so', () => {
    const record = { 'last-modified': at(-1000), date: at(0) }
    expect(
      [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].every((status) => lifetime(record, GUESSING, status).ms > 0),
    ).toBe(true)
    expect([201, 202, 302, 403, 500, 502, 503, 504, 599].some((status) => lifetime(record, GUESSING, status).ms > 0)).toBe(false)
    expect(lifetime({ ...record, 'cache-control': 'public' }, GUESSING, 599).ms).toBe(100_000)
  })

  it('leaves errors and Pragma: no-cache alone', () => {
    const record = { 'last-modified': at(-1000), date: at(0) }
    expect(lifetime(record, { ...GUESSING, heuristicErrors: false }, 404).ms).toBe(0)
    expect(lifetime({ ...record, pragma: 'no-cache' }, GUESSING).ms).toBe(0)
  })
})

describe('stale windows (RFC 5861, RFC 9111 section 4.2.4)', () => {
  it('are what the origin grants', () => {
    expect(windows('max-age=1, stale-while-revalidate=5, stale-if-error=7')).toEqual({
      whileMs: 5000,
      ifErrorMs: 7000,
      disconnectedMs: 0,
      onRequest: true,
    })
    expect(windows('max-age=1')).toMatchObject({ whileMs: 0, ifErrorMs: 0 })
  })

  it.each(['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage=1', 'x="'])('are closed by %s', (directive) => {
    const closed = windows(`stale-while-revalidate=5, stale-if-error=7, ${directive}`, { ...STRICT, disconnectedMs: 9 })
    expect(closed).toEqual({ whileMs: 0, ifErrorMs: 0, disconnectedMs: 0, onRequest: false })
  })

  it('stand beside s-maxage where that was asked for', () => {
    expect(windows('s-maxage=1, stale-while-revalidate=5', { ...STRICT, staleWithSMaxage: true }).whileMs).toBe(5000)
  })
})
