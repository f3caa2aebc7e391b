import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import { COUNTER, HISTOGRAM } from '../../../src/model/metric.ts'
import { seriesOf } from '../../../src/model/meter.ts'
import { countsOf } from '../../../src/ops/fleet.ts'
import { FleetTotals } from '../../../src/ops/fleet-totals.ts'

/** A worker that has counted something on a route of its own number. */
function worker(hits: number, route: string): ReturnType<typeof createCache> {
  const cache = createCache({ memory: { maxBytes: 1_000_000 } })
  const { meter } = cache.engine
  meter.route(`before-${hits}`)
  const id = meter.route(route)
  meter.add(COUNTER.hits, id, hits)
  for (let i = 0; i < hits; i += 1) meter.observe(HISTOGRAM.request, 0.01, seriesOf(id, true, false))
  return cache
}

describe('fleet totals: several processes as one', () => {
  it('sums counters and histograms by the name of their route, and gauges', () => {
    const [own, a, b] = [worker(1, 'shop'), worker(2, 'shop'), worker(3, 'shop')]
    const totals = new FleetTotals(own.engine)
    totals.note('1', countsOf(a.engine))
    totals.note('2', countsOf(b.engine))

    const { meter, memory } = totals.sum()
    const [series] = meter.histograms('request')

    expect(meter.read('hits', meter.routes.indexOf('shop'))).toBe(6)
    expect(meter.read('hits')).toBe(6)
    expect([series?.route, series?.cached, series?.histogram.count]).toEqual(['shop', true, 6])
    expect(series?.histogram.sum).toBeCloseTo(0.06)
    expect(series?.histogram.quantile(0.5)).toBeCloseTo(0.01, 2)
    expect(memory.maxBytes).toBe(3_000_000)
  })

  it('keeps what a worker has counted that has ended, and takes nothing more from it', () => {
    const [own, a] = [worker(0, 'shop'), worker(2, 'shop')]
    const totals = new FleetTotals(own.engine)
    totals.note('1', countsOf(a.engine))

    totals.end('1')
    totals.note('1', countsOf(a.engine))

    expect(totals.sum().meter.read('hits')).toBe(2)
    expect(totals.sum().memory.maxBytes).toBe(1_000_000)
    expect(totals.usage()).toEqual([])
  })

  it('shows the newest of what a worker told', () => {
    const [own, a] = [worker(0, 'shop'), worker(2, 'shop')]
    const totals = new FleetTotals(own.engine)
    totals.note('1', countsOf(a.engine))
    a.engine.meter.count(COUNTER.misses)
    totals.note('1', countsOf(a.engine))

    expect(totals.stats().counts).toMatchObject({ hits: 2, misses: 1 })
    expect(totals.usage()[0]).toMatchObject({ worker: '1' })
  })
})
