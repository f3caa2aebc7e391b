import { describe, expect, it } from 'vitest'
import type { ForecacheError } from '../../../src/model/errors.ts'
import { explore, replay } from '../../../src/sim/explore.ts'
import { FAULTS } from '../../../src/sim/schedule.ts'
import type { SimNode } from '../../../src/sim/node.ts'
import type { Instance } from '../../../src/sim/trial-options.ts'

/** Asks the origin every time: nothing can be old. */
function withoutCache(node: SimNode): Instance {
  return { read: (key) => node.load(key), invalidate: () => {} }
}

/** Keeps what it has read for ever. */
function keepsForEver(node: SimNode): Instance {
  const stored = new Map<string, number>()
  return {
    async read(key) {
      const hit = stored.get(key)
      if (hit !== undefined) return { data: hit, cached: true }
      const version = await node.load(key)
      stored.set(key, version)
      return version
    },
    invalidate: () => {},
  }
}

describe('explore: random schedules by seed', () => {
  it('finds nothing in a system that always asks the origin, whatever goes wrong', async () => {
    const found = await explore({ start: withoutCache, schedules: 150, faults: [...FAULTS] })

    expect(found.text).toContain('150 schedules, seeds 1 to 150: 0 failed')
    expect(found).toMatchObject({ schedules: 150, failed: 0, perMille: 0, broken: {}, failure: undefined })
    expect(found.counts.loads).toBeGreaterThan(found.counts.reads * 0.8)
  })

  it('finds what keeps for ever, and shows the shortest schedule that shows it', async () => {
    const found = await explore({ start: keepsForEver, schedules: 50, budget: 300 })

    expect(found.failed).toBeGreaterThan(25)
    expect(found.broken.P1).toBeGreaterThan(0)
    expect(found.failure?.schedule.steps.length).toBeLessThanOrEqual(3)
    expect(found.failure?.drawnSteps).toBe(16)
    expect(found.text).toMatch(/P\d is broken: n\d gave k\d v0 from its cache, not v1/)
  })

  it('gives the same trace for the same seed, and another for another', async () => {
    const options = { start: keepsForEver, faults: [...FAULTS] }
    const [one, again, other] = await Promise.all([replay(options, 77), replay(options, 77), replay(options, 78)])

    expect(one.trace).toBe(again.trace)
    expect(one.trace).not.toBe(other.trace)
    expect(one.trace.split('\n').length).toBeGreaterThan(20)
  })

  it('runs a failure again from its short schedule', async () => {
    const options = { start: keepsForEver, schedules: 20, stopAtFirst: true }
    const { failure, failed } = await explore(options)

    expect(failed).toBe(1)
    const run = await replay(options, failure?.schedule ?? 0)
    expect(run.violations).toEqual(failure?.violations)
    expect(run.trace).toBe(failure?.trace)
  })

  it('begins at a seed, so that runs can be divided', async () => {
    const whole = await explore({ start: keepsForEver, schedules: 20 })
    const first = await explore({ start: keepsForEver, schedules: 10 })
    const second = await explore({ start: keepsForEver, schedules: 10, seed: 11 })

    expect(first.failed + second.failed).toBe(whole.failed)
  })

  it('begins another life where a system ends its own', async () => {
    const lives: number[] = []
    const start = (node: SimNode): Instance => {
      lives.push(node.process.life)
      if (node.process.life < 3) node.clock.after(10, () => node.fail(5))
      return withoutCache(node)
    }
    const found = await explore({ start, nodes: 1, schedules: 1 })

    expect(lives).toEqual([1, 2, 3])
    expect(found.failed).toBe(0)
  })

  it('tells other nodes what one broadcasts, and shows what one notes', async () => {
    const hear = new Map<string, (key: string) => void>()
    const start = (node: SimNode): Instance => {
      const stored = new Map<string, number>()
      hear.set(node.name, (key) => void stored.delete(key))
      return {
        read: async (key) => stored.get(key) ?? node.load(key),
        invalidate(key) {
          node.note(`tells the others of ${key}`)
          node.broadcast((name) => hear.get(name)?.(key))
        },
      }
    }
    const { trace, violations } = await replay({ start, nodes: 2 }, 1)

    expect(violations).toEqual([])
    expect(trace).toMatch(/n\d {5}tells the others of k\d/)
  })

  it('judges own promises at the end', async () => {
    const check = ({ origin }: { origin: { loads: number } }) => (origin.loads > 2 ? [`${origin.loads} loads`] : [])
    const found = await explore({ start: withoutCache, schedules: 3, check })

    expect(found.broken).toEqual({ own: 3 })
  })

  it('counts it as broken when a caller is never answered, waits too long or gets an error', async () => {
    const hangs = await explore({ start: () => ({ read: () => new Promise(() => {}), invalidate: () => {} }), schedules: 2 })
    const slow = await explore({
      start: (node) => ({ read: async (key) => (await node.sleep(600), node.load(key)), invalidate: () => {} }),
      schedules: 2,
      deadline: 500,
    })
    const throws = await explore({
      start: () => ({
        read() {
          throw new Error('no luck')
        },
        invalidate: () => {},
      }),
      schedules: 2,
    })

    expect(hangs.text).toMatch(/P6 is broken: n\d: a read of k\d was never answered/)
    expect(slow.text).toMatch(/P6 is broken: n\d: a read of k\d took too long/)
    expect(throws.text).toMatch(/P6 is broken: n\d: a read of k\d failed: no luck/)
  })

  it('refuses options that it does not know, with a code', async () => {
    const bad = { start: withoutCache, seeds: 5 } as unknown as Parameters<typeof explore>[0]
    const error = await explore(bad).catch((one: unknown) => one)

    expect((error as ForecacheError).code).toBe('FC_OPTION_UNKNOWN')
  })
})
