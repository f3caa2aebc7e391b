import { describe, expect, it } from 'vitest'
import { createTraffic } from '../../../src/cli/demo/traffic.ts'

describe("traffic: what the demo's clients ask for", () => {
  it('asks the same for the same seed', () => {
    const [a, b, other] = [createTraffic(100, 7), createTraffic(100, 7), createTraffic(100, 8)]

    const first = Array.from({ length: 200 }, a)
    expect(Array.from({ length: 200 }, b)).toEqual(first)
    expect(Array.from({ length: 200 }, other)).not.toEqual(first)
  })

  it('follows Zipf: the first product about twice as often as the second, all of them known', () => {
    const next = createTraffic(1000, 1)
    const counts = new Map<string, number>()
    for (let i = 0; i < 100_000; i += 1) {
      const { path } = next()
      if (path.startsWith('/api/products/')) counts.set(path, (counts.get(path) ?? 0) + 1)
    }

    const ratio = (counts.get('/api/products/1') ?? 0) / (counts.get('/api/products/2') ?? 0)
    expect(ratio).toBeGreaterThan(1.8)
    expect(ratio).toBeLessThan(2.2)
    for (const path of counts.keys()) {
      const id = Number(path.slice('/api/products/'.length))
      expect(id >= 1 && id <= 1000).toBe(true)
    }
  })

  it('insists on the origin as often as it was told', () => {
    const share = (next: () => { headers?: Readonly<Record<string, string>> }): number =>
      Array.from({ length: 20_000 }, next).filter((one) => one.headers?.['cache-control'] === 'no-cache').length / 20_000

    expect(share(createTraffic(100, 1, 0))).toBe(0)
    expect(share(createTraffic(100, 1))).toBeCloseTo(0.02, 2)
  })
})
