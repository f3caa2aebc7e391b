import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../src/model/entry.ts'
import type { RemoveReason } from '../../../src/model/port.ts'
import { judge } from '../../../src/model/verdict.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { Fence } from '../../../src/tier/fence.ts'
import { createMemory } from '../../../src/tier/memory.ts'
import type { MemoryOptions } from '../../../src/tier/memory-options.ts'

const DAY_MS = 86_400_000

function arrange(options: Partial<MemoryOptions> = {}) {
  const clock = createVirtualClock(1_000_000)
  const fence = new Fence(clock)
  const left: { key: string; reason: RemoveReason }[] = []
  const onRemove = (key: string, reason: RemoveReason): void => void left.push({ key, reason })
  const memory = createMemory({ clock, fence, maxBytes: '1MiB', onRemove, ...options })
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
  return { clock, fence, memory, entry, left }
}

describe('memory tier: storing and finding', () => {
  it('gives back what was put, field by field', () => {
    const { memory, entry } = arrange()
    const put = entry('/a', { tags: ['x', 'y'], namespace: 3 })
    expect(memory.put(put)).toBe(true)
    expect(memory.peek('/a')).toBe('v:/a')
    expect(memory.find('/a')).toEqual(put)
    expect(memory.look('/a')).toEqual(put)
    expect([...memory.keys()]).toEqual(['/a'])
  })

  it('forgets what was deleted and charges nothing for it', () => {
    const { memory, entry, left } = arrange()
    memory.put(entry('/a', { tags: ['x'] }))
    expect(memory.delete('/a')).toBe(true)
    expect(memory.delete('/a')).toBe(false)
    expect(memory.peek('/a')).toBeUndefined()
    expect(memory.bytes).toBe(0)
    expect(left).toEqual([{ key: '/a', reason: 'deleted' }])
  })

  it('peeks only at values, not at markers', () => {
    const { memory, entry } = arrange()
    memory.put(entry('/p', { kind: 'pass' }))
    memory.put(entry('/v', { kind: 'vary' }))
    expect(memory.peek('/p')).toBeUndefined()
    expect(memory.peek('/v')).toBeUndefined()
    expect(memory.find('/p')?.kind).toBe('pass')
    expect(memory.find('/v')?.kind).toBe('vary')
  })

  it('counts hits, and how a key is read', () => {
    const { clock, memory, entry } = arrange()
    memory.put(entry('/a'))
    for (let i = 0; i < 3; i += 1) {
      clock.advance(1000)
      memory.peek('/a')
    }
    expect(memory.counts.hits).toBe(3)
    expect(memory.arrivals('/a')).toEqual({ reads: 3, gapMs: 1000, before: [false, false], sinceReadMs: 0 })
    memory.put(entry('/a'))
    expect(memory.arrivals('/a')).toEqual({ reads: 0, gapMs: 1000, before: [true, false], sinceReadMs: 0 })
  })

  it('can be emptied while its keys are walked', () => {
    const { memory, entry } = arrange()
    for (let i = 0; i < 100; i += 1) memory.put(entry(`/k${i}`))
    for (const key of memory.keys()) memory.delete(key)
    expect(memory.size).toBe(0)
    expect(memory.bytes).toBe(0)
  })
})

