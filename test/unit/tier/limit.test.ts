import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../src/model/entry.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { POLICY_NAMES } from '../../../src/shelf/policies.ts'
import { Fence } from '../../../src/tier/fence.ts'
import { createMemory, type MemoryTier } from '../../../src/tier/memory.ts'

const MIB = 1024 * 1024
const BUDGET = { freshMs: 60_000, staleMs: 60_000, onErrorMs: 60_000 }

function entry(i: number, bytes = 1000): Entry {
  return { key: `key ${i}`, kind: 'value', value: i, bytes, storedAt: 1, budget: BUDGET, asOf: 0, namespace: 0, tags: [] }
}

function filled(policy: (typeof POLICY_NAMES)[number]): MemoryTier {
  const clock = createVirtualClock()
  const memory = createMemory({ clock, fence: new Fence(clock), maxBytes: MIB, policy })
  for (let i = 0; i < 2000; i += 1) memory.put(entry(i))
  return memory
}

describe.each(POLICY_NAMES)('memory: a limit below the one that was given (%s)', (policy) => {
  it('evicts by policy until it holds, a bounded number at once', () => {
    const memory = filled(policy)
    const before = memory.size

    expect(memory.limitTo(MIB / 2, 100)).toBe(100)
    expect(memory.size).toBe(before - 100)
    for (let i = 0; i < 100 && memory.bytes > MIB / 2; i += 1) memory.limitTo(MIB / 2, 100)

    expect(memory.bytes).toBeLessThanOrEqual(MIB / 2)
    expect(memory.bytes).toBeGreaterThan(MIB / 2 - 3000)
  })

  it('holds while entries come, and gives way when it is lifted', () => {
    const memory = filled(policy)
    memory.limitTo(MIB / 4, 10_000)

    for (let i = 3000; i < 5000; i += 1) {
      memory.put(entry(i))
      expect(memory.bytes).toBeLessThanOrEqual(MIB / 4)
    }
    memory.limitTo(2 * MIB, 10_000)
    for (let i = 6000; i < 9000; i += 1) memory.put(entry(i))

    expect(memory.bytes).toBeLessThanOrEqual(MIB)
    expect(memory.bytes).toBeGreaterThan(MIB / 2)
  })

  it('goes on storing after everything that is only remembered was dropped', () => {
    const memory = filled(policy)
    memory.shed()
    for (let i = 0; i < 3000; i += 1) memory.put(entry(i))
    expect(memory.bytes).toBeLessThanOrEqual(MIB)
    expect(memory.look('key 2999')?.value).toBe(2999)
  })

  it('can be emptied to nothing', () => {
    const memory = filled(policy)
    memory.limitTo(0, 100_000)
    expect([memory.size, memory.bytes]).toEqual([0, 0])
    expect(memory.put(entry(1))).toBe(false)
  })
})
