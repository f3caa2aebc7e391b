import { describe, expect, it } from 'vitest'
import { PrefetchOdds } from '../../../src/flow/prefetch-odds.ts'
import { PrefetchRules, RULE_LIMITS } from '../../../src/flow/prefetch-rules.ts'

const chances = (rules: PrefetchRules, session: string, key: string, nowMs: number): Record<string, number> =>
  Object.fromEntries(rules.follow({ session: session, key: key, nowMs: nowMs }).map((one) => [one.key, one.chance]))

describe('what follows what', () => {
  it('is learned from sessions, each apart', () => {
    const rules = new PrefetchRules()
    for (let client = 0; client < 10; client += 1) {
      const at = client * 1000
      rules.follow({ session: `c${client}`, key: '/page', nowMs: at })
      rules.follow({ session: `other${client}`, key: '/alone', nowMs: at + 1 })
      rules.follow({ session: `c${client}`, key: '/page.css', nowMs: at + 2 })
    }
    expect(chances(rules, 'new', '/page', 20_000)).toEqual({ '/page.css': 10 / 11 })
    expect(chances(rules, 'newer', '/alone', 20_000)).toEqual({})
  })

  it('says nothing of what was seen but once or twice, and nothing of what came much later', () => {
    const rules = new PrefetchRules()
    rules.follow({ session: 'a', key: '/1', nowMs: 0 })
    rules.follow({ session: 'a', key: '/2', nowMs: 1 })
    expect(chances(rules, 'b', '/1', 5)).toEqual({})
    for (let client = 0; client < 5; client += 1) {
      rules.follow({ session: `c${client}`, key: '/late', nowMs: client * 100_000 })
      rules.follow({ session: `c${client}`, key: '/after', nowMs: client * 100_000 + RULE_LIMITS.windowMs + 1 })
    }
    expect(chances(rules, 'd', '/late', 1e6)).toEqual({})
  })

  it('counts a successor once for each time its predecessor was asked for', () => {
    const rules = new PrefetchRules()
    for (let client = 0; client < 4; client += 1) {
      rules.follow({ session: `c${client}`, key: '/list', nowMs: client })
      for (let again = 0; again < 3; again += 1) rules.follow({ session: `c${client}`, key: '/item', nowMs: client })
    }
    expect(chances(rules, 'd', '/list', 10)['/item']).toBe(4 / 5)
  })

  it('stays within its bounds, whoever asks for whatever', () => {
    const limits = { ...RULE_LIMITS, sessions: 10, keys: 20, successors: 3 }
    const rules = new PrefetchRules(limits)
    for (let i = 0; i < 5000; i += 1) rules.follow({ session: `s${i % 100}`, key: `/k${(i * 7919) % 500}`, nowMs: i })
    expect(rules.size).toBe(20)
    for (let i = 0; i < 500; i += 1)
      expect(rules.follow({ session: 's', key: `/k${i}`, nowMs: 6000 }).length).toBeLessThanOrEqual(3)
  })

  it('forgets what does not follow any more', () => {
    const rules = new PrefetchRules()
    let at = 0
    const visit = (next: string): void => {
      at += 20_000
      rules.follow({ session: `c${at}`, key: '/page', nowMs: at })
      rules.follow({ session: `c${at}`, key: next, nowMs: at + 1 })
    }
    for (let i = 0; i < 200; i += 1) visit('/old.css')
    for (let i = 0; i < 200; i += 1) visit('/new.css')
    const { '/old.css': old = 0, '/new.css': young = 0 } = chances(rules, 'last', '/page', at + 50_000)
    expect(young).toBeGreaterThan(0.9)
    expect(old).toBeLessThan(0.1)
  })
})

describe('what a count is worth', () => {
  it('begins as it says, and becomes what came of it', () => {
    const odds = new PrefetchOdds()
    expect(odds.chance(0.5)).toBe(0.5)
    for (let i = 0; i < 200; i += 1) odds.learn(0.5, i % 10 !== 0)
    expect(odds.chance(0.5)).toBeGreaterThan(0.85)
    expect(odds.chance(0.9)).toBe(0.9)
    for (let i = 0; i < 800; i += 1) odds.learn(0.5, false)
    expect(odds.chance(0.5)).toBeLessThan(0.3)
  })
})