describe('memory tier: budgets', () => {
  it('peeks until one tick of the coarse clock before the end of the fresh window, to the millisecond', () => {
    const { clock, memory, entry } = arrange()
    memory.put(entry('/a'))
    clock.advance(29_994)
    expect(memory.peek('/a')).toBe('v:/a')
    clock.advance(1)
    expect(memory.peek('/a')).toBeUndefined()
    expect(judge(memory.look('/a') as Entry, clock.now()).state).toBe('fresh')
  })

  it('keeps an entry through all its windows and sweeps it at the end of the last', () => {
    const { clock, memory, entry, left } = arrange()
    memory.put(entry('/a'))
    const states = [29_999, 30_000, 89_999, 90_000, 599_999].map((at) => {
      clock.advance(1_000_000 + at - clock.now())
      memory.sweep(100)
      return judge(memory.look('/a') as Entry, clock.now()).state
    })
    expect(states).toEqual(['fresh', 'stale', 'stale', 'reserve', 'reserve'])
    clock.advance(1)
    expect(memory.sweep(100)).toBe(1)
    expect(left).toEqual([{ key: '/a', reason: 'expired' }])
  })

  it('leaves expired entries to validators for as long as it is told', () => {
    const { clock, memory, entry } = arrange({ retainMs: '1m' })
    memory.put(entry('/a'))
    clock.advance(659_999)
    expect(memory.sweep(100)).toBe(0)
    clock.advance(1)
    expect(memory.sweep(100)).toBe(1)
  })

  it('serves a budget of one year for a year and not longer', () => {
    const { clock, memory, entry } = arrange()
    const yearMs = 365 * DAY_MS
    memory.put(entry('/y', { budget: { freshMs: yearMs, staleMs: yearMs, onErrorMs: yearMs } }))
    expect(memory.find('/y')?.budget.freshMs).toBe(yearMs)
    for (const days of [1, 20, 30, 200, 364]) {
      clock.advance(1_000_000 + days * DAY_MS - clock.now())
      expect(memory.peek('/y')).toBe('v:/y')
      expect(memory.find('/y')?.storedAt).toBe(1_000_000)
      expect(memory.find('/y')?.budget.freshMs).toBeLessThanOrEqual(yearMs)
      expect(memory.find('/y')?.budget.freshMs).toBeGreaterThan(yearMs - 1000)
    }
    clock.advance(1_000_000 + yearMs - clock.now())
    expect(memory.peek('/y')).toBeUndefined()
    expect(memory.sweep(10)).toBe(1)
  })

  it('never lengthens a window, whatever fractions, ages and waits', () => {
    const window = fc.double({ min: 0, max: 400 * DAY_MS, noNaN: true })
    const age = fc.double({ min: 0, max: 200 * DAY_MS, noNaN: true })
    fc.assert(
      fc.property(
        window,
        age,
        fc.array(fc.double({ min: 0, max: 40 * DAY_MS, noNaN: true }), { maxLength: 8 }),
        (ms, old, waits) => {
          const { clock, memory, entry } = arrange()
          const given = { freshMs: ms, staleMs: ms, onErrorMs: ms }
          memory.put(entry('/a', { budget: given, storedAt: clock.now() - old }))
          for (const wait of waits) {
            clock.advance(wait)
            const found = memory.find('/a') as Entry
            expect(found.storedAt + found.budget.freshMs).toBeLessThanOrEqual(clock.now() + ms + 1e-3)
            for (const kept of Object.values(found.budget)) expect(kept).toBeLessThanOrEqual(ms + 1e-3)
            if (memory.peek('/a') !== undefined) expect(clock.now() - found.storedAt).toBeLessThan(ms)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('keeps fresh what is fresh when the base of its times moves on', () => {
    const { clock, memory, entry } = arrange()
    clock.advance(13 * DAY_MS)
    memory.put(entry('/a'))
    clock.advance(29_000)
    memory.put(entry('/b', { budget: { freshMs: 10, staleMs: 10, onErrorMs: 10 } }))
    expect(memory.peek('/a')).toBe('v:/a')
    expect(memory.find('/a')?.budget).toEqual({ freshMs: 30_000, staleMs: 90_000, onErrorMs: 600_000 })
    clock.advance(1000)
    expect(memory.peek('/a')).toBeUndefined()
    expect(memory.peek('/b')).toBeUndefined()
  })
})

describe('memory tier: invalidation', () => {
  it('removes at once what a hard invalidation of the key names, and softens on a soft one', () => {
    const { fence, memory, entry, left } = arrange()
    memory.put(entry('/a'))
    memory.put(entry('/b'))
    fence.append([{ kind: 'key', key: '/a' }], false, 'test')
    fence.append([{ kind: 'key', key: '/b' }], true, 'test')
    expect(left).toEqual([{ key: '/a', reason: 'invalidated' }])
    expect(memory.peek('/b')).toBeUndefined()
    expect(memory.find('/b')?.budget).toEqual({ freshMs: 0, staleMs: 90_000, onErrorMs: 600_000 })
  })

  it.each([
    { name: 'tag', target: { kind: 'tag', tag: 't' } as const },
    { name: 'prefix', target: { kind: 'prefix', prefix: '/a' } as const },
    { name: 'namespace', target: { kind: 'namespace', namespace: 1 } as const },
    { name: 'all', target: { kind: 'all' } as const },
  ])('never answers with what an invalidation by $name made void, on any way in', ({ target }) => {
    for (const read of ['peek', 'find', 'look'] as const) {
      const { fence, memory, entry } = arrange()
      memory.put(entry('/a/1', { tags: ['t'], namespace: 1 }))
      fence.append([target], false, 'test')
      expect(memory[read]('/a/1')).toBeUndefined()
      expect(memory.size).toBe(0)
    }
  })

  it('answers softened what a soft invalidation of a tag names, and goes on answering it', () => {
    const { fence, memory, entry } = arrange()
    memory.put(entry('/a', { tags: ['t'] }))
    fence.append([{ kind: 'tag', tag: 't' }], true, 'test')
    expect(memory.peek('/a')).toBeUndefined()
    fence.append([{ kind: 'tag', tag: 'other' }], false, 'test')
    expect(memory.find('/a')?.budget.freshMs).toBe(0)
    expect(memory.peek('/a')).toBeUndefined()
  })

  it('goes on answering what no invalidation names', () => {
    const { fence, memory, entry } = arrange()
    memory.put(entry('/a', { tags: ['t'] }))
    for (let i = 0; i < 50; i += 1) fence.append([{ kind: 'tag', tag: `u${i}` }], i % 2 === 0, 'test')
    expect(memory.peek('/a')).toBe('v:/a')
    expect(memory.find('/a')?.asOf).toBe(50)
  })

  it('refuses a reading that began before an invalidation, and leaves what is newer', () => {
    const { fence, memory, entry } = arrange()
    const late = entry('/a', { value: 'old' })
    fence.append([{ kind: 'key', key: '/a' }], false, 'test')
    memory.put(entry('/a', { value: 'new' }))
    expect(memory.put(late)).toBe(false)
    expect(memory.peek('/a')).toBe('new')
  })

  it('stores as softened a reading that began before a soft invalidation', () => {
    const { fence, memory, entry } = arrange()
    const late = entry('/a', { tags: ['t'] })
    fence.append([{ kind: 'tag', tag: 't' }], true, 'test')
    expect(memory.put(late)).toBe(true)
    expect(memory.peek('/a')).toBeUndefined()
  })

  it.each<{ name: string; spoil: (at: ReturnType<typeof arrange>) => unknown }>([
    { name: 'a tag is invalidated', spoil: ({ fence }) => fence.append([{ kind: 'tag', tag: 't' }], false, 'test') },
    { name: 'a tag is softened', spoil: ({ fence }) => fence.append([{ kind: 'tag', tag: 't' }], true, 'test') },
    { name: 'its key is softened', spoil: ({ fence }) => fence.append([{ kind: 'key', key: '/a' }], true, 'test') },
    { name: 'it is softened by hand', spoil: ({ memory }) => memory.soften('/a') },
    { name: 'a marker replaces it', spoil: ({ memory, entry }) => memory.put(entry('/a', { kind: 'pass' })) },
    { name: 'its fresh window ends', spoil: ({ clock }) => clock.advance(30_000) },
  ])('sees after many hits within one millisecond that $name', ({ spoil }) => {
    for (const policy of ['s3-fifo', 'lru', 'sieve'] as const) {
      const at = arrange({ policy })
      at.memory.put(at.entry('/a', { tags: ['t'] }))
      for (let i = 0; i < 10; i += 1) expect(at.memory.peek('/a')).toBe('v:/a')
      spoil(at)
      expect(at.memory.peek('/a')).toBeUndefined()
    }
  })

  it('tells a watcher of every read, also of keys that were hot before', () => {
    const { memory, entry } = arrange()
    memory.put(entry('/a'))
    for (let i = 0; i < 10; i += 1) memory.peek('/a')
    const seen: string[] = []
    memory.onRead((key) => seen.push(key))
    for (let i = 0; i < 10; i += 1) memory.peek('/a')
    memory.onRead(undefined)
    memory.peek('/a')
    expect(seen.length).toBe(10)
    expect(memory.counts.hits).toBe(21)
  })

  it('counts what stands under a tag, from nothing again after it was invalidated', () => {
    const { fence, memory, entry } = arrange()
    for (let i = 0; i < 5; i += 1) memory.put(entry(`/k${i}`, { tags: ['t', 'u'] }))
    memory.delete('/k0')
    expect(memory.taggedCount('t')).toBe(4)
    fence.append([{ kind: 'tag', tag: 't' }], false, 'test')
    expect(memory.taggedCount('t')).toBe(0)
    memory.put(entry('/n', { tags: ['t'] }))
    memory.put(entry('/k1', { tags: ['t'] }))
    memory.sweep(100)
    expect(memory.taggedCount('t')).toBe(2)
    expect(memory.taggedCount('u')).toBe(0)
    fence.append([{ kind: 'all' }], false, 'test')
    expect(memory.taggedCount('t')).toBe(0)
    memory.sweep(100)
    expect(memory.bytes).toBe(0)
  })
})

describe('memory tier: bytes', () => {
  it('charges equal bodies once: three keys with one body cost at most 1.35 times one', () => {
    const { memory, entry } = arrange()
    const bytesOf = (id: string): number => {
      const body = memory.canonical('sha:1', Buffer.alloc(4000))
      memory.put(entry(id, { value: body, bytes: 4000, share: { id: 'sha:1', bytes: 4000 } }))
      return memory.bytes
    }
    const one = bytesOf('/price?tier=free')
    bytesOf('/price?tier=premium')
    const three = bytesOf('/price?tier=admin')
    expect(three / one).toBeLessThanOrEqual(1.35)
    expect(memory.peek('/price?tier=free')).toBe(memory.peek('/price?tier=admin'))
    for (const key of memory.keys()) memory.delete(key)
    expect(memory.bytes).toBe(0)
  })

  it('charges in full a body whose shared instance was never asked for', () => {
    const { memory, entry } = arrange()
    memory.put(entry('/a', { bytes: 4000, share: { id: 'x', bytes: 4000 } }))
    memory.put(entry('/b', { bytes: 4000, share: { id: 'x', bytes: 4000 } }))
    expect(memory.bytes).toBeGreaterThan(8000)
    expect(memory.find('/a')?.share).toBeUndefined()
  })

  it('refuses an entry that is too large and removes what stood under its key', () => {
    const { memory, entry } = arrange({ maxEntryBytes: 1000 })
    memory.put(entry('/a'))
    expect(memory.put(entry('/a', { bytes: 1001 }))).toBe(false)
    expect(memory.find('/a')).toBeUndefined()
    expect(memory.bytes).toBe(0)
  })

  it('lets a body much larger than the others push them out only when it is stored a second time', () => {
    const { memory, entry } = arrange({ maxBytes: '64KiB', maxEntryBytes: '32KiB' })
    for (let i = 0; i < 1000; i += 1) memory.put(entry(`/k${i}`))
    expect(memory.put(entry('/large', { bytes: 20_000 }))).toBe(false)
    expect(memory.put(entry('/large', { bytes: 20_000 }))).toBe(true)
  })

  it('keeps entries under their limit too', () => {
    const { memory, entry } = arrange({ maxEntries: 10 })
    for (let i = 0; i < 100; i += 1) memory.put(entry(`/k${i}`))
    expect(memory.size).toBe(10)
    expect(memory.counts.evictions).toBe(90)
  })

  const operations = fc.array(
    fc.record({
      kind: fc.constantFrom('put', 'put', 'put', 'put', 'peek', 'find', 'delete', 'key', 'tag', 'sweep', 'wait', 'clear'),
      key: fc.nat(120),
      bytes: fc.integer({ min: 0, max: 9000 }),
      tags: fc.uniqueArray(fc.constantFrom('a', 'b', 'ü', 'd'), { maxLength: 3 }),
      share: fc.option(fc.nat(3), { nil: undefined }),
    }),
    { maxLength: 300 },
  )

  it.each(['s3-fifo', 'lru', 'w-tinylfu'] as const)('%s: never holds more than its limit, and nothing once emptied', (policy) => {
    fc.assert(
      fc.property(operations, (sequence) => {
        const { clock, fence, memory, entry } = arrange({ policy, maxBytes: 65_536, maxEntryBytes: 20_000, maxEntries: 60 })
        for (const { kind, key, bytes, tags, share } of sequence) {
          const name = key % 2 === 0 ? `/key/${key}` : `/schlüssel/€/${key}`
          if (kind === 'put') {
            const shared = share === undefined ? {} : { share: { id: `s${share}`, bytes: 1000 + share } }
            const value = share === undefined ? name : memory.canonical(`s${share}`, { share })
            const all = share === undefined ? bytes : bytes + 1000 + share
            memory.put(entry(name, { value, bytes: all, tags, ...shared }))
          } else if (kind === 'peek' || kind === 'find') memory[kind](name)
          else if (kind === 'delete') memory.delete(name)
          else if (kind === 'key') fence.append([{ kind: 'key', key: name }], bytes % 2 === 0, 'test')
          else if (kind === 'tag') fence.append([{ kind: 'tag', tag: 'a' }], false, 'test')
          else if (kind === 'sweep') memory.sweep(20)
          else if (kind === 'wait') clock.advance(bytes * 10)
          else if (key === 0) memory.clear()
          expect(memory.bytes).toBeLessThanOrEqual(memory.maxBytes)
          expect(memory.size).toBeLessThanOrEqual(60)
        }
        memory.clear()
        expect(memory.bytes).toBe(0)
        expect(memory.size).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})

describe('memory tier: options', () => {
  it.each([
    [{ maxBytez: 1 }, 'FC_OPTION_UNKNOWN'],
    [{ maxBytes: 10 }, 'FC_OPTION_RANGE'],
    [{ maxBytes: 'lots' }, 'FC_OPTION_SIZE'],
    [{ maxEntryBytes: '2MiB' }, 'FC_OPTION_RANGE'],
    [{ maxEntries: 0 }, 'FC_OPTION_RANGE'],
    [{ policy: 'random' }, 'FC_OPTION_VALUE'],
    [{ retainMs: 'soon' }, 'FC_OPTION_DURATION'],
  ])('refuses %j with %s', (options, code) => {
    expect(() => arrange(options as Partial<MemoryOptions>)).toThrow(expect.objectContaining({ code }))
  })
})
