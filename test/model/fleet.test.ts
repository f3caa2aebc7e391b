import { describe, expect, it } from 'vitest'
import { runFleet, type Sabotage } from './fleet-history.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const HISTORIES = Number(process.env['FORECACHE_HISTORIES'] ?? 200)
const STEPS = 3000

describe('several fences on one log, in random histories', () => {
  it(`gives nobody what was told to be gone, in ${HISTORIES * STEPS} steps`, { timeout: 1_200_000 }, async () => {
    let [reads, cached, writes, ended, blind, longestMs] = [0, 0, 0, 0, 0, 0]
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
      const outcome = await runFleet(seed, STEPS)
      expect(outcome.violations, `seed ${seed}`).toEqual([])
      reads += outcome.reads
      cached += outcome.cached
      writes += outcome.writes
      ended += outcome.ended
      blind += outcome.blind
      longestMs = Math.max(longestMs, outcome.longestMs)
    }
    console.log(
      `fleet: seeds ${FIRST_SEED} to ${FIRST_SEED + HISTORIES - 1}, ${reads} reads, ${cached} cached, ${writes} writes, ${ended} members ended, ${blind} blind, longest write ${Math.round(longestMs)} ms`,
    )
    // Histories that never hit, never end a silent member or never go blind would prove nothing.
    expect(cached / reads).toBeGreaterThan(0.1)
    expect(Math.min(writes, ended, blind)).toBeGreaterThan(HISTORIES / 4)
  })

  for (const sabotage of ['nobody waits', 'nobody goes blind', 'silent members live on'] satisfies Sabotage[]) {
    it(`sees it when ${sabotage}`, { timeout: 120_000 }, async () => {
      let violations = 0
      for (let seed = 1; seed <= 200 && violations === 0; seed += 1)
        violations = (await runFleet(seed, STEPS, sabotage)).violations.length
      expect(violations).toBeGreaterThan(0)
    })
  }
})
