import { describe, expect, it } from 'vitest'
import { Latencies, median } from '../../../src/cli/latency.ts'

describe('latency: percentiles of one class of answers', () => {
  it('answers the nearest rank, exactly, whatever the order of arrival', () => {
    const latencies = new Latencies()
    for (let i = 100; i >= 1; i -= 1) latencies.add(i)

    expect(latencies.percentiles()).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 })
  })

  it('answers NaN, not zero, when nothing was measured', () => {
    const { count, p50, max } = new Latencies().percentiles()

    expect([count, p50, max]).toEqual([0, Number.NaN, Number.NaN])
    expect(median([])).toBeNaN()
  })

  it('stays bounded and true beyond its sample', () => {
    const latencies = new Latencies()
    for (let i = 0; i < 600_000; i += 1) latencies.add(i % 1000)
    latencies.add(5000)

    const { count, p50, p99, max } = latencies.percentiles()
    expect(count).toBe(600_001)
    expect(p50).toBeGreaterThan(490)
    expect(p50).toBeLessThan(510)
    expect(p99).toBeGreaterThan(985)
    expect(max).toBe(5000)
  })
})
