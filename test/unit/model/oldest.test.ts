import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OldestFirst } from '../../../src/model/oldest.ts'

describe('oldest: a map that gives up its oldest entry first', () => {
  it('takes out in the order of the last setting, whatever was deleted or cleared in between', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), key: fc.integer({ min: 0, max: 12 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), key: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 12 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), key: fc.constant(0) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = new OldestFirst<number>()
        let model: [string, number][] = []
        for (const [value, { do: what, key: number }] of steps.entries()) {
          const key = `k${number}`
          if (what === 'set') {
            map.set(key, value)
            model = [...model.filter(([name]) => name !== key), [key, value]]
          } else if (what === 'delete') {
            expect(map.delete(key)).toBe(model.some(([name]) => name === key))
            model = model.filter(([name]) => name !== key)
          } else if (what === 'take') expect(map.takeOldest()).toEqual(model.shift())
          else {
            map.clear()
            model = []
          }
          expect([...map.entries()]).toEqual(model)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('answers undefined when nothing is left, and goes on afterwards', () => {
    const map = new OldestFirst<number>()
    expect(map.takeOldest()).toBeUndefined()

    map.set('a', 1)
    expect([map.takeOldest(), map.takeOldest(), map.size]).toEqual([['a', 1], undefined, 0])
    map.set('b', 2)
    expect(map.takeOldest()).toEqual(['b', 2])
  })
})
