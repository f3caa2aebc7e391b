import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Wheel } from '../../../src/shelf/wheel.ts'

const WHEEL = { tickMs: 10, slots: 8, maxItems: 1000, nowMs: 0 }

function dueAt(wheel: Wheel<string>, nowMs: number): string[] {
  const due: string[] = []
  wheel.turn(nowMs, (item) => due.push(item))
  return due.sort()
}

describe('a timer wheel', () => {
  it('hands out what is due, never early, at most one tick late', () => {
    const wheel = new Wheel<string>(WHEEL)
    wheel.set('a', 25)
    expect(dueAt(wheel, 24)).toEqual([])
    expect(dueAt(wheel, 30)).toEqual(['a'])
    expect(wheel.size).toBe(0)
  })

  it('leaves for a later round what is meant for it', () => {
    const wheel = new Wheel<string>(WHEEL)
    wheel.set('now', 20)
    wheel.set('later', 20 + 8 * 10 * 3)
    expect(dueAt(wheel, 20)).toEqual(['now'])
    expect(dueAt(wheel, 250)).toEqual([])
    expect(dueAt(wheel, 260)).toEqual(['later'])
  })

  it('hands out at the next tick what was due already when it was set', () => {
    const wheel = new Wheel<string>({ ...WHEEL, nowMs: 1000 })
    wheel.set('late', 3)
    expect(dueAt(wheel, 1010)).toEqual(['late'])
  })

  it('refuses what it has no room for', () => {
    const wheel = new Wheel<string>({ ...WHEEL, maxItems: 1 })
    const place = wheel.set('a', 10)
    expect(wheel.set('b', 10)).toBeUndefined()
    wheel.drop(place as number)
    expect(wheel.set('b', 10)).toBeDefined()
  })

  it('behaves like a sorted list, whatever is set, dropped and waited for', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), inMs: fc.integer({ min: -50, max: 500 }) }),
      fc.record({ do: fc.constant('drop' as const), nth: fc.nat(40) }),
      fc.record({ do: fc.constant('turn' as const), byMs: fc.integer({ min: 0, max: 300 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const wheel = new Wheel<string>(WHEEL)
        const model = new Map<string, { at: number; setAt: number; place: number }>()
        let now = 0
        steps.forEach((one, index) => {
          if (one.do === 'set') {
            const name = `i${index}`
            model.set(name, { at: now + one.inMs, setAt: now, place: wheel.set(name, now + one.inMs) as number })
          } else if (one.do === 'drop') {
            const name = [...model.keys()][one.nth]
            if (name === undefined) return
            wheel.drop(model.get(name)?.place as number)
            model.delete(name)
          } else {
            now += one.byMs
            const due = new Set<string>()
            wheel.turn(now, (item) => due.add(item))
            for (const name of due) expect(model.get(name)?.at).toBeLessThanOrEqual(now)
            for (const [name, { at, setAt }] of model) if (Math.max(at, setAt) + 20 <= now) expect(due.has(name)).toBe(true)
            for (const name of due) model.delete(name)
          }
          expect(wheel.size).toBe(model.size)
        })
      }),
    )
  })
})
