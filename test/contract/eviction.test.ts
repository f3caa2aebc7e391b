import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEviction, POLICY_NAMES, type PolicyName } from '../../src/shelf/policies.ts'

/** A host as the in-memory tier is one: slots with weights, freed only when the policy lets go of them. */
function arrange(name: PolicyName, capacity: number) {
  const slotOf = new Map<number, number>()
  const keyOf: number[] = []
  const weights: number[] = []
  const free: number[] = []
  let weight = 0
  const released: number[] = []
  /** Slots whose hits need not be told: the host then leaves `touch` out, as the tier does. */
  const saturated = new Set<number>()
  const policy = createEviction(
    name,
    {
      weightOf: (slot) => weights[slot] as number,
      cool: (slot) => void saturated.delete(slot),
      release: (slot) => {
        released.push(slot)
        free.push(slot)
      },
    },
    capacity,
  )
  const leave = (slot: number): void => {
    slotOf.delete(keyOf[slot] as number)
    weight -= weights[slot] as number
  }
  return {
    policy,
    released,
    stored: slotOf,
    weight: () => weight,
    touch: (key: number) => {
      const slot = slotOf.get(key)
      if (slot !== undefined && !saturated.has(slot) && policy.touch(slot)) saturated.add(slot)
    },
    remove: (key: number) => {
      const slot = slotOf.get(key)
      if (slot === undefined) return
      policy.remove(slot)
      leave(slot)
    },
    reweigh: (key: number, to: number) => {
      const slot = slotOf.get(key)
      if (slot === undefined) return
      const delta = to - (weights[slot] as number)
      weights[slot] = to
      weight += delta
      policy.reweigh(slot, delta)
    },
    store: (key: number, heavy: number) => {
      policy.arrive(key)
      while (weight + heavy > capacity) {
        const victim = policy.evict()
        if (victim < 0) break
        leave(victim)
        free.push(victim)
      }
      let slot = free.pop()
      if (slot === undefined) {
        slot = keyOf.length
        policy.grow(slot + 1)
      }
      keyOf[slot] = key
      weights[slot] = heavy
      saturated.delete(slot)
      weight += heavy
      slotOf.set(key, slot)
      policy.insert(slot, heavy)
    },
  }
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('read' as const), key: fc.nat(40), size: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), key: fc.nat(40), size: fc.constant(1) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('resize' as const), key: fc.nat(40), size: fc.integer({ min: 1, max: 4 }) }),
    },
  ),
  { maxLength: 400 },
)

describe.each(POLICY_NAMES)('eviction contract: %s', (name) => {
  it('names every linked slot as a victim exactly once, then -1', () => {
    const host = arrange(name, 1e9)
    for (let key = 0; key < 100; key += 1) host.store(key, 1)
    host.touch(3)
    host.touch(3)
    const victims = Array.from({ length: 100 }, () => host.policy.evict())
    expect(new Set(victims).size).toBe(100)
    expect(Math.min(...victims)).toBe(0)
    expect(host.policy.evict()).toBe(-1)
  })

  it('never names a slot that was removed', () => {
    const host = arrange(name, 1e9)
    for (let key = 0; key < 200; key += 1) host.store(key, 1)
    const gone = Array.from({ length: 100 }, (_, i) => host.stored.get(i * 2) as number)
    for (let key = 0; key < 200; key += 2) host.remove(key)
    const victims = Array.from({ length: 100 }, () => host.policy.evict())
    expect(victims.filter((slot) => gone.includes(slot))).toEqual([])
    expect(host.policy.evict()).toBe(-1)
    expect(new Set(host.released)).toEqual(new Set(gone))
  })

  it('keeps what is read again and again while other keys pass once', () => {
    const host = arrange(name, 20)
    host.store(1, 1)
    for (let key = 100; key < 1000; key += 1) {
      host.touch(1)
      host.store(key, 1)
    }
    expect(host.stored.has(1)).toBe(true)
  })

  it('keeps weights under the capacity through any sequence of reads, removals and resizes', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const host = arrange(name, 30)
        for (const { kind, key, size } of sequence) {
          if (kind === 'remove') host.remove(key)
          else if (kind === 'resize') host.reweigh(key, size)
          else if (host.stored.has(key)) host.touch(key)
          else {
            host.store(key, size)
            expect(host.weight()).toBeLessThanOrEqual(30)
          }
        }
        const left = host.stored.size
        const victims = Array.from({ length: left }, () => host.policy.evict())
        expect(new Set(victims)).toEqual(new Set(host.stored.values()))
        expect(host.policy.evict()).toBe(-1)
      }),
      { numRuns: 150 },
    )
  })
})
