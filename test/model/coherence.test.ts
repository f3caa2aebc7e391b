/**
 * The core of the Redis doors under random schedules: nobody is ever shown what the rules forbid, and no rule is idle.
 *
 * FORECACHE_COHERENCE_SEEDS sets how many schedules each variant is run with.
 */
import { describe, expect, it } from 'vitest'
import { runSchedules } from '../support/coherence-schedule.ts'
import { SOUND, SPOILT, SPOILT_LIBRARY } from '../support/coherence-spoilt.ts'

const COUNT = Number(process.env['FORECACHE_COHERENCE_SEEDS'] ?? 15_000)
const WITHIN = 8000

describe('coherence', () => {
  for (const causality of ['session', 'eventual', 'strict'] as const) {
    for (const isClustered of [false, true]) {
      const name = `${causality}${isClustered ? ', cluster' : ''}`
      it(`shows nobody what it must not: ${name}`, { timeout: 300_000 }, () => {
        const outcome = runSchedules(COUNT, 1, { ...SOUND, causality, isClustered })

        expect(outcome.faults, `seed ${outcome.seed}`).toBeUndefined()
        expect(outcome.hits).toBeGreaterThan(COUNT)
      })
    }
  }
})

describe('coherence before a server with threads', () => {
  it('shows nobody what it must not', { timeout: 300_000 }, () => {
    const outcome = runSchedules(COUNT, 1, { ...SOUND, isThreaded: true })

    expect(outcome.faults, `seed ${outcome.seed}`).toBeUndefined()
    expect(outcome.hits).toBeGreaterThan(COUNT)
  })
})

describe('coherence with the library in the same process', () => {
  for (const causality of ['session', 'eventual'] as const) {
    it(`shows nobody what it must not: ${causality}`, { timeout: 300_000 }, () => {
      const outcome = runSchedules(COUNT, 1, { ...SOUND, causality, library: 'nothing' })

      expect(outcome.faults, `seed ${outcome.seed}`).toBeUndefined()
      expect(outcome.hits).toBeGreaterThan(COUNT)
    })
  }

  for (const [what, options] of SPOILT_LIBRARY) {
    it(`notices when ${what}`, { timeout: 120_000 }, () => {
      const outcome = runSchedules(WITHIN, 1, { ...SOUND, ...options })

      expect(outcome.faults).toBeDefined()
    })
  }
})

describe('each rule is needed: it is noticed when', () => {
  for (const [what, options] of SPOILT) {
    it(what, { timeout: 120_000 }, () => {
      const outcome = runSchedules(WITHIN, 1, { ...SOUND, ...options })

      expect(outcome.faults).toBeDefined()
    })
  }
})
