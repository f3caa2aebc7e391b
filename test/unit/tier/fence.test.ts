import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogRecord, Target } from '../../../src/model/log.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { Fence, FENCE_LIMITS } from '../../../src/tier/fence.ts'

const clock = createVirtualClock()

function reading(fence: Fence, key = 'k', tags: string[] = ['t'], namespace = 0) {
  return { key, tags, namespace, asOf: fence.horizon }
}

describe('fence', () => {
  const targets: Record<string, Target> = {
    'its key': { kind: 'key', key: 'k' },
    'one of its tags': { kind: 'tag', tag: 't' },
    'a prefix of its key': { kind: 'prefix', prefix: 'k' },
    'its namespace': { kind: 'namespace', namespace: 0 },
    everything: { kind: 'all' },
  }
  for (const [what, target] of Object.entries(targets)) {
    it(`refuses a reading after ${what} was invalidated, and admits one begun later`, () => {
      // Arrange
      const fence = new Fence(clock)
      const before = reading(fence)

      // Act
      fence.append([target], false, 'test')

      // Assert
      expect(fence.admits(before)).toBe(false)
      expect(fence.admits(reading(fence))).toBe(true)
    })

    it(`softens a reading after ${what} was invalidated softly, and still admits it`, () => {
      const fence = new Fence(clock)
      const before = reading(fence)
      fence.append([target], true, 'test')
      expect(fence.admits(before)).toBe(true)
      expect(fence.softens(before)).toBe(true)
      expect(fence.softens(reading(fence))).toBe(false)
    })
  }

  it('leaves alone what an invalidation does not name', () => {
    const fence = new Fence(clock)
    const before = reading(fence)
    fence.append(
      [
        { kind: 'key', key: 'k2' },
        { kind: 'tag', tag: 't2' },
        { kind: 'prefix', prefix: 'kk' },
      ],
      false,
      'test',
    )
    fence.append([{ kind: 'namespace', namespace: fence.namespace('other') }], false, 'test')
    expect(fence.admits(before)).toBe(true)
    expect(fence.standing(before)).toBe('current')
  })

  it('does not judge stored entries by their key, because those were removed when it was named', () => {
    const fence = new Fence(clock)
    const stored = reading(fence)
    fence.append([{ kind: 'key', key: 'k' }], false, 'test')
    expect(fence.standing(stored)).toBe('current')
    expect(fence.standing({ ...stored, tags: [] })).toBe('current')
  })

  it('counts a reading as invalid once its tags have been forgotten', () => {
    const fence = new Fence(clock, { ...FENCE_LIMITS, tags: 2 })
    const old = reading(fence)
    for (const tag of ['a', 'b', 'c']) fence.append([{ kind: 'tag', tag }], false, 'test')
    expect(fence.standing(old)).toBe('dead')
    expect(fence.standing({ ...old, tags: [] })).toBe('current')
  })

  it('refuses fills but keeps entries when the table of keys overflows', () => {
    const fence = new Fence(clock, { ...FENCE_LIMITS, keys: 1 })
    const old = reading(fence)
    fence.append([{ kind: 'key', key: 'a' }], false, 'test')
    fence.append([{ kind: 'key', key: 'b' }], false, 'test')
    expect(fence.admits(old)).toBe(false)
    expect(fence.standing(old)).toBe('current')
  })

  it('tells whether a record between two positions names a reading, and says yes when it has forgotten', () => {
    const fence = new Fence(clock, { ...FENCE_LIMITS, records: 2 })
    fence.append([{ kind: 'tag', tag: 't' }], false, 'test') // 1
    fence.append([{ kind: 'tag', tag: 'x' }], false, 'test') // 2
    expect(fence.namedBetween(reading(fence), 0, 2)).toBe(true)
    expect(fence.namedBetween(reading(fence), 1, 2)).toBe(false)
    expect(fence.namedBetween(reading(fence), 2, 2)).toBe(false)
    fence.append([{ kind: 'tag', tag: 'y' }], false, 'test') // 3, forgets 1
    expect(fence.namedBetween(reading(fence), 0, 3)).toBe(true)
    expect(fence.namedBetween(reading(fence), 1, 3)).toBe(false)
  })

  it('gives the horizon as it was, for origins whose replicas lag', () => {
    const virtual = createVirtualClock(0)
    const fence = new Fence(virtual)
    expect(fence.horizonAt(0)).toBe(0)
    virtual.advance(100)
    fence.append([{ kind: 'all' }], false, 'test')
    virtual.advance(100)
    fence.append([{ kind: 'all' }], false, 'test')
    expect([fence.horizonAt(100), fence.horizonAt(150), fence.horizonAt(200), fence.horizonAt(201)]).toEqual([0, 1, 1, 2])
  })

  it('tells listeners before append returns, and finds the last record that names a reading', () => {
    const fence = new Fence(clock)
    const heard: LogRecord[] = []
    const stop = fence.onAppend((record) => heard.push(record))
    fence.append([{ kind: 'tag', tag: 't' }], false, 'event:user.updated')
    stop()
    fence.append([{ kind: 'tag', tag: 'other' }], false, 'test')
    expect(heard.map((record) => record.position)).toEqual([1])
    expect(fence.lastNaming({ key: 'k', tags: ['t'], namespace: 0 })?.source).toBe('event:user.updated')
  })

  it('agrees with a plain list of everything that happened, whatever happens', () => {
    const targetArb = fc.oneof(
      fc.record({ kind: fc.constant('key' as const), key: fc.constantFrom('k1', 'k2', 'j1') }),
      fc.record({ kind: fc.constant('tag' as const), tag: fc.constantFrom('a', 'b') }),
      fc.record({ kind: fc.constant('prefix' as const), prefix: fc.constantFrom('k', 'j', 'k1') }),
      fc.record({ kind: fc.constant('namespace' as const), namespace: fc.constantFrom(0, 1) }),
      fc.constant({ kind: 'all' as const }),
    )
    const names = (target: Target, r: { key: string; tags: string[]; namespace: number }): boolean =>
      target.kind === 'all' ||
      (target.kind === 'key' && target.key === r.key) ||
      (target.kind === 'tag' && r.tags.includes(target.tag)) ||
      (target.kind === 'prefix' && r.key.startsWith(target.prefix)) ||
      (target.kind === 'namespace' && target.namespace === r.namespace)
    const readingArb = fc.record({
      key: fc.constantFrom('k1', 'k2', 'j1'),
      tags: fc.subarray(['a', 'b']),
      namespace: fc.constantFrom(0, 1),
      asOf: fc.nat(12),
    })
    fc.assert(
      fc.property(fc.array(fc.record({ target: targetArb, soft: fc.boolean() }), { maxLength: 12 }), readingArb, (log, r) => {
        const fence = new Fence(clock)
        fence.namespace('one')
        for (const { target, soft } of log) fence.append([target], soft, 'test')
        const after = log.slice(r.asOf)
        const hard = after.some((one) => !one.soft && names(one.target, r))
        const soft = after.some((one) => one.soft && names(one.target, r))
        expect(fence.admits(r)).toBe(!hard)
        expect(fence.softens(r)).toBe(soft)
      }),
    )
  })
})
