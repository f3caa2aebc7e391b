/** Whatever was learned and whatever is asked for: the chosen window stays inside what was promised. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ADAPTIVE } from '../../../src/flow/adaptive-options.ts'
import { ChangeBook } from '../../../src/flow/change-book.ts'
import { chooseWindow } from '../../../src/flow/choose-window.ts'
import { changeChance } from '../../../src/flow/change-rate.ts'
import { noteChange, readChange } from '../../../src/shelf/change-word.ts'

const SEED = 20_261_121
const MAX_MS = 40 * 86_400_000

const COMPARISONS = fc.array(fc.tuple(fc.boolean(), fc.double({ min: 0.001, max: MAX_MS, noNaN: true })), { maxLength: 200 })
const SPAN = fc.integer({ min: 0, max: MAX_MS })
const SETTINGS = fc.record(
  { maxStaleChance: fc.double({ min: 0.001, max: 0.9, noNaN: true }), min: SPAN, max: SPAN },
  { requiredKeys: [] },
)

function known(route: readonly (readonly [boolean, number])[], own: readonly (readonly [boolean, number])[]) {
  const book = new ChangeBook()
  for (const [hasChanged, gapMs] of route) book.learn({ hasChanged, gapMs, isNear: true })
  const word = own.reduce((sum, [hasChanged, gapMs]) => noteChange(sum, hasChanged, gapMs), 0)
  return { route: book, key: readChange(word) }
}

describe('a chosen window', () => {
  it('is never beyond what was promised nor beyond max, never shortened under min, and always the same', () => {
    fc.assert(
      fc.property(COMPARISONS, COMPARISONS, SETTINGS, SPAN, SPAN, (route, own, given, promisedMs, staleMs) => {
        const settings = ADAPTIVE.parse(given)
        if (settings === undefined) throw new Error('it is on')
        const wish = { settings, promisedMs, latestMs: promisedMs + staleMs }
        const choice = chooseWindow(known(route, own), wish)

        expect(choice.freshMs).toBeLessThanOrEqual(wish.latestMs)
        expect(choice.freshMs).toBeGreaterThanOrEqual(0)
        if (given.max !== undefined) expect(choice.freshMs).toBeLessThanOrEqual(given.max)
        const least = Math.min(promisedMs, given.max ?? promisedMs, given.min ?? promisedMs / 4)
        expect(choice.freshMs).toBeGreaterThanOrEqual(Math.floor(least))
        if (choice.because !== 'min' && choice.chance !== undefined)
          expect(choice.chance).toBeLessThanOrEqual(settings.maxStaleChance + 1e-9)
        if (route.length < 20) expect(choice.because).toBe('promise')
        expect(chooseWindow(known(route, own), wish)).toEqual(choice)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('grows with what is known to be quiet, and shrinks with what is known to change', () => {
    const settings = ADAPTIVE.parse({ maxStaleChance: 0.1, min: 1000 }) ?? never()
    const wish = { settings, promisedMs: 60_000, latestMs: 3_600_000 }
    const book = known(
      Array.from({ length: 40 }, (_, at) => [at % 10 === 0, 60_000] as const),
      [],
    )
    const quiet = known(
      [],
      Array.from({ length: 60 }, () => [false, 60_000] as const),
    ).key
    const restless = known(
      [],
      Array.from({ length: 20 }, () => [true, 60_000] as const),
    ).key
    const [calm, alike, hurried] = [quiet, book.key, restless].map((key) => chooseWindow({ ...book, key }, wish).freshMs)

    expect(calm).toBeGreaterThan(3 * (alike as number))
    expect(hurried).toBeLessThan((alike as number) / 3)
  })

  it('says why it is what it is', () => {
    const settings = ADAPTIVE.parse({ maxStaleChance: 0.1, max: '5m' }) ?? never()
    const at = (changed: (at: number) => boolean, latestMs: number, gapMs = 60_000) => {
      const comparisons = Array.from({ length: 200 }, (_, index) => [changed(index), gapMs] as const)
      return chooseWindow(known(comparisons, []), { settings, promisedMs: 60_000, latestMs })
    }

    expect(at(() => false, 120_000).because).toBe('window')
    expect(at(() => false, 3_600_000).because).toBe('max')
    expect(at((index) => index % 10 === 0, 3_600_000).because).toBe('chance')
    expect(at(() => true, 3_600_000)).toMatchObject({ because: 'min', freshMs: 15_000 })
    expect(changeChance(1 / 60_000, 6000)).toBeLessThan(0.1)
  })
})

function never(): never {
  throw new Error('it is on')
}
