/**
 * All Redis doors together before one Redis: nobody is shown what he must not be, whichever way he came.
 *
 * FORECACHE_DOORS_OPERATIONS sets how many operations (a million: about two minutes), FORECACHE_DOORS_SEED the seed.
 */
import { describe, expect, it } from 'vitest'
import { runDoors } from '../support/doors-run.ts'

const OPERATIONS = Number(process.env['FORECACHE_DOORS_OPERATIONS'] ?? 60_000)
const SEED = Number(process.env['FORECACHE_DOORS_SEED'] ?? 1)

describe('front, hook and direct clients together', () => {
  it('read nothing older than they may', { timeout: 60_000 + OPERATIONS }, async () => {
    const outcome = await runDoors({ operations: OPERATIONS, seed: SEED, mishapEveryMs: 700 })
    console.info(JSON.stringify({ ...outcome, faults: outcome.faults.length }))

    expect(outcome.faults).toEqual([])
    expect(outcome.reads).toBeGreaterThan(OPERATIONS / 2)
    expect(outcome.hits.front).toBeGreaterThan(OPERATIONS / 50)
    expect(outcome.hits.hook).toBeGreaterThan(OPERATIONS / 50)
  })
})
