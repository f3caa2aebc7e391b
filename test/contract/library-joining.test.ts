/** Whose reading a caller may take who joins a load that runs already. */
import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/entry/index.ts'
import { createVirtualClock } from '../../src/entry/testing.ts'

describe('library: joining a load', () => {
  it('gives nobody a reading that began longer before he came than his budget allows; the next one is for all of them', async () => {
    const clock = createVirtualClock()
    const cache = createCache({ clock })
    let begun = 0
    const slow = async (): Promise<number> => {
      begun += 1
      await new Promise<void>((resolve) => void clock.after(1300, resolve))
      return begun
    }
    const first = cache.fetch('k', { budget: '1200ms' }, slow)
    await clock.advanceAsync(60)
    const others = [1, 2, 3].map(() => cache.fetch('k', { budget: '1200ms' }, slow))
    const patient = cache.fetch('k', { budget: '2s' }, slow)
    await clock.advanceAsync(1300)

    expect((await first).ageMs).toBeGreaterThanOrEqual(1300)
    expect(await patient).toMatchObject({ cached: false })
    expect(begun).toBe(2)
    await clock.advanceAsync(1400)
    for (const result of await Promise.all(others)) expect(result.ageMs).toBeLessThan(1400)
    expect(begun).toBe(2)
  })
})
