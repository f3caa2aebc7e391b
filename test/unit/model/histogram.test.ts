import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BOUNDS_SECONDS, Histogram } from '../../../src/model/histogram.ts'

describe('histogram: seconds in log buckets', () => {
  it('counts exactly at every published bound, the bound itself included', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ min: 0, max: 200, noNaN: true }), fc.constantFrom(...BOUNDS_SECONDS))),
        (values) => {
          const histogram = new Histogram()
          for (const value of values) histogram.record(value)

          const expected = BOUNDS_SECONDS.map((bound) => values.filter((value) => value <= bound).length)
          expect(histogram.cumulative()).toEqual(expected)
          expect(histogram.count).toBe(values.length)
        },
      ),
    )
  })

  it('counts values just above a bound in the next bucket', () => {
    for (const [i, bound] of BOUNDS_SECONDS.entries()) {
      const histogram = new Histogram()
      histogram.record(bound * (1 + Number.EPSILON))
      expect(histogram.cumulative()[i]).toBe(0)
    }
  })

  it('answers quantiles within one bucket of the true one', () => {
    const seconds = fc.array(fc.double({ min: 1e-6, max: 100, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(seconds, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const histogram = new Histogram()
        for (const value of values) histogram.record(value)
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil(share * sorted.length) - 1] as number

        const given = histogram.quantile(share)
        expect(given).toBeGreaterThanOrEqual(exact / 1.1251)
        expect(given).toBeLessThanOrEqual(exact * 1.1251)
      }),
    )
  })

  it('counts negative values and NaN as no time and absurd ones as the longest', () => {
    const histogram = new Histogram()
    for (const odd of [-1, Number.NaN, -0, -Infinity]) histogram.record(odd)
    expect(histogram.cumulative()[0]).toBe(4)
    expect(histogram.sum).toBe(0)

    histogram.record(1e9)
    expect(histogram.cumulative().at(-1)).toBe(4)
    expect(histogram.count).toBe(5)
  })

  it('answers 0 for the quantile of nothing', () => {
    expect(new Histogram().quantile(0.99)).toBe(0)
  })

  it('merges to what one histogram of all values would be', () => {
    const [a, b, all] = [new Histogram(), new Histogram(), new Histogram()]
    for (const value of [0.001, 0.5]) a.record(value)
    for (const value of [0.02, 7]) b.record(value)
    for (const value of [0.001, 0.5, 0.02, 7]) all.record(value)

    a.merge(b)
    expect(a.cumulative()).toEqual(all.cumulative())
    expect(a.sum).toBeCloseTo(all.sum)
    expect(a.count).toBe(4)
  })
})
