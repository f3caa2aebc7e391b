import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../src/model/entry.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { Fence } from '../../../src/tier/fence.ts'
import { createMemory } from '../../../src/tier/memory.ts'
import type { MemoryOptions } from '../../../src/tier/memory-options.ts'

function arrange(options: Partial<MemoryOptions> = {}) {
  const clock = createVirtualClock(1_000_000)
  const fence = new Fence(clock)
  const memory = createMemory({ clock, fence, maxBytes: '1MiB', ...options })
  const entry = (key: string, more: Partial<Entry> = {}): Entry => ({
    key,
    kind: 'value',
    value: `v:${key}`,
    bytes: 100,
    storedAt: clock.now(),
    asOf: fence.horizon,
    namespace: 0,
    tags: [],
    budget: { freshMs: 30_000, staleMs: 90_000, onErrorMs: 600_000 },
    ...more,
  })
  return { clock, fence, memory, entry }
}

describe('memory tier: storing and finding', () => {
  it('gives back what was put, field by field', () => {
    const { memory, entry } = arrange()
    const put = entry('/a', { tags: ['x', 'y'], namespace: 3 })
    expect(memory.put(put)).toBe(true)
    expect(memory.peek('/a')).toBe('v:/a')
    expect(memory.find('/a')).toEqual(put)
    expect(memory.look('/a')).toEqual(put)
    expect(memory.size).toBe(1)
  })

  it('forgets what was deleted and charges nothing for it', () => {
    const { memory, entry } = arrange()
    memory.put(entry('/a', { tags: ['x'] }))
    expect(memory.delete('/a')).toBe(true)
    expect(memory.delete('/a')).toBe(false)
    expect(memory.peek('/a')).toBeUndefined()
    expect(memory.bytes).toBe(0)
  })

  it('keeps charged bytes under the limit while 10,000 entries pass through', () => {
    const { memory, entry } = arrange()
    for (let i = 0; i < 10_000; i += 1) {
      memory.put(entry(`/k${i}`))
      expect(memory.bytes).toBeLessThanOrEqual(memory.maxBytes)
    }
    expect(memory.size).toBeGreaterThan(3000)
  })
})
