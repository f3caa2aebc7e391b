import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRandom } from '../../../src/model/random.ts'
import {
  beginScaling,
  decideScaling,
  SCALING_POLICY,
  type ScalingDecision,
  type ScalingPolicy,
} from '../../../src/ops/scaling-policy.ts'
import { facts } from '../../support/facts.ts'

const SCHEMA = z.strictObject(SCALING_POLICY)
const policyOf = (given: z.input<typeof SCHEMA> = {}): ScalingPolicy => SCHEMA.parse(given)
const instances = (cpus: readonly number[]): ReturnType<typeof facts>[] => cpus.map((cpu, at) => facts({ id: `i${at}`, cpu }))

describe('scaling: one decision', () => {
  it('wants what the load of all, divided by the target, comes to', () => {
    const policy = policyOf({ targets: { cpu: 0.5 }, maxFactor: 10 })

    const decision = decideScaling(policy, { now: 0, desired: 2, instances: instances([1, 1]) }, beginScaling(0))

    expect(decision).toMatchObject({ desired: 4, wanted: 4, reason: 'out', by: { target: 'cpu', now: 1, wanted: 4 } })
  })

  it('follows the target that wants most', () => {
    const policy = policyOf({ targets: { cpu: 0.5, requestsPerSecond: 100 }, maxFactor: 10 })
    const all = [facts({ cpu: 0.5, requestsPerSecond: 300 })]

    const decision = decideScaling(policy, { now: 0, desired: 1, instances: all }, beginScaling(0))

    expect(decision).toMatchObject({ desired: 3, by: { target: 'requestsPerSecond' } })
  })

  it('takes the CPU for its target where none is given', () => {
    expect(policyOf().targets).toEqual({ cpu: 0.6 })
  })

  it('decides nothing without figures, but keeps the bounds', () => {
    const policy = policyOf({ min: 2, max: 4 })
    const blind = { now: 0, instances: [facts({ state: 'starting', cpu: 1 })] }

    expect(decideScaling(policy, { ...blind, desired: 3 }, beginScaling(0))).toMatchObject({ desired: 3, reason: 'no-figures' })
    expect(decideScaling(policy, { ...blind, desired: 1 }, beginScaling(0))).toMatchObject({ desired: 2, reason: 'bounds' })
    expect(decideScaling(policy, { ...blind, desired: 9 }, beginScaling(0))).toMatchObject({ desired: 4, reason: 'bounds' })
  })

  it('goes out at most by its factor, and waits before it goes again', () => {
    const policy = policyOf({ targets: { cpu: 0.1 }, maxFactor: 2, max: 100, cooldownOut: '30s' })
    const first = decideScaling(policy, { now: 0, desired: 2, instances: instances([1, 1]) }, beginScaling(0))
    const soon = decideScaling(policy, { now: 29_999, desired: 4, instances: instances([1, 1, 1, 1]) }, first.memory)
    const later = decideScaling(policy, { now: 30_000, desired: 4, instances: instances([1, 1, 1, 1]) }, soon.memory)

    expect([first.desired, soon.desired, later.desired]).toEqual([4, 4, 8])
    expect(soon.reason).toBe('cooling')
  })

  it('does not count instances that are starting as capacity twice', () => {
    const policy = policyOf({ targets: { cpu: 0.5 }, cooldownOut: 0 })
    const starting = [...instances([1, 1]), facts({ id: 's', state: 'starting' }), facts({ id: 't', state: 'starting' })]

    const decision = decideScaling(policy, { now: 0, desired: 4, instances: starting }, beginScaling(0))

    expect(decision).toMatchObject({ desired: 4, reason: 'steady' })
  })

  it('takes away one at a time, and only after a whole window without a wish for more', () => {
    const policy = policyOf({ targets: { cpu: 0.5 }, cooldownIn: '5m' })
    let memory = beginScaling(0)
    const reasons: string[] = []
    let at: number | undefined
    for (let now = 0; now <= 600_000 && at === undefined; now += 10_000) {
      const load = now === 100_000 ? [0.5, 0.5, 0.5, 0.5] : [0.1, 0.1, 0.1, 0.1]
      const decision = decideScaling(policy, { now, desired: 4, instances: instances(load) }, memory)
      memory = decision.memory
      reasons.push(decision.reason)
      if (decision.desired < 4) at = now
    }

    expect(at).toBe(400_000)
    expect(new Set(reasons)).toEqual(new Set(['window', 'steady', 'in']))
  })
})

