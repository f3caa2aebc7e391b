import { describe, expect, it } from 'vitest'
import { type HttpHistory, runHttpHistory } from './http-history.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const HISTORIES = Number(process.env['FORECACHE_HISTORIES'] ?? 250)
const STEPS = 1000

describe('the HTTP door against an oracle, in random histories', () => {
  for (const profile of ['safe', 'conformance'] as const) {
    it(`never breaks a promise in ${HISTORIES * STEPS} steps of the ${profile} profile`, { timeout: 1_200_000 }, async () => {
      const sum = { answers: 0, hits: 0, stale: 0, renewed: 0, fenced: 0 }
      for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
        const { violations, ...counts } = await runHttpHistory(seed, STEPS, { profile })
        expect(violations, `seed ${seed}`).toEqual([])
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name]
      }
      console.log(`http model, ${profile}: seeds ${FIRST_SEED} to ${FIRST_SEED + HISTORIES - 1}, ${JSON.stringify(sum)}`)
      expect(Math.min(sum.hits, sum.stale, sum.renewed, sum.fenced) / sum.answers).toBeGreaterThan(0.003)
    })
  }

  it(`never breaks a promise while codings are made, in ${(HISTORIES * STEPS) / 5} steps`, { timeout: 1_200_000 }, async () => {
    const sum = { answers: 0, hits: 0, coded: 0, fenced: 0 }
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES / 5; seed += 1) {
      const { violations, ...counts } = await runHttpHistory(seed, STEPS, { profile: 'safe', compress: true })
      expect(violations, `seed ${seed}`).toEqual([])
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name]
    }
    console.log(`http model with codings: seeds from ${FIRST_SEED}, ${JSON.stringify(sum)}`)
    expect(sum.coded / sum.answers).toBeGreaterThan(0.003)
  })

  for (const prefetch of ['omit', 'send'] as const) {
    const steps = (HISTORIES * STEPS) / 5
    it(`never breaks a promise by what it fetches beforehand, credentials ${prefetch}, in ${steps} steps`, {
      timeout: 1_200_000,
    }, async () => {
      const sum = { answers: 0, hits: 0, beforehand: 0, foreseen: 0, fenced: 0 }
      for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES / 5; seed += 1) {
        const { violations, ...counts } = await runHttpHistory(seed, STEPS, { profile: 'safe', prefetch })
        expect(violations, `seed ${seed}`).toEqual([])
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name]
      }
      console.log(`http model with prefetch, ${prefetch}: seeds from ${FIRST_SEED}, ${JSON.stringify(sum)}`)
      expect(Math.min(sum.beforehand, sum.foreseen) / sum.answers).toBeGreaterThan(0.003)
    })
  }

  it('sees it when the fence admits what was fetched beforehand and invalidated meanwhile', { timeout: 120_000 }, async () => {
    let violations = 0
    const sabotage = ({ cache }: HttpHistory): void => void (cache.engine.fence.admits = () => true)
    for (let seed = 1; seed <= 40 && violations === 0; seed += 1)
      violations = (await runHttpHistory(seed, STEPS, { profile: 'safe', prefetch: 'send', sabotage })).violations.length
    expect(violations).toBeGreaterThan(0)
  })

  const sabotages: Record<string, (history: HttpHistory) => void> = {
    'the fence admits every fill': ({ cache }) => void (cache.engine.fence.admits = () => true),
    'stored entries are never judged': ({ cache }) => void (cache.engine.fence.standing = () => 'current'),
    'callers join flights begun before an invalidation': ({ cache }) => void (cache.engine.fence.namedBetween = () => false),
  }
  for (const [what, sabotage] of Object.entries(sabotages)) {
    it(`sees it when ${what}`, { timeout: 120_000 }, async () => {
      let violations = 0
      for (let seed = 1; seed <= 40 && violations === 0; seed += 1)
        violations = (await runHttpHistory(seed, STEPS, { profile: 'safe', sabotage })).violations.length
      expect(violations).toBeGreaterThan(0)
    })
  }
})
