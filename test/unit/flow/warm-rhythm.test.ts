import { describe, expect, it } from 'vitest'
import { createCalendar } from '../../../src/flow/warm-calendar.ts'
import { Rhythm } from '../../../src/flow/warm-rhythm.ts'
import { createRandom } from '../../../src/model/random.ts'

const HOUR_MS = 3_600_000

/** @param hoursOf hours in which it is read on a day of this weekday */
function live(days: number, hoursOf: (weekday: number, day: number) => readonly number[]): Rhythm {
  const rhythm = new Rhythm()
  for (let day = 0; day < days; day += 1) {
    const weekday = day % 7
    for (const hour of hoursOf(weekday, day)) rhythm.note(hour, 3)
    rhythm.close(weekday, true)
  }
  return rhythm
}

describe('the rhythm of a key', () => {
  it('is seen after a few mornings, and not before', () => {
    expect(live(2, () => [9]).isSound).toBe(false)
    const rhythm = live(4, () => [9])

    expect(rhythm.isSound).toBe(true)
    expect(rhythm.chance(9, 4)).toBeGreaterThan(0.9)
    expect(rhythm.chance(10, 4)).toBe(0)
  })

  it('is not seen in what is read at any hour alike', () => {
    const random = createRandom(7)
    const found = Array.from({ length: 300 }, () => {
      const hours = (): number[] => Array.from({ length: 24 }, (_, hour) => hour).filter(() => random() < 0.2)
      return live(21, hours).isSound
    })
    expect(found.filter(Boolean).length).toBeLessThanOrEqual(9) // 3 %: 24 hours are tested
    expect(live(30, () => Array.from({ length: 24 }, (_, hour) => hour)).isSound).toBe(false)
  })

  it('knows working days from weekends, and Mondays from all others', () => {
    const work = live(28, (weekday) => (weekday >= 1 && weekday <= 5 ? [8, 9, 10] : []))
    expect(work.chance(9, 3)).toBeGreaterThan(0.8)
    expect(work.chance(9, 6)).toBeLessThan(0.3)
    const mondays = live(35, (weekday) => (weekday === 1 ? [7] : []))

    expect(mondays.isSound).toBe(true)
    expect(mondays.chance(7, 1)).toBeGreaterThan(0.7)
    expect(mondays.chance(7, 2)).toBeLessThan(0.1)
  })

  it('says nothing of days that were not watched to their end', () => {
    const rhythm = new Rhythm()
    for (let day = 0; day < 20; day += 1) {
      rhythm.note(9, 1)
      rhythm.close(day % 7, false)
    }
    expect(rhythm.isSound).toBe(false)
    expect(rhythm.chance(9, 1)).toBe(0)
  })

  it('forgets what is over', () => {
    const rhythm = live(20, () => [9])
    for (let day = 0; day < 120; day += 1) {
      rhythm.note(15, 1)
      rhythm.close(day % 7, true)
    }
    expect(rhythm.chance(9, 1)).toBeLessThan(0.1)
    expect(rhythm.chance(15, 1)).toBeGreaterThan(0.9)
  })

  it('gives a short window its share of the hour, and crosses midnight', () => {
    const rhythm = live(14, () => [0])
    const evening = { hour: 23, weekday: 1, minute: 30 }

    expect(rhythm.within(evening, HOUR_MS / 4)).toBe(0)
    expect(rhythm.within(evening, HOUR_MS * 1.5)).toBeGreaterThan(0.9)
    const short = rhythm.within({ hour: 0, weekday: 2, minute: 0 }, 60_000)
    expect(short).toBeGreaterThan(0.02)
    expect(short).toBeLessThan(0.1)
  })
})

describe('the calendar', () => {
  it('follows the hours of its zone through both changes of the clocks', () => {
    const at = createCalendar('Europe/Berlin')
    const hours = (from: number, count: number): number[] =>
      Array.from({ length: count }, (_, index) => at(from + index * HOUR_MS).hour)

    expect(hours(Date.UTC(2026, 2, 29, 0), 3)).toEqual([1, 3, 4]) // 02:00 does not exist
    expect(hours(Date.UTC(2026, 9, 25, 0), 3)).toEqual([2, 2, 3]) // 02:00 comes twice
    expect(at(Date.UTC(2026, 2, 29, 12))).toMatchObject({ weekday: 0, hour: 14 })
  })
})
