import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreClock } from '../../../src/tier/store-clock.ts'

const DAY = 86_400_000
const HOUR = 3_600_000

describe("the store's clock", () => {
  it('never makes anything younger than it is, whatever the round trips, and older by no more than one', () => {
    const trips = fc.array(fc.record({ gap: fc.nat(10_000), out: fc.nat(200), back: fc.nat(200) }), { minLength: 1 })
    fc.assert(
      fc.property(trips, fc.integer({ min: -DAY, max: DAY }), (replies, offset) => {
        const clock = new StoreClock(DAY)
        let now = 1_000_000
        for (const { gap, out, back } of replies) {
          const asked = now + gap
          const told = asked + out + offset
          now = asked + out + back
          clock.observe(told, asked, now)
          expect(clock.at(now)).toBeLessThanOrEqual(now + offset)
          expect(clock.at(now)).toBeGreaterThanOrEqual(now + offset - back)
          const began = asked + out - 500
          const said = clock.steadyOf(told - 500, told, asked)
          expect(said).toBeLessThanOrEqual(began)
          expect(said).toBeGreaterThanOrEqual(began - out)
        }
      }),
    )
  })

  it('never makes anything younger than it is though the clock is set back and forth', () => {
    const step = fc.record({
      gap: fc.nat(5000),
      out: fc.nat(20),
      back: fc.nat(20),
      change: fc.constantFrom(0, 0, 0, HOUR, -HOUR, -90, -7000),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 30 }), (steps) => {
        const clock = new StoreClock(DAY)
        const written: { readonly at: number; readonly storeMs: number }[] = []
        let now = 0
        let offset = 10 * DAY
        for (const { gap, out, back, change } of steps) {
          const asked = now + gap
          const told = asked + out + offset
          now = asked + out + back
          clock.observe(told, asked, now)
          // All bounds are taken from replies: what a step hides that is smaller than a round trip is not seen.
          for (const { at, storeMs } of written) expect(clock.steadyOf(storeMs, told, asked)).toBeLessThanOrEqual(at + 41)
          written.push({ at: asked + out, storeMs: told })
          offset += change
        }
      }),
    )
  })

  it('adds what a clock has lost that was set back, until nothing of before can stand', () => {
    const clock = new StoreClock(DAY)
    clock.observe(10_000_000, 0, 1)
    clock.observe(10_001_000 - HOUR, 1000, 1001)

    expect(1001 - clock.steadyOf(10_000_000, 10_001_000 - HOUR, 1000)).toBeGreaterThanOrEqual(1000)
    const later = DAY + 5000
    clock.observe(later + 9_000_000, later, later)
    expect(later - clock.steadyOf(later + 8_999_500, later + 9_000_000, later)).toBe(500)
  })

  it('believes a clock again that was set right', () => {
    const clock = new StoreClock(DAY)
    clock.observe(10_000_000, 0, 0)
    clock.observe(10_000_010 - HOUR, 10, 10)
    clock.observe(10_000_020, 20, 20)

    expect(20 - clock.steadyOf(10_000_000, 10_000_020, 20)).toBe(20)
  })

  it('lets what stands come out older, never younger, when the clock is set forward', () => {
    const clock = new StoreClock(DAY)
    clock.observe(1_000_000, 0, 1)
    clock.observe(1_001_000 + HOUR, 1000, 1001)

    expect(clock.at(1001)).toBe(1_001_000 + HOUR)
    expect(1001 - clock.steadyOf(1_000_000, 1_001_000 + HOUR, 1000)).toBeGreaterThanOrEqual(1000)
  })

  it('knows nothing before it was told', () => {
    expect(new StoreClock(DAY).isKnown).toBe(false)
  })
})
