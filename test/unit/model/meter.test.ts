import { describe, expect, it } from 'vitest'
import { createMeter, DEFAULT_ROUTE, seriesOf } from '../../../src/model/meter.ts'
import { COUNTER, COUNTER_ROWS, GAUGE_ROWS, HISTOGRAM, HISTOGRAM_ROWS } from '../../../src/model/metric.ts'

describe('meter: counters and histograms by small integers', () => {
  it('counts per route and sums over routes', () => {
    const meter = createMeter()
    const catalog = meter.route('catalog')

    meter.count(COUNTER.hits, catalog)
    meter.count(COUNTER.hits)
    meter.add(COUNTER.invalidatedKeys, DEFAULT_ROUTE, 3)

    expect(meter.read('hits', catalog)).toBe(1)
    expect(meter.read('hits')).toBe(2)
    expect(meter.totals()).toMatchObject({ hits: 2, misses: 0, invalidatedKeys: 3 })
  })

  it('gives a route the same number each time it is asked', () => {
    const meter = createMeter()

    expect(meter.route('default')).toBe(DEFAULT_ROUTE)
    expect(meter.route('a')).toBe(meter.route('a'))
    expect(meter.routes).toEqual(['default', 'a'])
  })

  it('counts routes above its bound under one name and keeps the sum', () => {
    const meter = createMeter(10)

    for (let i = 0; i < 1000; i += 1) meter.count(COUNTER.misses, meter.route(`r${i}`))

    expect(meter.routes).toHaveLength(10)
    expect(meter.routes).toContain('(other)')
    expect(meter.read('misses')).toBe(1000)
  })

  it('keeps what was counted while routes are added', () => {
    const meter = createMeter()

    for (let i = 0; i < 200; i += 1) meter.count(COUNTER.hits, meter.route(`r${i}`))

    expect(meter.read('hits', meter.route('r0'))).toBe(1)
    expect(meter.read('hits')).toBe(200)
  })

  it('counts stale and reserve answers into the effective hit rate and not into the hit rate', () => {
    const meter = createMeter()
    meter.add(COUNTER.hits, 0, 94)
    meter.add(COUNTER.staleServes, 0, 2)
    meter.add(COUNTER.reserveServes, 0, 1)
    meter.add(COUNTER.misses, 0, 3)
    meter.add(COUNTER.passes, 0, 100)
    meter.add(COUNTER.refreshes, 0, 1000)
    meter.count(COUNTER.refreshFailures)

    expect(meter.rates()).toEqual({ hit: 0.94, effectiveHit: 0.97, stale: 0.03, refreshFailure: 0.001, bypass: 0.5 })
  })

  it('adds what another part counts by itself to the default route', () => {
    const meter = createMeter()
    let peeked = 5
    meter.follow('hits', () => peeked)
    meter.count(COUNTER.hits, meter.route('catalog'))

    peeked += 1
    expect(meter.read('hits')).toBe(7)
    expect(meter.read('hits', DEFAULT_ROUTE)).toBe(6)
    expect(meter.read('hits', meter.route('catalog'))).toBe(1)
  })

  it('answers rates of 0 when nothing happened', () => {
    expect(createMeter().rates()).toEqual({ hit: 0, effectiveHit: 0, stale: 0, refreshFailure: 0, bypass: 0 })
  })

  it('keeps the labels of each histogram apart', () => {
    const meter = createMeter()
    const route = meter.route('quote')

    meter.observe(HISTOGRAM.request, 0.002, seriesOf(route, true, false))
    meter.observe(HISTOGRAM.request, 0.003, seriesOf(route, true, true))
    meter.observe(HISTOGRAM.hit, 0.4, seriesOf(DEFAULT_ROUTE, false, false))

    const seen = meter
      .histograms('request')
      .map(({ cached, stale, route: name, histogram }) => [cached, stale, name, histogram.sum])
    expect(seen).toEqual([
      [true, false, 'quote', 0.002],
      [true, true, 'quote', 0.003],
    ])
    expect(meter.histograms('hit')).toHaveLength(1)
    expect(meter.histograms('staleness')).toHaveLength(0)
  })

  it('has a help text for every row and one meaning for every name', () => {
    const rows = [...Object.values(COUNTER_ROWS), ...Object.values(HISTOGRAM_ROWS), ...Object.values(GAUGE_ROWS)]
    const helps = new Map<string, string>()
    for (const row of rows) {
      expect(row.help.length).toBeGreaterThan(10)
      expect(helps.get(row.name) ?? row.help).toBe(row.help)
      helps.set(row.name, row.help)
    }
  })
})