/** A fleet behind a scaler: instances start and end with a delay, some crash; load is spread evenly. */
function simulate(seed: number): {
  readonly decisions: readonly (ScalingDecision & { at: number; from: number })[]
  readonly policy: ScalingPolicy
} {
  const random = createRandom(seed)
  const policy = policyOf({
    min: 1 + Math.floor(random() * 3),
    max: 4 + Math.floor(random() * 20),
    targets: { cpu: 0.6 },
    maxStepIn: 1 + Math.floor(random() * 3),
    cooldownOut: 10_000 + Math.floor(random() * 60_000),
    cooldownIn: 60_000 + Math.floor(random() * 300_000),
  })
  let desired = policy.min
  let memory = beginScaling(0)
  const ages: number[] = Array.from({ length: desired }, () => 120_000)
  const decisions: (ScalingDecision & { at: number; from: number })[] = []
  let load = 1
  for (let now = 0; now < 3_600_000; now += 10_000) {
    if (random() < 0.02) load = random() * 15
    if (random() < 0.01 && ages.length > 0) ages.splice(Math.floor(random() * ages.length), 1)
    while (ages.length < desired) ages.push(0)
    ages.length = Math.min(ages.length, desired)
    const ready = ages.filter((age) => age >= 30_000).length
    const seen = ages.map((age, at) =>
      facts({ id: `i${at}`, state: age >= 30_000 ? 'ready' : 'starting', cpu: age >= 30_000 ? load / ready : 0 }),
    )
    const isBlind = random() < 0.05
    const decision = decideScaling(policy, { now, desired, instances: isBlind ? [] : seen }, memory)
    decisions.push({ ...decision, at: now, from: desired })
    memory = decision.memory
    desired = decision.desired
    for (let i = 0; i < ages.length; i += 1) ages[i] = (ages[i] as number) + 10_000
  }
  return { decisions, policy }
}

describe('scaling: seeded histories of an hour', () => {
  const seeds = Array.from({ length: 200 }, (_, index) => index + 1)

  it('never leaves its bounds, its pace and its steps', () => {
    for (const seed of seeds) {
      const { decisions, policy } = simulate(seed)
      let changedAt = Number.NEGATIVE_INFINITY
      for (const { at, from, desired, wanted, memory } of decisions) {
        const place = `seed ${seed} at ${at}`
        expect(desired, place).toBeGreaterThanOrEqual(policy.min)
        expect(desired, place).toBeLessThanOrEqual(policy.max)
        if (desired === from) continue
        const wait = desired > from ? policy.cooldownOut : policy.cooldownIn
        expect(at - changedAt, place).toBeGreaterThanOrEqual(wait)
        if (desired < from) {
          expect(from - desired, place).toBeLessThanOrEqual(policy.maxStepIn)
          expect(at, place).toBeGreaterThanOrEqual(policy.cooldownIn)
          expect(Math.max(...memory.wishes.map((wish) => wish.wanted)), place).toBeLessThan(from)
        } else expect(wanted, place).toBeGreaterThan(from)
        changedAt = at
      }
    }
  })

  it('comes to rest where the load does', () => {
    for (const load of [0.5, 2, 5.3]) {
      const policy = policyOf({ max: 20, targets: { cpu: 0.6 }, cooldownOut: 30_000, cooldownIn: 60_000 })
      for (const start of [1, 20]) {
        let desired = start
        let memory = beginScaling(0)
        for (let now = 0; now < 3_600_000; now += 10_000) {
          const all = instances(Array.from({ length: desired }, () => load / desired))
          const decision = decideScaling(policy, { now, desired, instances: all }, memory)
          memory = decision.memory
          desired = decision.desired
        }
        const share = load / desired
        expect(share, `load ${load} from ${start}`).toBeLessThanOrEqual(0.6 * 1.1 + 1e-9)
        if (desired > 1) expect(load / (desired - 1), `load ${load} from ${start}`).toBeGreaterThan(0.5)
      }
    }
  })
})
