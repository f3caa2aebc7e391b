import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/server/config.ts'
import { supervisorShare, workerCount, workerShare } from '../../../src/server/worker-shares.ts'

const config = (more: object = {}) => parseConfig({ values: { origin: { url: 'http://127.0.0.1:1' }, ...more } })

describe('shares of workers: what is given for the instance is kept by the instance', () => {
  it('divides memory so that all parts together are the whole', () => {
    const whole = config({ memory: { maxBytes: '100MiB', maxEntries: 10 }, workers: 3 })
    const parts = [supervisorShare(whole), ...Array.from({ length: 3 }, () => workerShare(whole, 3))]

    const sum = parts.reduce((total, { memory }) => total + memory.maxBytes, 0)

    expect(sum).toBeLessThanOrEqual(100 * 1024 * 1024)
    expect(sum).toBeGreaterThan(100 * 1024 * 1024 - 8)
    expect(parts[1]?.memory.maxEntries).toBe(4)
  })

  it('divides connections, rounded up, and leaves everything else as it is', () => {
    const whole = config({ limits: { connections: 10 }, origin: { url: 'http://127.0.0.1:1', connections: 5, waiting: 1 } })

    const part = workerShare(whole, 4)

    expect([part.limits.connections, part.origin?.connections, part.origin?.waiting]).toEqual([3, 2, 1])
    expect({ ...part, memory: 0, limits: 0, origin: 0 }).toEqual({ ...whole, memory: 0, limits: 0, origin: 0 })
  })

  it('takes auto as one for each core', () => {
    expect(workerCount(config({ workers: 'auto' }))).toBeGreaterThanOrEqual(1)
    expect(workerCount(config())).toBe(1)
    expect(workerCount(config({ workers: '4' }))).toBe(4)
    for (const wrong of [0, 257, 1.5, 'many', -1]) expect(() => config({ workers: wrong })).toThrow('expected auto or a number')
  })
})
